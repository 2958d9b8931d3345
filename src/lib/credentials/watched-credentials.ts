import { vaultNameOf } from '../connections/connection.ts';
import { rotationHorizonDays } from '../connections/rotation-horizon.ts';
import { defined } from '../defined.ts';
import type { ErrorCode } from '../error-catalogue.ts';
import type { UpstreamFacts } from '../errors.ts';
import type { RegisteredCredential, SecretFacts } from '../ports.ts';
import type { ConnectionUse } from './connection-users.ts';
import { KEY_ID_TAG } from './rotation-plan.ts';

/** What became of the attempt to get a token with the credential of a connection. */
export type ProofResult =
  | { readonly kind: 'accepted'; readonly version?: SecretFacts }
  | ({ readonly kind: 'refused'; readonly code: ErrorCode } & UpstreamFacts)
  /** Nobody can say: Entra or the vault did not answer. Without a code, for a reason that nobody foresaw. */
  | ({ readonly kind: 'unproven'; readonly code?: ErrorCode } & UpstreamFacts);

export type CheckedConnection = {
  readonly use: ConnectionUse;
  readonly proof: ProofResult;
  /** What Entra has of the registration; undefined where the relay may not read it. */
  readonly registered?: readonly RegisteredCredential[];
};

/** A version of a secret or certificate that people are warned of. */
export type WatchedCredential = {
  readonly name: string;
  readonly kind: SecretFacts['kind'];
  /** Empty where the vault gives a list, which names no versions. */
  readonly version: string;
  readonly createdOn?: Date;
  readonly vaultDate?: Date;
  /** As the registration in Entra has it. */
  readonly entraDate?: Date;
  /** Connections that use it now, or would, if Entra accepted it. */
  readonly uses: readonly ConnectionUse[];
  /** With more days left than this, the relay renews it in time by itself. */
  readonly quietAboveDays?: number;
  /** The person responsible, as the tag `owner` in the vault says. */
  readonly owner?: string;
};

const DAY_MS = 86_400_000;
/** A new secret is stored soon after it was made; clocks may differ by this much. */
const CLOCKS_MS = 5 * 60_000;

const OWNER_TAG = 'owner';

/** Whether two say the same version. A list of the vault names the current one by nothing but when it was made. */
const isSame = (one: SecretFacts, other: SecretFacts): boolean =>
  one.kind === other.kind &&
  one.name.toLowerCase() === other.name.toLowerCase() &&
  (one.version === '' || other.version === ''
    ? one.createdOn?.getTime() === other.createdOn?.getTime()
    : one.version === other.version);

const only = <Item>(items: readonly Item[]): Item | undefined => (items.length === 1 ? items[0] : undefined);

/**
 * The credential in Entra that a version in the vault is. Its id says so. Without it, Entra has just accepted the version, so it is
 * one of those that are valid: the only one, else the only one with its dates.
 */
export const matchRegistered = (
  version: SecretFacts,
  registered: readonly RegisteredCredential[],
  now: Date,
): RegisteredCredential | undefined => {
  const ofKind = registered.filter(({ kind }) => kind === version.kind);
  const keyId = version.tags[KEY_ID_TAG]?.toLowerCase();
  const named = ofKind.find((one) => one.keyId.toLowerCase() === keyId);
  if (named !== undefined) return named;
  const valid = ofKind.filter(({ expiresOn }) => expiresOn === undefined || expiresOn > now);
  const { expiresOn, createdOn } = version;
  return (
    only(valid) ??
    only(valid.filter((one) => expiresOn !== undefined && isNear(one.expiresOn, expiresOn, DAY_MS))) ??
    only(valid.filter((one) => createdOn !== undefined && wasMadeFor(one, createdOn)))
  );
};

const isNear = (one: Date | undefined, other: Date, withinMs: number): boolean =>
  one !== undefined && Math.abs(one.getTime() - other.getTime()) < withinMs;

const wasMadeFor = ({ startsOn }: RegisteredCredential, storedOn: Date): boolean => {
  const age = startsOn === undefined ? Number.NaN : storedOn.getTime() - startsOn.getTime();
  return age > -CLOCKS_MS && age < DAY_MS;
};

const earliest = (dates: readonly (Date | undefined)[]): Date | undefined =>
  dates.filter((date) => date !== undefined).toSorted((one, other) => Number(one) - Number(other))[0];

type Use = {
  readonly version: SecretFacts;
  readonly use: ConnectionUse;
  readonly entraDate: Date | undefined;
};

/** The version that a connection uses. Where it could not be proved, the one that the vault gives when none is named. */
const usedBy = (
  { use, proof, registered = [] }: CheckedConnection,
  listed: readonly SecretFacts[],
  now: Date,
): readonly Use[] => {
  if (proof.kind === 'accepted') {
    const { version } = proof;
    if (version === undefined) return [];
    return [{ version, use, entraDate: matchRegistered(version, registered, now)?.expiresOn }];
  }
  const name = vaultNameOf(use.connection.credential)?.toLowerCase();
  const version = listed.find((one) => one.name.toLowerCase() === name);
  return version === undefined ? [] : [{ version, use, entraDate: undefined }];
};

/** Everything in the vault that is enabled, and every version that a connection uses. */
export const watchCredentials = (
  secrets: readonly SecretFacts[],
  connections: readonly CheckedConnection[],
  now: Date,
  rotationDays?: number,
): readonly WatchedCredential[] => {
  const certificates = new Set(secrets.filter(({ kind }) => kind === 'certificate').map(({ name }) => name));
  // A certificate has a secret of the same name and version (Key Vault: composition of a certificate).
  const listed = secrets.filter(
    ({ kind, name, enabled }) => enabled && (kind === 'certificate' || !certificates.has(name)),
  );
  const uses = connections.flatMap((one) => usedBy(one, listed, now));
  const versions: SecretFacts[] = [];
  // What a connection uses first: it is known with its version.
  for (const one of [...uses.map(({ version }) => version), ...listed])
    if (!versions.some((known) => isSame(known, one))) versions.push(one);
  return versions.map((version) => {
    const own = uses.filter((one) => isSame(one.version, version));
    return {
      name: version.name,
      kind: version.kind,
      version: version.version,
      uses: own.map(({ use }) => use),
      ...defined({
        createdOn: version.createdOn,
        vaultDate: version.expiresOn,
        quietAboveDays: rotationHorizonDays(version, rotationDays),
        entraDate: earliest(own.map(({ entraDate }) => entraDate)),
        owner: version.tags[OWNER_TAG],
      }),
    };
  });
};

/** When it ends: what comes first of what the vault and Entra say. */
export const expiryOf = ({ vaultDate, entraDate }: WatchedCredential): Date | undefined =>
  earliest([vaultDate, entraDate]);

/** Whether the vault warns too early or too late of what ends in Entra on another day. */
export const datesDiffer = ({ vaultDate, entraDate }: WatchedCredential): boolean =>
  vaultDate !== undefined && entraDate !== undefined && !isNear(vaultDate, entraDate, DAY_MS);
