import { RELAY } from '../callers/known-callers.ts';
import { type QueueMailNeeds, queueMail } from '../delivery/queue-mail.ts';
import { newEnvelope } from '../ledger/queue-message.ts';
import type { Ports, Vault } from '../ports.ts';
import { decideSecretWarnings } from './secret-expiry.ts';
import { toWarningMail } from './warning-mail.ts';

export type WarnExpiringSecretsNeeds = QueueMailNeeds &
  Pick<Ports, 'clock' | 'log'> & {
    readonly vault: Pick<Vault, 'listSecrets'>;
    readonly vaultName: string;
    readonly warningDays: readonly number[];
    /** Nobody: then the log events are the only warning. */
    readonly recipients: readonly string[];
    readonly newMailId: () => string;
  };

/**
 * Warns of every secret in the vault that expires soon, has expired, or says not when. All log events come
 * before the first mail, since a mail depends on the very secret it may warn about.
 */
export const warnExpiringSecrets = async (needs: WarnExpiringSecretsNeeds): Promise<void> => {
  const now = needs.clock.now();
  const secrets = await needs.vault.listSecrets();
  const warnings = decideSecretWarnings(secrets, needs.warningDays, now);
  for (const warning of warnings) {
    needs.log({
      event: 'SecretExpiring',
      secretName: warning.secretName,
      state: warning.state,
      ...(warning.state === 'no-expiry-date'
        ? {}
        : { daysLeft: warning.daysLeft, expiresOn: warning.expiresOn.toISOString() }),
    });
  }
  needs.log({ event: 'SecretsChecked', secrets: secrets.length, warnings: warnings.length });
  if (needs.recipients.length === 0) return;
  const { hashOfContent } = await needs.readIdentity();
  for (const warning of warnings) {
    const mail = toWarningMail(warning, { vault: needs.vaultName, recipients: needs.recipients });
    const envelope = newEnvelope({
      mailId: needs.newMailId(),
      acceptedAt: now,
      caller: RELAY,
      contentHash: hashOfContent(mail),
      content: { mail },
    });
    await queueMail(needs, envelope, 0);
  }
};
