import type { CredentialKind } from '../connections/connection.ts';
import { vaultNameOf } from '../connections/connection.ts';
import { defined } from '../defined.ts';
import type { ErrorCode } from '../error-catalogue.ts';
import { type UpstreamFacts, upstreamFacts } from '../errors.ts';
import { isAddress } from '../mail/address.ts';
import type { ConnectionUse } from './connection-users.ts';
import { type OwnerFault, readOwnerTag } from './owner-tag.ts';
import {
  type CheckedConnection,
  datesDiffer,
  expiryOf,
  type WatchedCredential,
} from './watched-credentials.ts';

type About = {
  /** By which the state knows it. */
  readonly key: string;
  /** Of another mark it is another warning. */
  readonly mark: string;
  /** Name in the vault; of a credential that is not there, the connection. */
  readonly name: string;
  readonly kind: 'secret' | 'certificate' | 'managed-identity' | 'federated';
  readonly uses: readonly ConnectionUse[];
  /** Who is told beside those who are told of everything. */
  readonly owners: readonly string[];
  readonly ownerFault?: OwnerFault;
};

/** Something about a credential that people should know. */
export type CredentialWarning =
  | (About & {
      readonly state: 'expiring' | 'expired';
      readonly expiresOn: Date;
      /** Whole days, rounded up; zero or less once expired. */
      readonly daysLeft: number;
      readonly quietAboveDays?: number;
    })
  | (About & { readonly state: 'no-expiry-date'; readonly version: string; readonly entraDate?: Date })
  | (About & {
      readonly state: 'dates-differ';
      readonly version: string;
      readonly vaultDate: Date;
      readonly entraDate: Date;
    })
  /** No token can be had with it. */
  | (About & { readonly state: 'refused'; readonly code: ErrorCode } & UpstreamFacts);

const DAY_MS = 86_400_000;

/** Whole days until then, rounded up, so that there is always at least as little time as this says. */
export const daysUntil = (date: Date, now: Date): number =>
  // Without the sign that zero can have.
  Math.ceil((date.getTime() - now.getTime()) / DAY_MS) + 0;

const ownersOf = (uses: readonly ConnectionUse[], tagged?: string): readonly string[] =>
  [...uses.map(({ connection }) => connection.owner), tagged].filter(
    (one): one is string => one !== undefined && isAddress(one),
  );

/** What could be said of a credential, whether it is time to say it or not. */
const warningsOf = (
  credential: WatchedCredential,
  now: Date,
  domains: ReadonlySet<string>,
): readonly CredentialWarning[] => {
  const { name, kind, version, uses, createdOn, vaultDate, entraDate, owner } = credential;
  // Of another version with the same date there is nothing else to say.
  const key = `${kind}!${name.toLowerCase()}`;
  const tagged = readOwnerTag(owner, domains);
  const about = {
    name,
    kind,
    uses,
    owners: ownersOf(uses, tagged.address),
    ...defined({ ownerFault: tagged.fault }),
  };
  const expiresOn = expiryOf(credential);
  const found: CredentialWarning[] = [];
  if (expiresOn !== undefined)
    found.push({
      ...about,
      key: `expiry!${key}!${expiresOn.toISOString()}`,
      mark: expiresOn.toISOString(),
      state: expiresOn > now ? 'expiring' : 'expired',
      expiresOn,
      daysLeft: daysUntil(expiresOn, now),
      ...defined({ quietAboveDays: credential.quietAboveDays }),
    });
  if (vaultDate === undefined)
    found.push({
      ...about,
      key: `no-date!${key}`,
      // Of each version once; whether Entra's date could be read at that moment makes no other warning of it.
      mark: createdOn?.toISOString() ?? version,
      state: 'no-expiry-date',
      version,
      ...(entraDate === undefined ? {} : { entraDate }),
    });
  if (vaultDate !== undefined && entraDate !== undefined && datesDiffer(credential))
    found.push({
      ...about,
      key: `dates!${key}`,
      mark: `${vaultDate.toISOString()} ${entraDate.toISOString()}`,
      state: 'dates-differ',
      version,
      vaultDate,
      entraDate,
    });
  return found;
};

const VAULT_KINDS: Readonly<Record<CredentialKind, About['kind']>> = {
  'client-secret': 'secret',
  certificate: 'certificate',
  'managed-identity': 'managed-identity',
  federated: 'federated',
};

const refusalOf = ({ use, proof }: CheckedConnection): readonly CredentialWarning[] => {
  if (proof.kind !== 'refused') return [];
  const { name, credential } = use.connection;
  return [
    {
      // Of each reason once a day, however often they alternate.
      key: `refused!${name}!${proof.code}`,
      mark: proof.code,
      state: 'refused',
      name: vaultNameOf(credential) ?? name,
      kind: VAULT_KINDS[credential.kind],
      uses: [use],
      owners: ownersOf([use]),
      code: proof.code,
      ...upstreamFacts(proof),
    },
  ];
};

const URGENCY = ['refused', 'expired', 'expiring', 'dates-differ', 'no-expiry-date'] as const;

const daysOf = (warning: CredentialWarning): number => ('daysLeft' in warning ? warning.daysLeft : 0);

/** What is urgent first, and of that what the relay itself needs. */
const byUrgency = (one: CredentialWarning, other: CredentialWarning): number =>
  URGENCY.indexOf(one.state) - URGENCY.indexOf(other.state) ||
  Number(one.uses.length === 0) - Number(other.uses.length === 0) ||
  daysOf(one) - daysOf(other) ||
  (one.key < other.key ? -1 : 1);

/** Everything that could be said of these credentials, what is urgent first, and nothing twice. */
export const findWarnings = (
  credentials: readonly WatchedCredential[],
  connections: readonly CheckedConnection[],
  { now, domains }: { readonly now: Date; readonly domains: ReadonlySet<string> },
): readonly CredentialWarning[] => {
  const found = [
    ...connections.flatMap((one) => refusalOf(one)),
    ...credentials.flatMap((one) => warningsOf(one, now, domains)),
  ].toSorted(byUrgency);
  return found.filter(({ key }, index) => found.findIndex((one) => one.key === key) === index);
};
