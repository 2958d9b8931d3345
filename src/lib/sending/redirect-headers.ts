import { addressKey } from '../mail/address.ts';
import { parseAddresses } from '../mail/address-list.ts';
import type { MailHeader } from '../mail/mail-headers.ts';

/** Headers from which a mail client, a server or a list takes an address, and what says whom an email was for. */
const LEADS_TO_PEOPLE =
  /^(?:to|cc|bcc|reply-to|mail-followup-to|mail-reply-to|mail-copies-to|followup-to|list-.*|(?:x-)?errors-to|return-path|x-original-(?:to|cc|bcc-count|reply-to)|x-(?:to|cc|bcc|reply-to|rcpt-to|confirm-reading-to)|(?:x-)?envelope-to|content-class)$/;
/** Fine where they name the sender alone. */
const RECEIPTS = /^(?:disposition-notification-to|return-receipt-to)$/;
/** They name the sender, a text or ids, and nobody is reached by them. */
const NAMES_NOBODY_ELSE =
  /^(?:from|sender|subject|date|message-id|in-reply-to|references|mime-version|content-.*|thread-.*)$/;

/**
 * Whether a redirected email keeps a header: not one that could lead an answer, a receipt or a server to anyone but the sender,
 * and none in which one of the original recipients is named.
 */
export const isKeptHeader = (
  { name, value }: MailHeader,
  sender: string,
  originals: readonly string[],
): boolean => {
  const key = name.toLowerCase();
  if (LEADS_TO_PEOPLE.test(key)) return false;
  if (RECEIPTS.test(key)) {
    const named = parseAddresses(value);
    return named?.every(({ address }) => addressKey(address) === addressKey(sender)) ?? false;
  }
  if (NAMES_NOBODY_ELSE.test(key)) return true;
  const text = value.toLowerCase();
  return !originals.some((address) => text.includes(address.toLowerCase()));
};
