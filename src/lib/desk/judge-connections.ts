import { type Connection, vaultNameOf } from '../connections/connection.ts';
import { isMadeByRelay, rotationHorizonDays } from '../connections/rotation-horizon.ts';
import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import type { PassedOver, SecretFacts } from '../ports.ts';
import type { ConnectionFacts, DoctorFacts } from './doctor-facts.ts';
import { type Finding, failed, failedFor, judged, ok, silent, unknown, warning, wordsOf } from './finding.ts';

const DAY_MS = 86_400_000;
/** Entra and Graph allow five minutes in the times of assertions and tokens. */
const SKEW_FAILS_MS = 5 * 60_000;
const SKEW_WARNS_MS = 60_000;

/** Whether each connection gets a token, with which credential, and what the token allows. */
export const judgeConnections = (facts: DoctorFacts): readonly Finding[] => [
  ...(facts.connections.length === 0
    ? [unknown({ check: 'token' }, 'No connection can be opened while its settings are invalid.')]
    : []),
  ...facts.connections.flatMap((one) => judgeConnection(one, facts)),
  ...vault(facts),
  ...clock(facts),
];

const judgeConnection = ({ connection, proof }: ConnectionFacts, facts: DoctorFacts): readonly Finding[] => {
  const check = { check: 'token', subject: connection.name };
  if (proof.kind !== 'seen')
    return [
      proof.kind === 'late'
        ? silent(check, whoIsSilent(connection, facts))
        : failedFor(check, proof.reason, undefined, proof.upstream),
    ];
  const { version, roles, passedOver } = proof.value;
  return [
    ok(check, `Entra issues a token for ${connection.credential.kind}${named(version)}.`),
    credential({ connection, proof }, version, facts),
    ...(passedOver ?? []).map(newestRefused(connection.name)),
    ...judgeRoles(connection.name, roles),
  ];
};

/** The vault is asked first, and another question to it is open at the same time. */
const whoIsSilent = ({ credential }: Connection, { vault: list }: DoctorFacts): ErrorCode =>
  vaultNameOf(credential) !== undefined && list?.kind === 'late' ? 'VAULT_UNREACHABLE' : 'ENTRA_UNREACHABLE';

const named = (version: SecretFacts | undefined): string =>
  version === undefined ? '' : ` ${version.name}, version ${version.version.slice(0, 8)}`;

/** Sending works, until the older version ends or is removed. */
const newestRefused =
  (subject: string) =>
  ({ version, code }: PassedOver): Finding => ({
    ...(code === 'CLIENT_SECRET_TOO_NEW' ? unknown : warning)(
      { check: 'newest-credential', subject },
      `Version ${version.slice(0, 8)} in the vault is newer than the one in use, and cannot be used: ${wordsOf({ code })}`,
      catalogue[code].remedy,
    ),
    code,
  });

const credential = (
  { connection }: ConnectionFacts,
  version: SecretFacts | undefined,
  { now, settings }: DoctorFacts,
): Finding => {
  const check = { check: 'credential', subject: connection.name };
  if (version === undefined)
    return vaultNameOf(connection.credential) === undefined
      ? ok(check, 'A managed identity has no secret that could expire.')
      : unknown(check, 'The version in use is not known.');
  const { expiresOn, name } = version;
  if (expiresOn === undefined)
    return warning(
      check,
      `${name} has no expiry date in the vault, so the relay cannot warn before it expires.`,
      `Record the date: az keyvault secret set-attributes --vault-name <vault> --name ${name} --expires <date>`,
    );
  const days = Math.floor((expiresOn.getTime() - now.getTime()) / DAY_MS);
  const date = expiresOn.toISOString().slice(0, 10);
  const renew =
    version.kind === 'certificate'
      ? 'Renew it before then: docs/credentials.md has the commands.'
      : 'Renew it before then: infra/deploy.sh --resource-group <group> --renew-secret credential';
  if (days < 0)
    return warning(
      check,
      `Entra still accepts ${name}, but its date in the vault is past (${date}).`,
      renew.replace(' before then', ''),
    );
  const seen = `${name} expires in ${days === 1 ? '1 day' : `${days} days`} (${date}).`;
  const { warningDays = 0, rotationDays } = settings;
  if (days > Math.min(warningDays, rotationHorizonDays(version, rotationDays))) return ok(check, seen);
  return warning(
    check,
    rotationDays === undefined || !isMadeByRelay(version)
      ? seen
      : `${seen} SECRET_ROTATION_DAYS is set, so the relay should have renewed it.`,
    renew,
  );
};

/** In a token, each of them is for every mailbox of the tenant. */
const FOR_ALL_MAILBOXES = /^Mail\.(?:Send|Read|ReadWrite|ReadBasic(?:\.All)?)$/;

const judgeRoles = (subject: string, roles: readonly string[]): readonly Finding[] => {
  const check = { check: 'roles', subject };
  const tooWide = roles.filter((role) => FOR_ALL_MAILBOXES.test(role));
  if (tooWide.length > 0)
    return [
      warning(
        check,
        `The token has ${tooWide.join(', ')} for every mailbox of the tenant.`,
        'Limit the relay to its sender mailboxes in Exchange Online: infra/scripts/limit-mailboxes.ps1. Then remove the admin consent, which otherwise still counts.',
      ),
    ];
  return [
    ok(
      check,
      `The token has ${roles.length === 0 ? 'no role' : `only ${roles.join(', ')}`}, so Exchange decides for each mailbox.`,
    ),
  ];
};

const vault = ({ vault: seen, connections }: DoctorFacts): readonly Finding[] => {
  if (seen === undefined) return [];
  const check = { check: 'vault' };
  const readsCredential = connections.some(
    ({ proof }) => proof.kind === 'seen' && proof.value.version !== undefined,
  );
  if (seen.kind === 'failed' && seen.reason.code === 'VAULT_ACCESS_DENIED' && readsCredential)
    return [
      warning(
        check,
        `The relay reads its credential, but cannot list the vault: ${wordsOf(seen.reason)} So it cannot warn of what expires.`,
        'Assign the role Key Vault Secrets User on the whole vault to the managed identity of the app.',
      ),
    ];
  if (seen.kind === 'late') return [silent(check, 'VAULT_UNREACHABLE')];
  if (seen.kind === 'failed' && isDeniedToken(connections))
    return [failed(check, 'The relay cannot list the vault either.', 'The same as for the token, above.')];
  return [
    judged(check, seen, (count) =>
      ok(
        check,
        `The vault responds and lists ${count === 1 ? '1 secret or certificate' : `${count} secrets and certificates`}.`,
      ),
    ),
  ];
};

/** The client of the vault says more of why it reads no secret than of why it lists none. */
const isDeniedToken = (connections: DoctorFacts['connections']): boolean =>
  connections.some(({ proof }) => proof.kind === 'failed' && /^(?:VAULT|IDENTITY)_/.test(proof.reason.code));

const clock = ({ skewMs }: DoctorFacts): readonly Finding[] => {
  if (skewMs === undefined) return [];
  const check = { check: 'clock' };
  if (skewMs.kind === 'failed') return [unknown(check, 'Cannot be checked without Entra.')];
  const remedy =
    'Set the clock of the machine by a time server. In Azure, restart the app; if the difference stays, open a support request.';
  return [
    judged(check, skewMs, (ms) => {
      const seconds = Math.round(Math.abs(ms) / 1000);
      const words = `The clock is ${seconds} s ${ms > 0 ? 'behind' : 'ahead of'} that of Entra.`;
      if (Math.abs(ms) >= SKEW_FAILS_MS)
        return failed(check, `${words} Entra and Graph accept at most 300 s.`, remedy);
      return Math.abs(ms) >= SKEW_WARNS_MS
        ? warning(check, words, remedy)
        : ok(check, 'The clock agrees with that of Entra.');
    }),
  ];
};
