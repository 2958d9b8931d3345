import { dayOf } from '../callers/quota.ts';
import type { QueueMailNeeds } from '../delivery/queue-mail.ts';
import type { Language } from '../mail/language.ts';
import type { Ports, ToldWarning, WarningChannel } from '../ports.ts';
import type { CredentialWarning } from './credential-warning.ts';
import { mailWarnings } from './mail-warnings.ts';
import { postWarnings } from './post-warnings.ts';
import { warningFacts } from './warning-facts.ts';
import { toWebhookJson } from './webhook-body.ts';

export type TellNeeds = QueueMailNeeds &
  Pick<Ports, 'clock' | 'log' | 'webhook'> & {
    readonly vaultName: string;
    /** Empty: then emails go to owners alone. */
    readonly recipients: readonly string[];
    readonly language: Language;
    /** The webhook is one of Slack. */
    readonly isSlack: boolean;
    /** The relay renews client secrets itself. */
    readonly rotates: boolean;
  };

/** A warning that has reached nobody yet. */
export const untold = (warning: CredentialWarning, toldOn: Date): ToldWarning => ({
  key: warning.key,
  mark: warning.mark,
  toldOn,
  ...('daysLeft' in warning ? { daysLeft: warning.daysLeft } : {}),
  reached: [],
  mails: [],
});

/**
 * Tells people of these warnings on every channel that is set; gives what has reached whom. The log comes first: an email depends on
 * the very credential that it may warn about. A channel that fails does not keep the other from being used.
 */
export const tellWarnings = async (
  needs: TellNeeds,
  warnings: readonly CredentialWarning[],
  runId: string,
): Promise<readonly ToldWarning[]> => {
  if (warnings.length === 0) return [];
  const { log, clock, webhook, vaultName: vault, recipients, language, isSlack, rotates } = needs;
  for (const warning of warnings) log({ event: 'SecretExpiring', ...warningFacts(warning) });
  const toldOn = clock.now();
  const context = { vault, language, rotates, recipients, isSlack, day: dayOf(toldOn) };
  const [carried, isPosted] = await Promise.all([
    mailWarnings({ ...needs, context }, warnings, runId),
    webhook !== undefined && postWarnings(needs, toWebhookJson(warnings, context)),
  ]);
  return warnings.map((warning): ToldWarning => {
    const mails = carried.get(warning.key) ?? [];
    const hasChannel = webhook !== undefined || recipients.length > 0 || warning.owners.length > 0;
    const reached: readonly WarningChannel[] = hasChannel
      ? [...(mails.length > 0 ? (['mail'] as const) : []), ...(isPosted ? (['webhook'] as const) : [])]
      : ['log'];
    if (reached.length === 0)
      log({ event: 'WarningNotDelivered', reason: 'no-channel', ...warningFacts(warning) });
    return { ...untold(warning, toldOn), reached, mails };
  });
};
