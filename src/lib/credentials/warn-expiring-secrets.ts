import { dayOf } from '../callers/quota.ts';
import { connectionOf } from '../connections/connection.ts';
import { AppError } from '../errors.ts';
import type { Ledger, MessageQueue, Ports, SecretFacts, ToldWarning, Vault, WarningRun } from '../ports.ts';
import {
  type CheckConnectionsNeeds,
  checkConnections,
  refuseWhatLasts,
  unprovenSince,
} from './check-connections.ts';
import { CLAIM_MS, type ClaimedRun, type ClaimNeeds, claimRun } from './claim-run.ts';
import { type CredentialWarning, findWarnings } from './credential-warning.ts';
import { knownDomains } from './owner-tag.ts';
import { settleWarnings } from './settle-warnings.ts';
import { catchUp, isMissedBy, type TellNeeds, tellWarnings, untold } from './tell-warnings.ts';
import { checkAgain, type VaultEvent } from './vault-event.ts';
import { holds, isDue } from './warning-crossing.ts';
import { warningFacts } from './warning-facts.ts';
import { type CheckedConnection, watchCredentials } from './watched-credentials.ts';

export type WarnExpiringSecretsNeeds = Omit<TellNeeds, 'isMailSure'> &
  CheckConnectionsNeeds &
  ClaimNeeds &
  Pick<Ports, 'warnings'> & {
    readonly ledger: Pick<Ledger, 'find'>;
    /** Absent where the settings name no vault: then no credential is in one. */
    readonly vault?: Pick<Vault, 'listSecrets'>;
    /** The queue that brings the events of the vault. */
    readonly vaultEvents: Pick<MessageQueue, 'put'>;
    readonly warningDays: readonly number[];
    /** Of the relay's own renewal of client secrets, where it is on. */
    readonly rotationDays?: number;
    /** False while settings keep emails on the queue. */
    readonly sendsMail: boolean;
  };

/** How long the relay keeps what it said of something that it does not find any more. */
const KEPT_MS = 400 * 86_400_000;

/** What a run is for: the check of the day, or a message that was put on the queue then. */
export type Occasion = 'daily' | VaultEvent;

/**
 * Looks at every credential in the vault and of every connection, and tells people what they do not know yet. Of two runs at the same
 * time one tells it; the other leaves a message to look again, because the first may have looked before what made the other begin.
 * What keeps a run from looking at everything fails it in the end, after it has told what it could. Without its state nobody knows what
 * people were told: then the run of the day tells what is urgent, and no other one does.
 */
export const warnExpiringSecrets = async (
  needs: WarnExpiringSecretsNeeds,
  occasion: Occasion,
): Promise<void> => {
  try {
    await runUnlessRunning(needs, occasion).catch(async (failure: unknown) => {
      if (!(failure instanceof StateFailure)) throw failure;
      if (occasion === 'daily') await tellWithoutState(needs);
      throw failure.cause;
    });
  } catch (failure) {
    needs.log({ event: 'SecretsUnchecked', name: nameOf(failure) });
    throw failure;
  }
};

/** What people were told cannot be read, or not be kept. */
class StateFailure extends Error {}

const ofState = <Value>(work: Promise<Value>): Promise<Value> =>
  work.catch((cause: unknown) => {
    throw new StateFailure('The state of warnings cannot be used', { cause });
  });

const nameOf = (failure: unknown): string =>
  failure instanceof AppError ? failure.code : failure instanceof Error ? failure.name : 'Error';

const runUnlessRunning = async (needs: WarnExpiringSecretsNeeds, occasion: Occasion): Promise<void> => {
  const claimed = await ofState(claimRun(needs));
  if (claimed === undefined) {
    const since = occasion === 'daily' ? undefined : occasion.since;
    return needs.vaultEvents.put(checkAgain(since ?? needs.clock.now()), CLAIM_MS);
  }
  const { run, failure } = await checkAndTell(needs, claimed).catch(async (cause: unknown) => {
    // Should this fail too, the claim is over in ten minutes.
    await claimed.fail().catch(() => {});
    throw cause;
  });
  await claimed.end(run);
  if (failure !== undefined) throw failure;
  const { secrets, warnings, told, undelivered, unproven } = run;
  needs.log({
    event: 'SecretsChecked',
    secrets,
    warnings,
    told,
    undelivered,
    unproven: unproven.length,
  });
};

type Listed = { readonly secrets: readonly SecretFacts[]; readonly failure?: unknown };

const listVault = async ({ vault }: WarnExpiringSecretsNeeds): Promise<Listed> => {
  try {
    return { secrets: (await vault?.listSecrets()) ?? [] };
  } catch (failure) {
    return { secrets: [], failure };
  }
};

/** Everything that holds now. */
const look = async (needs: WarnExpiringSecretsNeeds, lastRun?: WarningRun) => {
  const { secrets, failure } = await listVault(needs);
  const checked = await checkConnections(needs);
  const now = needs.clock.now();
  const unproven = unprovenSince(checked, lastRun, now);
  const connections = refuseWhatLasts(checked, unproven, now);
  const watched = watchCredentials(secrets, connections, now, needs.rotationDays);
  const domains = knownDomains(needs.recipients, needs.senderPolicy, connections);
  const found = findWarnings(watched, connections, { now, domains });
  const holding = found.filter((one) => holds(one, needs.warningDays));
  const isMailSure = needs.sendsMail && !isRefused(needs, connections);
  return { now, failure, unproven, watched, holding, tell: { ...needs, isMailSure } };
};

/** Whether Entra has just rejected the connection by which the relay's own emails go. */
const isRefused = (
  { senderPolicy }: WarnExpiringSecretsNeeds,
  connections: readonly CheckedConnection[],
): boolean => {
  const [main, ...others] = connections.map(({ use }) => use.connection);
  if (main === undefined || senderPolicy === undefined) return true;
  const { name } = connectionOf([main, ...others], senderPolicy.defaultSender.address);
  return connections.some(({ use, proof }) => use.connection.name === name && proof.kind === 'refused');
};

/** What cannot wait until the state is back. */
const URGENT_DAYS = 7;

const isUrgent = (warning: CredentialWarning): boolean =>
  warning.state === 'refused' || ('daysLeft' in warning && warning.daysLeft <= URGENT_DAYS);

const tellWithoutState = async (needs: WarnExpiringSecretsNeeds): Promise<void> => {
  const { now, holding, tell } = await look(needs);
  // Of two such runs on one day, the ledger keeps the emails of one.
  await tellWarnings(tell, holding.filter(isUrgent), {
    runId: `without state ${dayOf(now)}`,
    known: new Map(),
  });
};

const checkAndTell = async (
  needs: WarnExpiringSecretsNeeds,
  { id, startedAt, lastRun }: ClaimedRun,
): Promise<{ readonly run: WarningRun; readonly failure?: unknown }> => {
  const { clock, warningDays } = needs;
  const { now, failure, unproven, watched, holding, tell } = await look(needs, lastRun);
  const known = await ofState(readKnown(needs, holding));
  const due = holding.filter((one) => isDue(one, known.get(one.key), warningDays, now));
  // Before anyone is told: what cannot be kept would be told by each run.
  for (const one of due) await ofState(needs.warnings.write(untold(tell, one, { toldOn: now, known })));
  const told = await tellWarnings(tell, due, { runId: id, known });
  for (const one of told) await needs.warnings.write(one);
  const others = holding.filter((one) => !due.includes(one));
  for (const channel of ['mail', 'webhook'] as const) {
    const missed = others.filter((one) => isMissedBy(channel, tell, known.get(one.key)));
    for (const one of await catchUp(channel, tell, missed, { runId: id, known })) {
      known.set(one.key, one);
      await needs.warnings.write(one);
    }
  }
  return {
    run: {
      startedAt,
      endedAt: clock.now(),
      secrets: watched.length,
      warnings: holding.length,
      told: told.length,
      undelivered: told.filter(({ reached }) => reached.length === 0).length,
      unproven,
      ...(failure === undefined ? {} : { failure: nameOf(failure) }),
    },
    ...(failure === undefined ? {} : { failure }),
  };
};

/** What people were told before, by its key, after a look at how the emails ended that told them. */
const readKnown = async (
  needs: WarnExpiringSecretsNeeds,
  holding: readonly CredentialWarning[],
): Promise<Map<string, ToldWarning>> => {
  const before = await needs.warnings.list();
  const settled = await settleWarnings(needs, before);
  const found = new Map(holding.map((one) => [one.key, one]));
  for (const [index, told] of settled.entries()) {
    const warning = found.get(told.key);
    const isOld = needs.clock.now().getTime() - told.toldOn.getTime() > KEPT_MS;
    if (warning === undefined && isOld) await needs.warnings.forget(told.key);
    else if (told !== before[index]) {
      await needs.warnings.write(told);
      if (warning !== undefined && told.reached.length === 0)
        needs.log({ event: 'WarningNotDelivered', reason: 'mail-lost', ...warningFacts(warning) });
    }
  }
  return new Map(settled.map((told) => [told.key, told]));
};
