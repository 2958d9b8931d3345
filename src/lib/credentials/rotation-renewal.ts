import { MADE_BY, MADE_BY_TAG } from '../connections/rotation-horizon.ts';
import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import { AppError } from '../errors.ts';
import type { OpenConnection, Ports, RenewalAttempt, SecretFacts, Vault } from '../ports.ts';
import { KEY_ID_TAG } from './rotation-plan.ts';

const DAY_MS = 86_400_000;
const SECOND_MS = 1000;

/** Until Entra knows a new secret: 4 to 18 seconds were seen, rarely more than a minute. */
const PROOF_WAITS_MS = [2, 3, 5, 5, 5, 10, 10, 20].map((seconds) => seconds * SECOND_MS);
/** A process that was halted for longer must not store: the next run may have removed the secret. */
const STORE_WITHIN_MS = 10 * 60_000;

/** What Graph says when it certainly made nothing. */
const NOTHING_MADE: ReadonlySet<ErrorCode> = new Set([
  'REGISTRATION_ACCESS_DENIED',
  'REGISTRATION_NOT_FOUND',
  'CLIENT_SECRETS_NOT_ALLOWED',
  'CLIENT_SECRET_LIFETIME_LIMITED',
  'CLIENT_SECRETS_TOO_MANY',
  'REGISTRATION_CHANGE_REFUSED',
  'GRAPH_TOKEN_NOT_ACCEPTED',
  'GRAPH_THROTTLED',
]);

export const hasMadeNothing = (thrown: unknown): boolean =>
  thrown instanceof AppError && NOTHING_MADE.has(thrown.code);

type Made = Awaited<ReturnType<OpenConnection['registration']['addPassword']>>;

/** Makes a client secret that is valid for the first of these days that the tenant allows. */
export const addWithin = async (
  registration: Pick<OpenConnection['registration'], 'addPassword'>,
  displayName: string,
  [days = 0, ...shorter]: readonly number[],
  now: Date,
): Promise<Made> => {
  try {
    return await registration.addPassword(displayName, new Date(now.getTime() + days * DAY_MS));
  } catch (thrown) {
    const isTooLong = thrown instanceof AppError && thrown.code === 'CLIENT_SECRET_LIFETIME_LIMITED';
    if (!isTooLong || shorter.length === 0) throw thrown;
    return addWithin(registration, displayName, shorter, now);
  }
};

const NOT_YET: ReadonlySet<ErrorCode> = new Set(['CLIENT_SECRET_WRONG', 'CLIENT_SECRET_TOO_NEW']);

/** Asks Entra for a token with a new secret until it gives one. Throws CLIENT_SECRET_TOO_NEW where it does not in time. */
export const proveUntilKnown = async (
  { proveSecret }: Pick<OpenConnection, 'proveSecret'>,
  value: string,
  { sleep }: Pick<Ports['clock'], 'sleep'>,
): Promise<void> => {
  for (const waitMs of [...PROOF_WAITS_MS, undefined]) {
    try {
      return await proveSecret(value);
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      const isNew = NOT_YET.has(thrown.code);
      if (!isNew && catalogue[thrown.code].fixedBy !== 'time') throw thrown;
      if (waitMs === undefined)
        throw isNew ? new AppError('CLIENT_SECRET_TOO_NEW', { ...thrown.facts, cause: thrown }) : thrown;
    }
    await sleep(waitMs);
  }
};

/** Stores a proved secret as the newest version. */
export const storeProved = async (
  { storeSecret }: Pick<Vault, 'storeSecret'>,
  name: string,
  { keyId, value, expiresOn }: Made,
  { startedAt }: RenewalAttempt,
  now: Date,
): Promise<SecretFacts> => {
  if (now.getTime() - new Date(startedAt).getTime() > STORE_WITHIN_MS)
    throw new AppError('CLIENT_SECRET_TOO_NEW');
  try {
    return await storeSecret(name, {
      value,
      expiresOn,
      tags: { [KEY_ID_TAG]: keyId, [MADE_BY_TAG]: MADE_BY },
    });
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'VAULT_ACCESS_DENIED')
      throw new AppError('VAULT_WRITE_DENIED', { cause: thrown });
    throw thrown;
  }
};
