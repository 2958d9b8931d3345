import type { KnownCallers } from '../callers/known-callers.ts';
import { defined } from '../defined.ts';
import { catalogue } from '../error-catalogue.ts';
import { AppError, upstreamFacts } from '../errors.ts';
import { unexpected } from '../log.ts';
import type { SenderPolicy } from '../mail/sender-policy.ts';
import type {
  OpenConnection,
  Ports,
  RegisteredCredential,
  UnprovenConnection,
  WarningRun,
} from '../ports.ts';
import { isAhead } from './clock-ahead.ts';
import { usersOf } from './connection-users.ts';
import type { CheckedConnection, ProofResult } from './watched-credentials.ts';

/** Without a registration, nothing is compared with what Entra has. */
type Checkable = Pick<OpenConnection, 'connection' | 'proveCredential'> &
  Partial<Pick<OpenConnection, 'registration'>>;

export type CheckConnectionsNeeds = Pick<Ports, 'callers' | 'log'> & {
  readonly connections: readonly Checkable[];
  /** Absent where the settings say none that can be read. */
  readonly senderPolicy?: SenderPolicy;
};

/**
 * Whether a token can be had. What only time can change is no refusal: the daily run would otherwise warn of each short outage of
 * Entra. If it lasts, `refuseWhatLasts` makes it one.
 */
const prove = async ({ log }: CheckConnectionsNeeds, open: Checkable): Promise<ProofResult> => {
  try {
    const { version } = await open.proveCredential();
    return { kind: 'accepted', ...defined({ version }) };
  } catch (failure) {
    if (!(failure instanceof AppError)) {
      log(unexpected(failure));
      return { kind: 'unproven' };
    }
    const { code, facts } = failure;
    const reason = { code, ...upstreamFacts(facts) };
    return catalogue[code].fixedBy === 'time'
      ? { kind: 'unproven', ...reason }
      : { kind: 'refused', ...reason };
  }
};

/** What Entra has of the registration. To compare is an extra: a failure of it is no reason to warn of less. */
const readRegistered = async (
  { log }: CheckConnectionsNeeds,
  { registration }: Checkable,
): Promise<readonly RegisteredCredential[] | undefined> => {
  try {
    return await registration?.read();
  } catch (failure) {
    if (!(failure instanceof AppError)) log(unexpected(failure));
    return undefined;
  }
};

/** Who they are is an extra: the warning matters also where nobody can say whom it concerns. */
const knownCallers = async ({
  callers,
  log,
}: CheckConnectionsNeeds): Promise<Pick<KnownCallers, 'declared'>> => {
  try {
    return await callers.known();
  } catch (failure) {
    if (!(failure instanceof AppError)) log(unexpected(failure));
    return { declared: [] };
  }
};

/** Tries every connection. One that is broken keeps no other from being looked at. */
export const checkConnections = async (
  needs: CheckConnectionsNeeds,
): Promise<readonly CheckedConnection[]> => {
  const [main, ...others] = needs.connections.map(({ connection }) => connection);
  if (main === undefined) return [];
  const uses = usersOf([main, ...others], needs.senderPolicy, await knownCallers(needs));
  return Promise.all(
    needs.connections.map(async (open, index): Promise<CheckedConnection> => {
      const proof = await prove(needs, open);
      const isInVault = proof.kind === 'accepted' && proof.version !== undefined;
      const registered = isInVault ? await readRegistered(needs, open) : undefined;
      const use = uses[index] ?? { connection: open.connection, senders: [], callers: [] };
      return { use, proof, ...defined({ registered }) };
    }),
  );
};

/** Longer than an outage of Entra or the vault; less than the time between two daily runs. */
const LASTS_MS = 12 * 3_600_000;

/** The connections that cannot be proved now, each with the time since when, as the last run knew it. */
export const unprovenSince = (
  connections: readonly CheckedConnection[],
  lastRun: WarningRun | undefined,
  now: Date,
): readonly UnprovenConnection[] =>
  connections
    .filter(({ proof }) => proof.kind === 'unproven')
    .map(({ use: { connection } }) => {
      const known = lastRun?.unproven.find((one) => one.connection === connection.name)?.since;
      return { connection: connection.name, since: known === undefined || isAhead(known, now) ? now : known };
    });

/** What nobody could prove for half a day, however often it was tried, is a refusal too, also where nobody foresaw the reason. */
export const refuseWhatLasts = (
  connections: readonly CheckedConnection[],
  unproven: readonly UnprovenConnection[],
  now: Date,
): readonly CheckedConnection[] =>
  connections.map((one) => {
    const { proof, use } = one;
    const since = unproven.find(({ connection }) => connection === use.connection.name)?.since ?? now;
    if (proof.kind !== 'unproven' || now.getTime() - since.getTime() < LASTS_MS) return one;
    return { ...one, proof: { ...proof, kind: 'refused', code: proof.code ?? 'UNEXPECTED' } };
  });
