import emailAddresses from 'email-addresses';

export type Address = { readonly name?: string; readonly address: string };

/** 64 characters before the @, 255 after it (RFC 5321, 4.5.3.1). */
const MAX_ADDRESS = 320;
/** Room for 500 recipients with long names; bounds what the parser is given. */
const MAX_LIST_TEXT = 100_000;

/** A mailbox name and a domain with a dot; letters beyond ASCII are allowed on both sides (RFC 6531). */
const ADDRESS = /^[^\s@<>(),;:"[\]\\]+@[^\s@<>(),;:"[\]\\.]+(\.[^\s@<>(),;:"[\]\\.]+)+$/u;

/** True for one bare address that Exchange Online can resolve: no quoted local part, no address literal. */
export const isAddress = (text: string): boolean =>
  text.length <= MAX_ADDRESS && !/\p{Cc}/u.test(text) && ADDRESS.test(text);

/** The form in which two spellings of one address are equal. */
export const addressKey = (address: string): string => address.toLowerCase();

/**
 * Reads `a@b.c`, `Name <a@b.c>` or a comma-separated list of them (RFC 5322 with RFC 6532 names).
 * Gives undefined for anything else, groups and comments-only names included.
 */
export const parseAddresses = (text: string): readonly Address[] | undefined => {
  if (text.length > MAX_LIST_TEXT) return undefined;
  const trimmed = text.trim();
  if (isAddress(trimmed)) return [{ address: trimmed }];
  const parsed = emailAddresses.parseAddressList({ input: trimmed, rfc6532: true });
  if (parsed === null || parsed === undefined) return undefined;
  const addresses: Address[] = [];
  for (const one of parsed) {
    if (one.type !== 'mailbox' || !isAddress(one.address)) return undefined;
    addresses.push(one.name ? { name: one.name, address: one.address } : { address: one.address });
  }
  return addresses;
};
