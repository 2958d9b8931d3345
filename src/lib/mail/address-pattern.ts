import { addressKey, isAddress } from './address.ts';

/** Whether a text is an address, or `*@domain`, which stands for every address of the domain. */
export const isAddressPattern = (text: string): boolean =>
  isAddress(text) || (text.startsWith('*@') && isAddress(`any${text.slice(1)}`));

/** Whether an address is one of these, or of a domain of these. Spellings are compared as `addressKey` has them. */
export const matchesAny = (patterns: readonly string[], address: string): boolean => {
  const key = addressKey(address);
  const domain = key.slice(key.lastIndexOf('@'));
  return patterns.map(addressKey).some((pattern) => pattern === key || pattern === `*${domain}`);
};
