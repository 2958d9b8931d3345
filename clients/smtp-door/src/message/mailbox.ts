import { domainToASCII } from 'node:url';
import { addressParser } from 'postal-mime';
import { type Address, addressKey, isAddress } from '../../../../src/lib/mail/address.ts';
import { readAddresses } from '../../../../src/lib/mail/address-list.ts';

/** Far more than an email has recipients. */
const MAX_READ = 2000;

/** The form in which two spellings of one address are equal, whether the domain is in ASCII or in its own script. */
export const mailboxKey = (address: string): string => {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  return addressKey(`${address.slice(0, at)}@${domainToASCII(domain) || domain}`);
};

/** The addresses of a field, and whether it says exactly these, in the form that the relay reads. */
export type ReadField = { readonly addresses: readonly Address[]; readonly isExact: boolean };

/** A list that is one group without members, such as `undisclosed-recipients:;`, names nobody and may stay. */
const EMPTY_GROUP = /^[^:;"<>()@,]*:\s*;$/;

const nameOf = (name: string): string => name.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();

/** Reads a field of addresses as devices write it. What is no address is left out, and then the field is not exact. */
export const readAddressField = (value: string): ReadField => {
  if (EMPTY_GROUP.test(value)) return { addresses: [], isExact: true };
  const { addresses, wrong } = readAddresses(value, MAX_READ);
  if (wrong.length === 0) return { addresses, isExact: true };
  return {
    addresses: addressParser(value, { flatten: true })
      .flatMap(({ name, address }) => (address === undefined ? [] : [{ name: nameOf(name), address }]))
      .filter(({ address }) => isAddress(address))
      .map(({ name, address }) => (name === '' ? { address } : { name, address })),
    isExact: false,
  };
};
