import type { HttpRequest } from '@azure/functions';
import { readAppToken } from '../lib/callers/app-token.ts';
import type { Caller } from '../lib/callers/caller.ts';
import { isKey, type KeyRecord, readKey } from '../lib/callers/caller-key.ts';
import { mayEnter, requireDoor } from '../lib/callers/caller-policy.ts';
import { type Presented, readCredential, readFunctionKey } from '../lib/callers/credentials.ts';
import type { KnownCallers } from '../lib/callers/known-callers.ts';
import { AppError } from '../lib/errors.ts';
import { callerOfKey } from '../lib/ledger/identity.ts';
import type { Log } from '../lib/log.ts';
import type { Ports } from '../lib/ports.ts';

/** Finds out who calls, and that it may call at all, before anything else of the request is looked at. */
export type Identify = (request: HttpRequest, log: Log) => Promise<Caller>;

/** What a request to an address of the relay presents. */
export const presentedBy = ({ headers, query }: HttpRequest): Presented => ({
  authorization: headers.get('authorization') ?? undefined,
  apiKey: headers.get('x-api-key') ?? undefined,
  functionKey: headers.get('x-functions-key') ?? undefined,
  query: [...query],
});

/**
 * By the function key of a request to `/api/mail`. The host has checked it, and does not say its name to an app that streams
 * (decision 22). Throws CALLER_UNKNOWN, CREDENTIALS_AMBIGUOUS, CALLER_DISABLED, DOOR_NOT_ALLOWED.
 */
export const byFunctionKey =
  (needs: (log: Log) => Pick<Ports, 'callers'>): Identify =>
  async (request, log) => {
    const key = readFunctionKey(presentedBy(request));
    const { callers } = needs(log);
    const name = callerOfKey(key);
    return admitted(callers, (known) => known.withFunctionKey(name), noCaller);
  };

/**
 * The caller that was found, where it may call. What this instance knows can be a minute old: before a caller is refused, or not found,
 * it is read again, which is rate-limited.
 */
const admitted = async (
  callers: Ports['callers'],
  find: (known: KnownCallers) => Caller | undefined,
  refusal: () => AppError,
): Promise<Caller> => {
  const caller = find(await callers.known());
  if (caller !== undefined && mayEnter(caller, 'http')) return caller;
  const newest = find(await callers.refreshed());
  if (newest === undefined) throw refusal();
  requireDoor(newest, 'http');
  return newest;
};

const noCaller = (): AppError => new AppError('CALLER_UNKNOWN');

/**
 * By the key of the relay, or the token from Entra, of a request to `/api/v1`, which the host lets everybody make. Throws CALLER_UNKNOWN,
 * CREDENTIALS_AMBIGUOUS, KEY_NOT_ACCEPTED, TOKEN_NOT_ACCEPTED, TOKEN_ROLE_MISSING, ENTRA_KEYS_UNREACHABLE, CALLER_NOT_DECLARED,
 * CALLER_DISABLED, DOOR_NOT_ALLOWED.
 */
export const byKeyOrToken =
  (
    needs: (log: Log) => Pick<Ports, 'callers' | 'appTokens'>,
    /** Where the credential is, in the API of another provider. */
    presented: (request: HttpRequest) => Presented = presentedBy,
  ): Identify =>
  async (request, log) => {
    const { kind, text } = readCredential(presented(request));
    return (kind === 'key' ? callerWithKey : callerWithToken)(needs(log), text);
  };

/** Of nobody: a key that no caller has takes as much work as one of a caller. */
const NOBODYS: KeyRecord = {
  id: 'nobody',
  salt: 'A'.repeat(22),
  hash: 'A'.repeat(43),
  createdAt: '',
};

const callerWithKey = async ({ callers }: Pick<Ports, 'callers'>, text: string): Promise<Caller> => {
  const presented = readKey(text);
  if (presented === undefined)
    throw new AppError('KEY_NOT_ACCEPTED', {
      detail: 'It does not have the form of a key of the relay: a part is missing or was changed.',
    });
  // The id is no secret: by it an administrator finds the key.
  const refusal = () =>
    new AppError('KEY_NOT_ACCEPTED', { detail: `No caller has this key. Its id is ${presented.id}.` });
  const find = (known: KnownCallers): Caller | undefined => {
    const withId = known.withKey(presented.id);
    const isRight = isKey(withId?.key ?? NOBODYS, presented);
    // Another secret with this id is wrong however often callers are read.
    if (withId !== undefined && !isRight) throw refusal();
    return withId?.caller;
  };
  return admitted(callers, find, refusal);
};

const callerWithToken = async (
  { callers, appTokens }: Pick<Ports, 'callers' | 'appTokens'>,
  text: string,
): Promise<Caller> => {
  const clientId = readAppToken(await appTokens.check(text));
  return admitted(
    callers,
    (known) => known.withApp(clientId),
    () => new AppError('CALLER_NOT_DECLARED', { detail: `No caller has the application ${clientId}.` }),
  );
};
