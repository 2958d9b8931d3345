import { CLAIM_MS } from './claim-run.ts';
import { isAhead } from './clock-ahead.ts';
import { checkAgain, readVaultEvent } from './vault-event.ts';
import { type WarnExpiringSecretsNeeds, warnExpiringSecrets } from './warn-expiring-secrets.ts';

/** The same as `maxDequeueCount` in host.json, after which the host gives up on a message. */
const LAST_DELIVERY = 5;

/**
 * Runs the check of the day. A timer is not run again before the next day, so a check that failed leaves a message by which it is run
 * again sooner.
 */
export const checkDaily = async (needs: WarnExpiringSecretsNeeds): Promise<void> => {
  try {
    await warnExpiringSecrets(needs, 'daily');
  } catch (failure) {
    // Where storage is what failed, this fails too; the heartbeat is missing then.
    await needs.vaultEvents.put(checkAgain(), CLAIM_MS).catch(() => {});
    throw failure;
  }
};

/** The queue says in whole seconds when a message was put there (REST: InsertionTime), so it was up to one second later. */
const SECOND_MS = 1000;

/**
 * Whether a run that began after the message was put on the queue has looked at everything: then there is nothing more to find, and
 * thousands of events cost one run. A state that cannot be read says nothing.
 */
const isCovered = async ({ warnings, clock }: WarnExpiringSecretsNeeds, since: Date): Promise<boolean> => {
  const run = await warnings.lastRun().catch(() => undefined);
  return (
    run !== undefined &&
    run.failure === undefined &&
    run.startedAt.getTime() >= since.getTime() + SECOND_MS &&
    !isAhead(run.startedAt, clock.now())
  );
};

const earlier = (one: Date, other: Date | undefined): Date =>
  other !== undefined && other < one ? other : one;

/**
 * Runs the check when the vault says that something expires, instead of the next morning. What is no event of the vault is dropped: the
 * daily run looks anyway. For the same reason, the last of several failures ends it, so that no message stays where nobody looks; that
 * run has said in the log why it failed.
 */
export const checkSecrets = async (
  needs: WarnExpiringSecretsNeeds,
  message: { readonly text: string; readonly insertedAt?: Date; readonly delivery: number },
): Promise<void> => {
  const event = readVaultEvent(message.text);
  if (event === undefined) return needs.log({ event: 'VaultEventDropped', reason: 'unreadable' });
  const since = earlier(message.insertedAt ?? needs.clock.now(), event.since);
  if (await isCovered(needs, since)) return;
  try {
    await warnExpiringSecrets(needs, { since });
  } catch (failure) {
    if (message.delivery < LAST_DELIVERY) throw failure;
    needs.log({ event: 'VaultEventDropped', reason: 'failed' });
  }
};
