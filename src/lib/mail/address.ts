export type Address = { readonly name?: string; readonly address: string };

/** RFC 5321, 4.5.3.1: a mailbox name, and a domain as it fits DNS (RFC 1035, 2.3.4). */
const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;
const MAX_LABEL = 63;
/** Of longer texts nothing is looked at but the length. */
const MAX_ADDRESS = MAX_LOCAL + 1 + MAX_DOMAIN;

/**
 * What nobody sees, or sees otherwise than it is: format and direction characters, fillers, half characters, what has
 * no meaning yet or only a private one, what a decoder puts where it could not read, the Braille blank and the null
 * note head, which are printed as nothing. An address with one is not the one it looks like.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\ufffd\u2800\u{1d159}]/u;

/** A mailbox name without quotes; letters beyond ASCII are allowed (RFC 6531). */
const LOCAL = /^[^\s@<>(),;:"[\]\\]+$/u;
/** The signs that part or quote addresses, and the full stops of IDNA 2003 (RFC 3490, 3.1). */
const MEANS_SOMETHING = /[@.,;:<>()"[\]\\\s\u3002]/;

/** Letters, digits and hyphens of any script, and the four signs IDNA allows between them (RFC 5892, A.3 to A.7). */
const LABEL = /^[\p{L}\p{M}\p{N}_\u00b7\u0375\u05f3\u05f4\u30fb-]+$/u;

const isLabel = (label: string): boolean =>
  LABEL.test(label) && !label.startsWith('-') && !label.endsWith('-');

/** True for text with a character that shows nothing, or turns what stands around it. */
const hasUnseen = (text: string): boolean => UNSEEN.test(text);

/** True for text with a character beyond ASCII that stands for a sign of addresses, as the wide form of @ does. */
const hasLookalike = (text: string): boolean =>
  [...text].some((character) => character > '\x7f' && MEANS_SOMETHING.test(character.normalize('NFKC')));

/** What was expected instead of a text that looks like no address at all. */
export const ONE_ADDRESS = 'one address such as name@example.com';

/**
 * What was expected instead, where a text is not one bare address that Exchange Online can resolve: no quoted mailbox
 * name, no address literal.
 */
export const addressFault = (text: string): string | undefined => {
  if (text.length > MAX_ADDRESS) return `an address of at most ${MAX_ADDRESS} characters`;
  if (hasUnseen(text)) return `${ONE_ADDRESS}, without invisible or unassigned characters`;
  if (hasLookalike(text)) return `${ONE_ADDRESS}, with the signs @ and . of ASCII and no others like them`;
  const at = text.indexOf('@');
  const [local, domain] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  if (!LOCAL.test(local)) return ONE_ADDRESS;
  if (local.length > MAX_LOCAL) return `at most ${MAX_LOCAL} characters before the @, not ${local.length}`;
  return domainFault(domain);
};

const domainFault = (domain: string): string | undefined => {
  const labels = domain.split('.');
  if (!labels.every((label) => isLabel(label))) return ONE_ADDRESS;
  if (domain.length > MAX_DOMAIN) return `at most ${MAX_DOMAIN} characters after the @, not ${domain.length}`;
  const longest = Math.max(...labels.map((label) => label.length));
  if (longest > MAX_LABEL)
    return `at most ${MAX_LABEL} characters between the dots of the domain, not ${longest}`;
  if (labels.length === 1) return `${ONE_ADDRESS}, whose domain has a dot in it`;
  return /^\d+$/.test(labels.at(-1) ?? '') ? `${ONE_ADDRESS}, with a name for its domain` : undefined;
};

/** True for one bare address that Exchange Online can resolve. */
export const isAddress = (text: string): boolean => addressFault(text) === undefined;

/**
 * The form in which two spellings of one address are equal. ASCII letters alone: other foldings make letters equal
 * that are not, as the Kelvin sign and k, and would let a stranger's address pass for one that is allowed.
 */
export const addressKey = (address: string): string =>
  address.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
