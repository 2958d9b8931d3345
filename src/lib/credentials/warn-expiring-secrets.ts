import { type QueueMailNeeds, queueMail } from '../delivery/queue-mail.ts';
import type { Log } from '../log.ts';
import { decideSecretWarnings, type SecretFacts } from './secret-expiry.ts';
import { toWarningMail } from './warning-mail.ts';

export type WarnExpiringSecretsNeeds = QueueMailNeeds & {
  /** Every secret of the vault, all pages. */
  readonly listSecrets: () => Promise<readonly SecretFacts[]>;
  readonly vault: string;
  readonly warningDays: readonly number[];
  /** Nobody: then the log events are the only warning. */
  readonly recipients: readonly string[];
  readonly newMailId: () => string;
  readonly now: () => Date;
  readonly log: Log;
};

/**
 * Warns of every secret in the vault that expires soon, has expired, or says not when. All log events come
 * before the first mail, since a mail depends on the very secret it may warn about.
 */
export const warnExpiringSecrets = async (needs: WarnExpiringSecretsNeeds): Promise<void> => {
  const now = needs.now();
  const secrets = await needs.listSecrets();
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
    const mail = toWarningMail(warning, { vault: needs.vault, recipients: needs.recipients });
    await queueMail(
      needs,
      {
        mailId: needs.newMailId(),
        acceptedAt: now,
        caller: 'warnExpiringSecrets',
        turn: 0,
        phase: 'send',
        lookUps: 0,
        contentHash: hashOfContent(mail),
        content: { mail },
      },
      0,
    );
  }
};
