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
import { settleWarnings } from './settle-warnings.ts';
import { type TellNeeds, tellWarnings } from './tell-warnings.ts';
import { CHECK_AGAIN } from './vault-event.ts';
import { holds, isDue } from './warning-crossing.ts';
import { warningFacts } from './warning-facts.ts';
import { watchCredentials } from './watched-credentials.ts';

export type WarnExpiringSecretsNeeds = TellNeeds &
  CheckConnectionsNeeds &
  ClaimNeeds &
  Pick<Ports, 'warnings'> & {
    readonly ledger: Pick<Ledger, 'find'>;
    /** Absent where the settings name no vault: then no credential is in one. */
    readonly vault?: Pick<Vault, 'listSecrets'>;
    /** The queue that brings the events of the vault. */
    readonly vaultEvents: Pick<MessageQueue, 'put'>;
    readonly warningDays: readonly number[];
  };

/** How long the relay keeps what it said of something that it does not find any more. */
const KEPT_MS = 400 * 86_400_000;

/**
 * Looks at every credential in the vault and of every connection, and tells people what they do not know yet. Of two runs at the same
 * time one tells it; the other leaves a message to look again, because the first may have looked before what made the other begin.
 * What keeps a run from looking at everything fails it in the end, after it has told what it could.
 */
export const warnExpiringSecrets = async (needs: WarnExpiringSecretsNeeds): Promise<void> => {
  try {
    await runUnlessRunning(needs);
  } catch (failure) {
    needs.log({ event: 'SecretsUnchecked', name: nameOf(failure) });
    throw failure;
  }
};

const nameOf = (failure: unknown): string =>
  failure instanceof AppError ? failure.code : failure instanceof Error ? failure.name : 'Error';

const runUnlessRunning = async (needs: WarnExpiringSecretsNeeds): Promise<void> => {
  const claimed = await claimRun(needs);
  if (claimed === undefined) return needs.vaultEvents.put(CHECK_AGAIN, CLAIM_MS);
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

const checkAndTell = async (
  needs: WarnExpiringSecretsNeeds,
  { id, lastRun }: ClaimedRun,
): Promise<{ readonly run: WarningRun; readonly failure?: unknown }> => {
  const { clock, warningDays } = needs;
  const { secrets, failure } = await listVault(needs);
  const checked = await checkConnections(needs);
  const now = clock.now();
  const unproven = unprovenSince(checked, lastRun, now);
  const connections = refuseWhatLasts(checked, unproven, now);
  const watched = watchCredentials(secrets, connections, now);
  const holding = findWarnings(watched, connections, now).filter((one) => holds(one, warningDays));
  const known = await readKnown(needs, holding);
  const due = holding.filter((one) => isDue(one, known.get(one.key), warningDays, now));
  const told = await tellWarnings(needs, due, id);
  for (const one of told) await needs.warnings.write(one);
  return {
    run: {
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
): Promise<ReadonlyMap<string, ToldWarning>> => {
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
