import * as z from 'zod';
import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { EVENT_TYPES, type EventType, type RelayEvent } from '../ledger/relay-event.ts';
import { jsonPointer, valueAt } from '../mail/mail-problems.ts';

const MAX_RECEIVERS = 20;
const MAX_PROBLEMS = 20;
const MAX_NAME = 40;
const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
/** Names of callers, and of holders of function keys (`key:...`). */
const CALLER = /^[a-z][\w:-]{1,99}$/;
/** Names of secrets in a vault. */
const VAULT_OBJECT = /^[0-9a-z-]{1,127}$/i;
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

const textOf = (isRight: (text: string) => boolean, expected: string) =>
  z.custom<string>((value) => typeof value === 'string' && isRight(value), expected);

/** What is posted there is signed and not encrypted, so it crosses no network in the clear. */
const isReceiverUrl = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username || url.password || url.hash) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.includes(url.hostname));
};

const shape = {
  name: textOf(
    (text) => text.length <= MAX_NAME && NAME.test(text),
    `1 to ${MAX_NAME} lower-case letters, digits and single dashes, beginning with a letter, such as crm`,
  ),
  url: textOf(
    isReceiverUrl,
    'an https address without a user name and a fragment; http only to localhost for local work',
  ),
  secretName: textOf(
    (text) => VAULT_OBJECT.test(text),
    'the name of a secret in the vault: 1 to 127 letters, digits and dashes',
  ).optional(),
  events: z
    .custom<unknown[]>(
      (value) => Array.isArray(value) && value.length >= 1 && value.length <= EVENT_TYPES.length,
      `a list of 1 to ${EVENT_TYPES.length} types of events`,
    )
    .pipe(
      z.array(
        z.custom<EventType>(
          (value) => EVENT_TYPES.includes(value as EventType),
          `one of ${EVENT_TYPES.join(', ')}`,
        ),
      ),
    )
    .optional(),
  caller: textOf((text) => CALLER.test(text), 'the name of a caller, such as payroll').optional(),
};
const fields = z.strictObject(shape, {
  error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'an object'),
});
/** A word, as fields are named: neither an address nor a secret. */
const FIELD_LIKE = /^[A-Za-z]{1,30}$/;
const IS_SECRET = /^(secret|secretValue|key|token)$/i;

/** A system that receives events by HTTP. */
export type WebhookReceiver = {
  readonly name: string;
  /** It can have a token in it, and is in no log. */
  readonly url: string;
  readonly secretName: string;
  /** All types, where it is absent. */
  readonly events?: readonly EventType[];
  /** Events of this caller alone. */
  readonly caller?: string;
};

type ReadReceivers = {
  readonly receivers: readonly WebhookReceiver[];
  readonly problems: readonly Problem[];
};

const problem = (pointer: string, expected: string, received: string): Problem => ({
  code: 'SETTINGS_INVALID',
  pointer,
  expected,
  received,
});

/** Reads the list of receivers. Values are in no problem. */
export const readReceivers = (input: unknown): ReadReceivers => {
  const only = (expected: string, received: string) => ({
    receivers: [],
    problems: [problem('', expected, received)],
  });
  if (!Array.isArray(input)) return only('a JSON list of webhooks', describe(input));
  if (input.length > MAX_RECEIVERS) return only(`at most ${MAX_RECEIVERS} webhooks`, `${input.length}`);
  const read = input.map((one) => fields.safeParse(one));
  const receivers = read.flatMap(({ data }) =>
    data === undefined ? [] : [{ ...data, secretName: data.secretName ?? `webhook-secret-${data.name}` }],
  ) as readonly WebhookReceiver[];
  const problems = [
    ...read.flatMap(({ error }, index) =>
      (error?.issues ?? []).flatMap((issue) => toProblems(issue, input[index], `/${index}`)),
    ),
    ...namesTwice(input),
  ].slice(0, MAX_PROBLEMS);
  return { receivers, problems };
};

const toProblems = (issue: z.core.$ZodIssue, input: unknown, place: string): readonly Problem[] =>
  issue.code === 'unrecognized_keys'
    ? issue.keys.map((key) =>
        problem(
          FIELD_LIKE.test(key) ? `${place}/${key}` : place,
          IS_SECRET.test(key)
            ? 'no secret in a setting: store it in the vault, and give its name as secretName'
            : `only the fields ${Object.keys(shape).join(', ')}`,
          'another field',
        ),
      )
    : [problem(`${place}${jsonPointer(issue.path)}`, issue.message, describe(valueAt(input, issue.path)))];

const namesTwice = (input: readonly unknown[]): readonly Problem[] => {
  const names = input.map((one) => (one as { readonly name?: unknown } | null)?.name);
  return names.flatMap((name, index) =>
    typeof name === 'string' && names.indexOf(name) < index
      ? [
          problem(
            `/${index}/name`,
            'a name that no other webhook has',
            `the same as at /${names.indexOf(name)}`,
          ),
        ]
      : [],
  );
};

/** Whether a receiver is to be told of an event. */
export const wants = (
  { events, caller }: WebhookReceiver,
  event: { readonly type: EventType; readonly data: RelayEvent['data'] },
): boolean =>
  (events === undefined || events.includes(event.type)) &&
  (caller === undefined || ('caller' in event.data && event.data.caller === caller));
