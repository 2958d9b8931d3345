import type { MailState } from '../ledger/ledger-row.ts';
import type { Ledger, Ports, ToldWarning, WarningMail } from '../ports.ts';
import { isAhead } from './clock-ahead.ts';

type SettleNeeds = Pick<Ports, 'clock'> & { readonly ledger: Pick<Ledger, 'find'> };

/** An email that was not sent within this time is too late to warn anyone, or gone (a queue message lives for seven days). */
const LOST_MS = 7 * 86_400_000;

const ARRIVED: readonly MailState[] = ['sent', 'captured', 'closed'];
const LOST: readonly MailState[] = ['held', 'rejected', 'canceled'];

/** A row of one email that cannot be read ends no check. */
const unreadable = () => undefined;

/**
 * Asks the ledger how the emails of earlier warnings ended. What an operator closed has been seen by one. The email to those whom the
 * settings name decides whether a warning has reached people by email: an owner's copy that was sent hides no other that was lost.
 */
export const settleWarnings = async (
  { ledger, clock }: SettleNeeds,
  warnings: readonly ToldWarning[],
): Promise<readonly ToldWarning[]> => {
  const now = clock.now();
  const asked = new Map<string, Promise<MailState | undefined>>();
  const stateOf = (mailId: string): Promise<MailState | undefined> => {
    const known = asked.get(mailId) ?? ledger.find(mailId).then((entry) => entry?.row.fate.state, unreadable);
    asked.set(mailId, known);
    return known;
  };
  const settled = async (mail: WarningMail): Promise<WarningMail> => {
    if (mail.state !== 'waits') return mail;
    const state = await stateOf(mail.mailId);
    if (state !== undefined && ARRIVED.includes(state)) return { ...mail, state: 'arrived' };
    const isLate = isAhead(mail.queuedOn, now) || now.getTime() - mail.queuedOn.getTime() > LOST_MS;
    return isLate || (state !== undefined && LOST.includes(state)) ? { ...mail, state: 'lost' } : mail;
  };
  return Promise.all(
    warnings.map(async (told) => {
      const mails = await Promise.all(told.mails.map(settled));
      if (mails.every((mail, index) => mail === told.mails[index])) return told;
      return { ...told, mails, reached: reachedWith(told, mails) };
    }),
  );
};

const reachedWith = ({ reached }: ToldWarning, mails: readonly WarningMail[]): ToldWarning['reached'] => {
  const toRecipients = mails.filter(({ to }) => to === 'recipients');
  const deciding = toRecipients.length > 0 ? toRecipients : mails;
  const others = reached.filter((channel) => channel !== 'mail');
  if (deciding.some(({ state }) => state === 'arrived')) return ['mail', ...others];
  return deciding.every(({ state }) => state === 'lost') ? others : reached;
};
