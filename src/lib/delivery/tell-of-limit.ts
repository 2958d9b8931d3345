import type { Caller } from '../callers/caller.ts';
import { RELAY } from '../callers/known-callers.ts';
import { dayOf, type Reached } from '../callers/quota.ts';
import { newEnvelope } from '../ledger/queue-message.ts';
import { limitReachedEvent } from '../ledger/relay-event.ts';
import type { Language } from '../mail/language.ts';
import type { Ports } from '../ports.ts';
import { toLimitWarning } from './limit-warning.ts';
import { type QueueMailNeeds, queueMail } from './queue-mail.ts';
import type { Quotas } from './quotas.ts';
import { isStorageFailure } from './storage-failure.ts';

export type QuotaNeeds = { readonly quotas: Quotas };

export type TellOfLimitNeeds = QuotaNeeds &
  QueueMailNeeds &
  Pick<Ports, 'events' | 'clock' | 'log'> & {
    /** Of emails that the relay writes. */
    readonly language: Language;
  };

/**
 * Tells that a caller has reached its limit, once a day: its owner by email, programs by an event, operators in the log. What others
 * can see is written before it is noted as done, under ids that are the same each time. Where storage fails, the next email over the
 * limit tries it again.
 */
export const tellOfLimit = async (
  needs: TellOfLimitNeeds,
  caller: Caller,
  { resetsAt }: Reached,
): Promise<void> => {
  const now = needs.clock.now();
  const day = dayOf(now);
  try {
    const isFirst = await needs.quotas.tellOnce(caller, now, async () => {
      await warnOwner(needs, caller, day);
      await needs.events?.put(limitReachedEvent(caller.name, day, resetsAt, now));
    });
    if (isFirst) needs.log({ event: 'CallerLimitReached', caller: caller.name, day });
  } catch (failure) {
    if (!isStorageFailure(failure)) throw failure;
    needs.log({ event: 'StorageAwaited', code: failure.code });
  }
};

const warnOwner = async (needs: TellOfLimitNeeds, caller: Caller, day: string): Promise<void> => {
  const { owner } = caller.rules;
  if (owner === undefined) return;
  const { hashOfContent, mailIdOfText } = await needs.readIdentity();
  const mail = toLimitWarning(caller, owner, day, needs.language);
  const contentHash = hashOfContent(mail);
  const envelope = newEnvelope({
    // Of another owner it is another email.
    mailId: mailIdOfText(`limit ${day} ${caller.name} ${contentHash}`),
    acceptedAt: needs.clock.now(),
    caller: RELAY,
    contentHash,
    content: { mail },
  });
  await queueMail(needs, envelope, 0);
};
