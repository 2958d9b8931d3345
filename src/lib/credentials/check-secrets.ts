import { CLAIM_MS } from './claim-run.ts';
import { CHECK_AGAIN, isVaultEvent } from './vault-event.ts';
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
    await needs.vaultEvents.put(CHECK_AGAIN, CLAIM_MS).catch(() => {});
    throw failure;
  }
};

/**
 * Runs the check when the vault says that something expires, instead of the next morning. What is no event of the vault is dropped: the
 * daily run looks anyway. For the same reason, the last of several failures ends it, so that no message stays where nobody looks; that
 * run has said in the log why it failed.
 */
export const checkSecrets = async (
  needs: WarnExpiringSecretsNeeds,
  message: { readonly text: string; readonly delivery: number },
): Promise<void> => {
  if (!isVaultEvent(message.text)) return needs.log({ event: 'VaultEventDropped', reason: 'unreadable' });
  try {
    await warnExpiringSecrets(needs, 'event');
  } catch (failure) {
    if (message.delivery < LAST_DELIVERY) throw failure;
    needs.log({ event: 'VaultEventDropped', reason: 'failed' });
  }
};
