import { MADE_BY, MADE_BY_TAG } from '../connections/rotation-horizon.ts';
import type {
  MadeSecret,
  RegisteredCredential,
  RenewalAttempt,
  RotationState,
  SecretFacts,
} from '../ports.ts';

const DAY_MS = 86_400_000;

/** How long a replaced secret stays at Entra: every instance reads the new one within minutes, and people notice within days. */
export const OVERLAP_DAYS = 7;
/** With less than this left, a secret of the relay is renewed whatever its age. */
const SPARE_DAYS = 7;
/** The longest life that the Entra admin center offers for a secret: 24 months. */
const MAX_LIFETIME_DAYS = 730;
/**
 * After this time no process can still be at an attempt (functionTimeout in host.json: 5 minutes), and Graph shows what was
 * added, which it does some seconds late.
 */
const ATTEMPT_MS = 30 * 60_000;
/** Beside the tag that says who made a version, the one that says which credential of the registration it is. */
export const KEY_ID_TAG = 'entra-key-id';

/** Everything that is known when the next step is decided. */
export type RotationFacts = {
  readonly state: RotationState;
  /** What the registration has. */
  readonly registered: readonly RegisteredCredential[];
  /** All versions of the secret in the vault, newest first. */
  readonly versions: readonly SecretFacts[];
  /** The version that Entra accepts now. */
  readonly inUse: SecretFacts;
  readonly rotationDays: number;
  readonly now: Date;
};

export type RotationStep =
  /** An attempt may still be in progress. */
  | { readonly kind: 'wait' }
  /** The secret of an attempt is in the vault, and only the state does not say so. */
  | { readonly kind: 'adopt'; readonly made: MadeSecret }
  /** An attempt has ended, nobody knows where. */
  | { readonly kind: 'abandon'; readonly attempt: RenewalAttempt }
  /** `lost`: nobody has its value. `replaced`: a newer one of the relay has been in use long enough. */
  | { readonly kind: 'remove'; readonly keyId: string; readonly why: 'lost' | 'replaced' }
  /** Entra no longer has them. */
  | { readonly kind: 'forget'; readonly keyIds: readonly string[] }
  /** Make a new one, valid for the first of these days that the tenant allows. */
  | { readonly kind: 'renew'; readonly lifetimes: readonly number[] }
  /** Others' secrets that the relay never removes. */
  | { readonly kind: 'report'; readonly keyIds: readonly string[] }
  | { readonly kind: 'done' };

/** Decides the one next step. After each step it is asked again; where it says `done` or `wait`, nothing is left to do now. */
export const planRotation = (facts: RotationFacts): RotationStep =>
  afterAttempt(facts) ??
  settleAbandoned(facts) ??
  forgetGone(facts) ??
  removeReplaced(facts) ??
  renewIfDue(facts) ??
  reportOthers(facts) ?? { kind: 'done' };

const ageMs = (since: string, now: Date): number => now.getTime() - new Date(since).getTime();

/** The version of a secret that the relay made. */
const versionOf = (versions: readonly SecretFacts[], keyId: string): SecretFacts | undefined =>
  versions.find(({ tags }) => tags[MADE_BY_TAG] === MADE_BY && tags[KEY_ID_TAG] === keyId);

const secretsOf = (registered: readonly RegisteredCredential[]): readonly RegisteredCredential[] =>
  registered.filter(({ kind }) => kind === 'secret');

const afterAttempt = ({ state: { attempt }, now }: RotationFacts): RotationStep | undefined => {
  if (attempt === undefined) return undefined;
  return ageMs(attempt.startedAt, now) < ATTEMPT_MS ? { kind: 'wait' } : { kind: 'abandon', attempt };
};

/** Of an attempt that ended early: its secret is in the vault, or nobody has its value. */
const settleAbandoned = ({ state, registered, versions }: RotationFacts): RotationStep | undefined => {
  for (const { displayName, keyId: known, startedAt } of state.abandoned) {
    const left = secretsOf(registered).find(
      (one) => one.displayName === displayName && one.keyId === (known ?? one.keyId),
    );
    if (left === undefined) continue;
    const { keyId } = left;
    const stored = versionOf(versions, keyId);
    if (stored === undefined) return { kind: 'remove', keyId, why: 'lost' };
    const storedAt = stored.createdOn?.toISOString() ?? startedAt;
    return { kind: 'adopt', made: { keyId, displayName, version: stored.version, storedAt } };
  }
  return undefined;
};

/** Graph shows a new secret some seconds late. */
const isRegistered = ({ registered, now }: RotationFacts, { keyId, storedAt }: MadeSecret): boolean =>
  ageMs(storedAt, now) < ATTEMPT_MS || registered.some((one) => one.keyId === keyId);

const forgetGone = (facts: RotationFacts): RotationStep | undefined => {
  const gone = facts.state.made.filter((one) => !isRegistered(facts, one));
  return gone.length === 0 ? undefined : { kind: 'forget', keyIds: gone.map(({ keyId }) => keyId) };
};

/** The secret of the relay that Entra accepts from the vault, once it has been there for the overlap. */
const establishedIn = ({ state, inUse, now }: RotationFacts): MadeSecret | undefined => {
  const own = state.made.find(
    ({ keyId, version }) =>
      version === inUse.version && inUse.tags[MADE_BY_TAG] === MADE_BY && inUse.tags[KEY_ID_TAG] === keyId,
  );
  return own !== undefined && ageMs(own.storedAt, now) >= OVERLAP_DAYS * DAY_MS ? own : undefined;
};

/** Only what the state, the name at Entra and the tag in the vault all say that the relay made. */
const removeReplaced = (facts: RotationFacts): RotationStep | undefined => {
  const established = establishedIn(facts);
  if (established === undefined) return undefined;
  const replaced = facts.state.made.find(
    (one) =>
      one.keyId !== established.keyId &&
      one.storedAt < established.storedAt &&
      versionOf(facts.versions, one.keyId)?.version === one.version &&
      secretsOf(facts.registered).some(
        ({ keyId, displayName }) => keyId === one.keyId && displayName === one.displayName,
      ),
  );
  return replaced === undefined ? undefined : { kind: 'remove', keyId: replaced.keyId, why: 'replaced' };
};

const isUsable = ({ enabled, notBefore, expiresOn }: SecretFacts, now: Date): boolean =>
  enabled && (notBefore ?? now) <= now && (expiresOn === undefined || expiresOn > now);

const renewIfDue = (facts: RotationFacts): RotationStep | undefined => {
  const { state, versions, inUse, rotationDays, now } = facts;
  const isOwn = ({ version }: SecretFacts) =>
    state.made.some((one) => one.version === version && isRegistered(facts, one));
  const newest = versions.find((one) => isUsable(one, now));
  // A secret that the relay has just stored is not renewed because Entra still accepts the one before.
  const judged = newest !== undefined && isOwn(newest) ? newest : inUse;
  const { createdOn, expiresOn } = judged;
  const isOld = createdOn !== undefined && now.getTime() - createdOn.getTime() >= rotationDays * DAY_MS;
  const leftDays = isOwn(judged) ? SPARE_DAYS : rotationDays;
  const isEnding = expiresOn !== undefined && expiresOn.getTime() - now.getTime() <= leftDays * DAY_MS;
  return isOld || isEnding ? { kind: 'renew', lifetimes: lifetimesFor(rotationDays) } : undefined;
};

/** Twice the time of use; where the tenant allows less, the shortest with which a late renewal is in time. */
const lifetimesFor = (rotationDays: number): readonly number[] => [
  ...new Set([Math.min(2 * rotationDays, MAX_LIFETIME_DAYS), rotationDays + OVERLAP_DAYS + SPARE_DAYS]),
];

const reportOthers = (facts: RotationFacts): RotationStep | undefined => {
  const { state, registered, now } = facts;
  if (establishedIn(facts) === undefined) return undefined;
  const known = new Set([...state.reported, ...state.made.map(({ keyId }) => keyId)]);
  const others = secretsOf(registered).filter(
    ({ keyId, expiresOn }) => !known.has(keyId) && (expiresOn === undefined || expiresOn > now),
  );
  return others.length === 0 ? undefined : { kind: 'report', keyIds: others.map(({ keyId }) => keyId) };
};
