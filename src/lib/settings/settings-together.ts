import { findSendersOutside } from '../callers/caller-fence.ts';
import { authoritiesOf, CLOUDS } from '../connections/cloud.ts';
import { findClaimedTwice } from '../connections/connection-definition.ts';
import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { matchesAny } from '../mail/address-pattern.ts';
import { isLoopback } from './addresses.ts';
import { cloudOf, sharedCredentials, toConnections, toSenderPolicy } from './connections.ts';
import type { Environment, SettingName, Settings } from './settings.ts';

/** A token takes well under a second; what is left of an invocation belongs to Graph. */
const LONGEST_TOKEN_SECONDS = 15;
/** Azure's load balancer ends an HTTP request then (azure-functions: functions-scale, timeout). */
const HTTP_LIMIT_SECONDS = 230;
/** The copy in Sent Items "may be late" (graph: outlook-immutable-id). */
const SHORTEST_VERIFY_SECONDS = 60;

/** How long a token may take: it is asked for in up to three steps, the vault and Entra twice, none longer than a mail. */
export const tokenTimeoutSeconds = ({
  GRAPH_TIMEOUT_SECONDS,
}: Pick<Settings, 'GRAPH_TIMEOUT_SECONDS'>): number =>
  Math.min(LONGEST_TOKEN_SECONDS, 3 * GRAPH_TIMEOUT_SECONDS);

/** What an attempt does beside its requests, and what a slow clock takes; never longer than a request. */
const SPARE_SECONDS = 15;

/**
 * How long an attempt begins requests for the files of a draft: what is left after that is enough for the last of them, a token,
 * and the request that sends. An attempt that has no time left for files still has time for an email without any.
 */
export const filesWithinMs = (
  settings: Pick<Settings, 'GRAPH_TIMEOUT_SECONDS'>,
  functionTimeoutSeconds: number,
): { readonly caller: number; readonly queue: number } => {
  const { GRAPH_TIMEOUT_SECONDS } = settings;
  const needed =
    tokenTimeoutSeconds(settings) +
    2 * GRAPH_TIMEOUT_SECONDS +
    Math.min(SPARE_SECONDS, GRAPH_TIMEOUT_SECONDS);
  const within = (limit: number) => Math.max(0, limit - needed) * 1000;
  return {
    caller: within(Math.min(functionTimeoutSeconds, HTTP_LIMIT_SECONDS)),
    queue: within(functionTimeoutSeconds),
  };
};

/** `hh:mm:ss` of host.json in seconds; none for what means without end. */
export const readFunctionTimeout = (text: string): number => {
  const [, hours, minutes, seconds] = /^(\d+):(\d\d):(\d\d)$/.exec(text) ?? [];
  return seconds === undefined
    ? Number.POSITIVE_INFINITY
    : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
};

type Rule = {
  readonly name: SettingName;
  readonly holds: boolean;
  /** What would be right, and why. */
  readonly expected: string;
};

/** Values that are good one by one and break the promise together, with host.json or with Azure. */
export const checkTogether = (
  settings: Settings,
  environment: Environment,
  functionTimeoutSeconds: number,
): readonly Problem[] => {
  const {
    GRAPH_TIMEOUT_SECONDS,
    MAIL_SENDING_LIMIT_SECONDS,
    MAIL_VERIFY_SECONDS,
    MAIL_GIVE_UP_HOURS,
    MAIL_LEDGER_DAYS,
    MAIL_REDIRECT_TO,
    MAIL_RECIPIENT_DOMAINS,
    MAIL_OTHER_RECIPIENTS,
  } = settings;
  const { GRAPH_CLOUD, ENTRA_AUTHORITY, GRAPH_ENDPOINT } = settings;
  const connections = toConnections(settings);
  const attemptSeconds = 2 * (tokenTimeoutSeconds(settings) + GRAPH_TIMEOUT_SECONDS);
  const limit = Math.min(functionTimeoutSeconds, HTTP_LIMIT_SECONDS);
  const rules: readonly Rule[] = [
    {
      name: 'GRAPH_CLOUD',
      holds:
        isLocal(ENTRA_AUTHORITY) ||
        isLocal(GRAPH_ENDPOINT) ||
        (GRAPH_CLOUD === undefined
          ? cloudOf(settings) !== undefined
          : isOf(authoritiesOf(GRAPH_CLOUD), ENTRA_AUTHORITY) &&
            isOf([CLOUDS[GRAPH_CLOUD].graphEndpoint], GRAPH_ENDPOINT)),
      expected:
        'ENTRA_AUTHORITY and GRAPH_ENDPOINT of this cloud, or neither of them: a token of one cloud is not accepted in another',
    },
    {
      name: 'SECRET_ROTATION_DAYS',
      holds:
        settings.SECRET_ROTATION_DAYS === undefined ||
        connections.some(({ credential }) => credential.kind === 'client-secret'),
      expected: 'nothing, as no connection has a client secret that the relay could renew',
    },
    {
      name: 'GRAPH_TIMEOUT_SECONDS',
      holds: attemptSeconds < limit,
      expected: `a time that fits twice, with ${LONGEST_TOKEN_SECONDS} s for each token, into less than ${limit} s: an attempt must end within functionTimeout of host.json (${functionTimeoutSeconds} s) and the ${HTTP_LIMIT_SECONDS} s that Azure allows for an HTTP request`,
    },
    {
      name: 'MAIL_SENDING_LIMIT_SECONDS',
      holds: MAIL_SENDING_LIMIT_SECONDS > functionTimeoutSeconds,
      expected: `more than functionTimeout of host.json, which is ${functionTimeoutSeconds} s: otherwise the relay counts a running attempt as lost and can send the email twice`,
    },
    {
      name: 'MAIL_VERIFY_SECONDS',
      // A Graph stand-in on this machine shows the copy when a test tells it to.
      holds: MAIL_VERIFY_SECONDS >= SHORTEST_VERIFY_SECONDS || isLocal(settings.GRAPH_ENDPOINT),
      expected: `at least ${SHORTEST_VERIFY_SECONDS}: Exchange can be that late to show the copy in Sent Items, and the relay sends an email again that it does not find`,
    },
    {
      name: 'MAIL_VERIFY_SECONDS',
      holds: MAIL_VERIFY_SECONDS < MAIL_GIVE_UP_HOURS * 3600,
      expected:
        'less than MAIL_GIVE_UP_HOURS: otherwise the relay gives up before it knows whether the email was sent',
    },
    {
      name: 'MAIL_LEDGER_DAYS',
      // The lifecycle rule of the storage account deletes contents by their age, and does not ask the ledger.
      holds: MAIL_LEDGER_DAYS * 24 >= MAIL_GIVE_UP_HOURS + 24,
      expected:
        'at least a day more than MAIL_GIVE_UP_HOURS: Storage deletes the content of an email after this time, also while the email waits',
    },
    {
      name: 'MAIL_OTHER_RECIPIENTS',
      // Who sets it means that there are others.
      holds: MAIL_OTHER_RECIPIENTS === 'refuse' || MAIL_RECIPIENT_DOMAINS !== undefined,
      expected: 'refuse, or also MAIL_RECIPIENT_DOMAINS: without that setting, every email goes to everyone',
    },
    {
      name: 'MAIL_REDIRECT_TO',
      holds:
        MAIL_REDIRECT_TO === undefined ||
        MAIL_RECIPIENT_DOMAINS === undefined ||
        matchesAny(MAIL_RECIPIENT_DOMAINS, MAIL_REDIRECT_TO.address),
      expected: 'an address within MAIL_RECIPIENT_DOMAINS, which says who can receive email here',
    },
  ];
  const broken = rules
    .filter(({ holds }) => !holds)
    .map(
      ({ name, expected }): Problem => ({
        code: 'SETTINGS_INVALID',
        pointer: name,
        expected,
        received: environment[name] === undefined ? 'the default' : describe(environment[name]),
      }),
    );
  const placeOf = (connection: string) =>
    settings.GRAPH_CONNECTIONS.find(({ name }) => name === connection)?.place ?? 'GRAPH_CONNECTIONS';
  return [
    ...broken,
    ...findClaimedTwice(settings.GRAPH_CONNECTIONS),
    ...sharedCredentials(connections, placeOf),
    ...sendersOutside(settings),
  ];
};

const isLocal = (url: string | undefined): boolean => url !== undefined && isLoopback(url);

const isOf = (addresses: readonly string[], url: string | undefined): boolean =>
  url === undefined || addresses.includes(url);

/** Senders of declared callers that the relay never sends as: the caller would find out by its first email. */
const sendersOutside = (settings: Settings): readonly Problem[] => {
  const policy = toSenderPolicy(settings);
  return settings.MAIL_CALLERS.flatMap((caller, index) =>
    findSendersOutside(caller, policy).map(
      (problem): Problem => ({
        ...problem,
        code: 'SETTINGS_INVALID',
        pointer: `MAIL_CALLERS/${index}${problem.pointer}`,
      }),
    ),
  );
};
