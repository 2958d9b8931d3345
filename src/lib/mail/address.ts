export type Address = { readonly name?: string; readonly address: string };

/** RFC 5321, 4.5.3.1: a mailbox name, and a domain as it fits DNS (RFC 1035, 2.3.4). */
const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;
const MAX_LABEL = 63;

/**
 * What nobody sees, or sees otherwise than it is: format and direction characters, fillers, half characters,
 * noncharacters, and what a decoder puts where it could not read. An address with one is not the one it looks like.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\ufffd]/u;

/** A mailbox name without quotes; letters beyond ASCII are allowed (RFC 6531). */
const LOCAL = /^[^\s@<>(),;:"[\]\\]+$/u;

/** Letters, digits and hyphens of any script, and the four signs IDNA allows between them (RFC 5892, A.3 to A.7). */
const LABEL = /^[\p{L}\p{M}\p{N}_\u00b7\u0375\u05f3\u05f4\u30fb-]+$/u;

const isLabel = (label: string): boolean =>
  label.length <= MAX_LABEL && LABEL.test(label) && !label.startsWith('-') && !label.endsWith('-');

/** True for text with a character that shows nothing, or turns what stands around it. */
export const hasUnseen = (text: string): boolean => UNSEEN.test(text);

/** True for one bare address that Exchange Online can resolve: no quoted mailbox name, no address literal. */
export const isAddress = (text: string): boolean => {
  if (text.length > MAX_LOCAL + 1 + MAX_DOMAIN) return false;
  const at = text.indexOf('@');
  const [local, domain] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  const labels = domain.split('.');
  return (
    local.length <= MAX_LOCAL &&
    LOCAL.test(local) &&
    domain.length <= MAX_DOMAIN &&
    labels.length > 1 &&
    labels.every(isLabel) &&
    !/^\d+$/.test(labels.at(-1) ?? '') &&
    !hasUnseen(text)
  );
};

/**
 * The form in which two spellings of one address are equal. ASCII letters alone: other foldings make letters equal
 * that are not, as the Kelvin sign and k, and would let a stranger's address pass for one that is allowed.
 */
export const addressKey = (address: string): string =>
  address.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
