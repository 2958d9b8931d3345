import emailAddresses from 'email-addresses';

export type Address = { readonly name?: string; readonly address: string };

/** 64 characters before the @, 255 after it (RFC 5321, 4.5.3.1). */
const MAX_ADDRESS = 320;
/** A name and an address as people have them; bounds what the parser is given. */
const MAX_WRITTEN = 600;
/** A little more than a mail may have, so that too many are told as too many. */
const MAX_LIST = 1000;
const MAX_LIST_TEXT = MAX_LIST * MAX_WRITTEN;

/** A mailbox name and a domain with a dot; letters beyond ASCII are allowed on both sides (RFC 6531). */
const ADDRESS = /^[^\s@<>(),;:"[\]\\]+@[^\s@<>(),;:"[\]\\.]+(\.[^\s@<>(),;:"[\]\\.]+)+$/u;

/** True for one bare address that Exchange Online can resolve: no quoted local part, no address literal. */
export const isAddress = (text: string): boolean =>
  text.length <= MAX_ADDRESS && !/\p{Cc}/u.test(text) && ADDRESS.test(text);

/** The form in which two spellings of one address are equal. */
export const addressKey = (address: string): string => address.toLowerCase();

/** Splits a list at the commas between addresses: not those in quotes, comments or angle brackets. In one pass. */
const splitList = (text: string): readonly string[] => {
  const parts: string[] = [];
  let start = 0;
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '\\') index += 1;
    else if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === '(' || character === '<') depth += 1;
    else if (character === ')' || character === '>') depth -= 1;
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...parts, text.slice(start)];
};

/** One address as RFC 5322 writes it, with RFC 6532 names. The parser recurses, and takes squared time. */
const parseOne = (text: string): Address | undefined => {
  const trimmed = text.trim();
  if (isAddress(trimmed)) return { address: trimmed };
  if (trimmed.length > MAX_WRITTEN) return undefined;
  const parsed = emailAddresses.parseOneAddress({ input: trimmed, rfc6532: true });
  if (parsed?.type !== 'mailbox' || !isAddress(parsed.address)) return undefined;
  return parsed.name ? { name: parsed.name, address: parsed.address } : { address: parsed.address };
};

/**
 * Reads `a@b.c`, `Name <a@b.c>` or a comma-separated list of them. Gives undefined for anything else: groups, empty
 * places in a list, more addresses than a mail may have.
 */
export const parseAddresses = (text: string): readonly Address[] | undefined => {
  if (text.length > MAX_LIST_TEXT) return undefined;
  const parts = splitList(text);
  if (parts.length > MAX_LIST) return undefined;
  const addresses: Address[] = [];
  for (const part of parts) {
    const address = parseOne(part);
    if (address === undefined) return undefined;
    addresses.push(address);
  }
  return addresses;
};
