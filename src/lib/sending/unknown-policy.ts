import type { Mail } from '../mail/mail-schema.ts';
import type { SendWay } from './send-plan.ts';

/** What is to be done when nobody knows whether Graph sent a mail. */
export type OnUnknown = 'verify' | 'hold' | 'resend';

/**
 * Decides for one mail: its own wish before the setting. A mail that leaves no copy in Sent Items cannot be looked
 * for, so it is held; a mail is resent once only, as each time may make a duplicate. A draft always leaves a copy, and tells
 * by itself whether it was sent: nobody has to resend blindly.
 */
export const decideOnUnknown = (
  mail: Pick<Mail, 'onUnknown' | 'saveToSentItems'>,
  {
    onUnknown,
    resent,
    way = 'json',
  }: { readonly onUnknown: OnUnknown; readonly resent: boolean; readonly way?: SendWay | undefined },
): 'look-up' | 'hold' | 'resend' => {
  const wish = mail.onUnknown ?? onUnknown;
  if (way === 'draft') return wish === 'hold' ? 'hold' : 'look-up';
  switch (wish) {
    case 'verify':
      return mail.saveToSentItems ? 'look-up' : 'hold';
    case 'resend':
      return resent ? 'hold' : 'resend';
    case 'hold':
      return 'hold';
  }
};
