import { addressKey } from '../mail/address.ts';
import { parseAddresses } from '../mail/address-list.ts';
import { decodedForms } from '../mail/decoded-forms.ts';
import type { MailHeader } from '../mail/mail-headers.ts';
import { writtenAddress } from './mime-words.ts';

/**
 * What says whom an email is or was for, and what leads to people also where no address is in it: by a link that acts for the
 * original recipient, or as it makes an email an invitation.
 */
const LEADS_TO_PEOPLE =
  /^(?:to|cc|bcc|x-original-(?:to|cc|bcc-count|reply-to)|(?:x-)?list-.*|.*unsubscribe.*|content-class)$/;
/** Fine where they name the sender alone. */
const RECEIPTS = /^(?:disposition-notification-to|return-receipt-to)$/;
/** They name the sender, a text, ids or what a part is: nobody is reached by them, whatever is in them. */
const NAMES_NOBODY_ELSE =
  /^(?:from|sender|subject|date|message-id|in-reply-to|references|mime-version|content-.*|thread-(?:topic|index))$/;

/** Whether nobody can be reached by a header, whatever is in it. */
export const leadsToNobody = ({ name }: Pick<MailHeader, 'name'>): boolean => {
  const key = name.toLowerCase();
  return NAMES_NOBODY_ELSE.test(key) && !LEADS_TO_PEOPLE.test(key);
};

/**
 * Whether a redirected email keeps a header: one of those that lead to nobody, a receipt for the sender, and any other in which there
 * is nothing like an address, however it is encoded.
 */
export const isKeptHeader = (header: MailHeader, sender: string, originals: readonly string[]): boolean => {
  const { name, value } = header;
  const key = name.toLowerCase();
  if (LEADS_TO_PEOPLE.test(key)) return false;
  if (leadsToNobody(header)) return true;
  if (RECEIPTS.test(key)) {
    const named = parseAddresses(value);
    return named?.every(({ address }) => addressKey(address) === addressKey(sender)) ?? false;
  }
  const forms = decodedForms(`${name}: ${value}`);
  return forms?.every((form) => !form.includes('@') && !namesOneOf(form.toLowerCase(), originals)) ?? false;
};

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/**
 * Whether an address stands in a text without its sign, as lists write that of a subscriber into their own (`chan=contoso.com`), and
 * mail systems before domains did (`contoso.com!chan`).
 */
const namesOneOf = (text: string, addresses: readonly string[]): boolean =>
  addresses.some((address) =>
    [address, writtenAddress(address)].some((one) => {
      const at = one.lastIndexOf('@');
      const [local, domain] = [one.slice(0, at), one.slice(at + 1)].map((part) =>
        part.normalize('NFKC').toLowerCase(),
      );
      if (!text.includes(domain ?? '') || !text.includes(local ?? '')) return false;
      const [first, last] = [escaped(local ?? ''), escaped(domain ?? '')];
      const between = String.raw`[^\p{L}\p{N}]{0,4}(?:at)?[^\p{L}\p{N}]{1,4}`;
      return new RegExp(`${first}${between}${last}|${last}!${first}`, 'u').test(text);
    }),
  );
