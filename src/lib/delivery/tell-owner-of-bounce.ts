import { toldRecipients } from '../bounces/bounced-recipient.ts';
import { RELAY } from '../callers/known-callers.ts';
import { isBounced, type RecipientDelivery, type Row, type Sent } from '../ledger/ledger-row.ts';
import { newEnvelope } from '../ledger/queue-message.ts';
import type { Language } from '../mail/language.ts';
import type { Ports } from '../ports.ts';
import { toBounceNotice } from './bounce-notice.ts';
import { type QueueMailNeeds, queueMail } from './queue-mail.ts';

export type BounceNoticeNeeds = QueueMailNeeds &
  Pick<Ports, 'callers' | 'clock'> & { readonly language: Language };

/** In one poll, which makes at most 288 times as many on a day. Nobody reads more, and a list that is out of date bounces by thousands. */
const MOST_NOTICES = 5;

/**
 * Tells the owner of a caller that one of its emails bounced, by an email that the relay sends itself: the first time, so that an email
 * is told of once. Never of an email that the relay wrote, which can be such a notice. Throws STORAGE_UNAVAILABLE.
 */
export const makeTellOwner = (needs: BounceNoticeNeeds) => {
  let left = MOST_NOTICES;
  return async (before: Row<Sent>, after: Row<Sent>, failed: readonly RecipientDelivery[]): Promise<void> => {
    const { facts } = after;
    if (isBounced(before) || facts.caller === RELAY || left === 0) return;
    const owner = (await needs.callers.known()).named(facts.caller)?.rules.owner;
    const recipients = toldRecipients(facts, failed);
    if (owner === undefined || recipients.length === 0) return;
    left -= 1;
    const { hashOfContent, mailIdOfText } = await needs.readIdentity();
    const mail = toBounceNotice(owner, facts, recipients, needs.language);
    const contentHash = hashOfContent(mail);
    const envelope = newEnvelope({
      // The same after a crash, which the ledger then knows.
      mailId: mailIdOfText(`bounce ${facts.mailId} ${contentHash}`),
      acceptedAt: needs.clock.now(),
      caller: RELAY,
      contentHash,
      content: { mail },
    });
    await queueMail(needs, envelope, 0);
  };
};
