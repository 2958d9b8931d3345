import type { Mail } from '../mail/mail-schema.ts';

/** What is to be done when nobody knows whether Graph sent a mail. */
export type OnUnknown = 'verify' | 'hold' | 'resend';

/**
 * Decides for one mail: its own wish before the setting. A mail that leaves no copy in Sent Items cannot be looked
 * for, so it is held; a mail is resent once only, as each time may make a duplicate.
 */
export const decideOnUnknown = (
  mail: Pick<Mail, 'onUnknown' | 'saveToSentItems'>,
  { onUnknown, resent }: { readonly onUnknown: OnUnknown; readonly resent: boolean },
): 'look-up' | 'hold' | 'resend' => {
  switch (mail.onUnknown ?? onUnknown) {
    case 'verify':
      return mail.saveToSentItems ? 'look-up' : 'hold';
    case 'resend':
      return resent ? 'hold' : 'resend';
    case 'hold':
      return 'hold';
  }
};
