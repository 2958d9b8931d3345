import { domainToASCII } from 'node:url';
import { addressParser, decodeWords } from 'postal-mime';
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
export type ReadField = {
  readonly addresses: readonly Address[];
  readonly isExact: boolean;
  /** Of the first, also where what follows it is no address. */
  readonly firstName?: string;
};

/** A list that is one group without members, such as `undisclosed-recipients:;`, names nobody and may stay. */
const EMPTY_GROUP = /^[^:;"<>()@,]*:\s*;$/;

const named = (written: string | undefined, address: string): Address => {
  const name = (written ?? '').replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return name === '' ? { address } : { name, address };
};

/** Reads a field of addresses as devices write it. What is no address is left out, and then the field is not exact. */
export const readAddressField = (value: string): ReadField => {
  if (EMPTY_GROUP.test(value)) return { addresses: [], isExact: true };
  const { addresses, wrong } = readAddresses(value, MAX_READ);
  if (wrong.length === 0) {
    const read = addresses.map(({ name, address }) => named(name && decodeWords(name), address));
    return { addresses: read, isExact: true, ...firstNameOf(read) };
  }
  const found = addressParser(value, { flatten: true }).map(({ name, address }) =>
    named(name, address ?? ''),
  );
  return {
    addresses: found.filter(({ address }) => isAddress(address)),
    isExact: false,
    ...firstNameOf(found),
  };
};

const firstNameOf = ([first]: readonly Address[]): { readonly firstName?: string } =>
  first?.name === undefined ? {} : { firstName: first.name };
