import { dayOf } from '../callers/quota.ts';
import type { QueueMailNeeds } from '../delivery/queue-mail.ts';
import { AppError } from '../errors.ts';
import type { Language } from '../mail/language.ts';
import type { Ports, ToldWarning, WarningChannel, WarningMail } from '../ports.ts';
import { credentialEvent } from './credential-event.ts';
import type { CredentialWarning } from './credential-warning.ts';
import { mailWarnings } from './mail-warnings.ts';
import { postWarnings } from './post-warnings.ts';
import { warningFacts } from './warning-facts.ts';
import { toWebhookJson } from './webhook-body.ts';

export type TellNeeds = QueueMailNeeds &
  Pick<Ports, 'clock' | 'log' | 'webhook' | 'events'> & {
    readonly vaultName: string;
    /** Empty: then emails go to owners alone. */
    readonly recipients: readonly string[];
    readonly language: Language;
    /** Whether an email that is queued now can be sent now. Otherwise it reaches people only once the ledger says so. */
    readonly isMailSure: boolean;
    /** The webhook is one of Slack. */
    readonly isSlack: boolean;
    /** The relay renews client secrets itself. */
    readonly rotates: boolean;
  };

/** The channels that are set; the log where there is none. */
const channelsOf = ({ recipients, webhook }: Pick<TellNeeds, 'recipients' | 'webhook'>) => {
  const set: readonly WarningChannel[] = [
    ...(recipients.length > 0 ? (['mail'] as const) : []),
    ...(webhook === undefined ? [] : (['webhook'] as const)),
  ];
  return set.length > 0 ? set : (['log'] as const);
};

type Known = ReadonlyMap<string, ToldWarning>;

/** Emails that carry the same warning since an earlier run, and still wait. */
const waitingOf = ({ key, mark }: CredentialWarning, known: Known): readonly WarningMail[] => {
  const told = known.get(key);
  return told?.mark === mark ? told.mails.filter(({ state }) => state === 'waits') : [];
};

/** A warning that has reached nobody yet. */
export const untold = (
  needs: Pick<TellNeeds, 'recipients' | 'webhook'>,
  warning: CredentialWarning,
  { toldOn, known }: { readonly toldOn: Date; readonly known: Known },
): ToldWarning => ({
  key: warning.key,
  mark: warning.mark,
  toldOn,
  ...('daysLeft' in warning ? { daysLeft: warning.daysLeft } : {}),
  channels: channelsOf(needs),
  reached: [],
  mails: waitingOf(warning, known),
});

/**
 * Tells people of these warnings on every channel that is set; gives what has reached whom. The log comes first: an email depends on
 * the very credential that it may warn about. A channel that fails does not keep the other from being used.
 */
export const tellWarnings = async (
  needs: TellNeeds,
  warnings: readonly CredentialWarning[],
  { runId, known }: { readonly runId: string; readonly known: Known },
): Promise<readonly ToldWarning[]> => {
  if (warnings.length === 0) return [];
  const { log, clock } = needs;
  for (const warning of warnings) log({ event: 'SecretExpiring', ...warningFacts(warning) });
  const toldOn = clock.now();
  await tellSystems(needs, warnings, toldOn);
  const waiting = new Map(warnings.map((one) => [one.key, waitingOf(one, known)]));
  const { carried, isPosted } = await useChannels(needs, warnings, { runId, waiting });
  return warnings.map((warning): ToldWarning => {
    const begun = untold(needs, warning, { toldOn, known });
    const mails = [...begun.mails, ...(carried.get(warning.key) ?? [])];
    const hasChannel = !begun.channels.includes('log') || warning.owners.length > 0;
    const isMailed = mails.length > 0 && needs.isMailSure;
    const reached: readonly WarningChannel[] = hasChannel
      ? [...(isMailed ? (['mail'] as const) : []), ...(isPosted ? (['webhook'] as const) : [])]
      : ['log'];
    if (reached.length === 0)
      log({ event: 'WarningNotDelivered', reason: 'no-channel', ...warningFacts(warning) });
    return { ...begun, reached, mails };
  });
};

/** Systems are told too, where events are wanted. They are no channel by which a warning counts as having reached people. */
const tellSystems = async (
  { events, log }: TellNeeds,
  warnings: readonly CredentialWarning[],
  toldOn: Date,
): Promise<void> => {
  try {
    for (const warning of warnings) await events?.put(credentialEvent(warning, toldOn));
  } catch (failure) {
    const name = failure instanceof AppError ? failure.code : 'Error';
    log({ event: 'WarningChannelFailed', channel: 'events', name });
  }
};

const useChannels = async (
  needs: TellNeeds,
  warnings: readonly CredentialWarning[],
  run: { readonly runId: string; readonly waiting: ReadonlyMap<string, readonly WarningMail[]> },
) => {
  const { clock, webhook, vaultName: vault, recipients, language, isSlack, rotates } = needs;
  const context = { vault, language, rotates, recipients, isSlack, day: dayOf(clock.now()) };
  const [carried, isPosted] = await Promise.all([
    mailWarnings({ ...needs, context }, warnings, run),
    webhook !== undefined && postWarnings(needs, toWebhookJson(warnings, context)),
  ]);
  return { carried, isPosted };
};

/** Of what people were told before, what a channel can say now that was not set then. */
export const isMissedBy = (
  channel: WarningChannel,
  needs: TellNeeds,
  told: ToldWarning | undefined,
): boolean => told !== undefined && channelsOf(needs).includes(channel) && !told.channels.includes(channel);

/** Tells by one channel what people were told before it was set. Owners have theirs. */
export const catchUp = async (
  channel: 'mail' | 'webhook',
  needs: TellNeeds,
  warnings: readonly CredentialWarning[],
  { runId, known }: { readonly runId: string; readonly known: Known },
): Promise<readonly ToldWarning[]> => {
  if (warnings.length === 0) return [];
  const { webhook, ...others } = needs;
  const { carried, isPosted } = await useChannels(
    channel === 'mail' ? others : { ...needs, recipients: [] },
    warnings.map((one) => ({ ...one, owners: [] })),
    { runId, waiting: new Map() },
  );
  return warnings.flatMap(({ key }) => {
    const told = known.get(key);
    if (told === undefined) return [];
    const mails = carried.get(key) ?? [];
    const isReached = channel === 'mail' ? mails.length > 0 && needs.isMailSure : isPosted;
    const reached = [...told.reached, ...(isReached ? [channel] : [])];
    return [{ ...told, channels: [...told.channels, channel], reached, mails: [...told.mails, ...mails] }];
  });
};
