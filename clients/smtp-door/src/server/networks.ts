import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { Account } from '../settings.ts';

type Network = { readonly list: BlockList; readonly family: 'ipv4' | 'ipv6'; readonly prefix: number };

const MAPPED = /^::ffff:(?=\d+\.)/i;
/** An IPv4 address as an IPv6 socket reports it has 96 bits before it (RFC 4291, 2.5.5.2). */
const MAPPED_BITS = 96;
/** Wider than any network of one organisation: a prefix that short is a slip, and would make an open relay. */
const SHORTEST = { ipv4: 8, ipv6: 16 } as const;

const EXPECTED = 'a network in CIDR notation such as 10.1.2.0/24 or fd00:1::/64';

/** The address of a socket, with an IPv4 address in its own form. */
export const plainAddress = (address: string | undefined): string => {
  const [bare = ''] = (address ?? '').split('%');
  return bare.replace(MAPPED, '');
};

/** Reads a network; throws a sentence that says what was expected. */
export const readNetwork = (text: string): Network => {
  const [written = '', length, ...more] = text.trim().split('/');
  const isMapped = MAPPED.test(written);
  const address = plainAddress(written);
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  const bits = family === 'ipv4' ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length) - (isMapped ? MAPPED_BITS : 0);
  if (
    (family === 'ipv6' && (!isIPv6(address) || written.includes('%'))) ||
    more.length > 0 ||
    !/^\d{1,3}$/.test(length ?? '0') ||
    prefix > bits ||
    prefix < 0
  )
    throw new Error(`Expected ${EXPECTED}, received another text.`);
  if (prefix < SHORTEST[family])
    throw new Error(
      `Expected a network of at most /${SHORTEST[family]}, received /${prefix}: everyone in it could send without a password.`,
    );
  const list = new BlockList();
  list.addSubnet(address, prefix, family);
  return { list, family, prefix };
};

/** The account that an address is without signing in: that of the narrowest network which holds it. */
export const accountsByNetwork = (
  accounts: readonly Account[],
): ((address: string) => Account | undefined) => {
  const known = accounts
    .flatMap((account) => account.networks.map((text) => ({ account, ...readNetwork(text) })))
    .toSorted((one, other) => other.prefix - one.prefix);
  return (address) => {
    const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
    return known.find((network) => network.family === family && network.list.check(address, family))?.account;
  };
};

/** What one person can have many of: an IPv4 address, or the /64 of an IPv6 address. */
export const sourceOf = (address: string): string => {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array(Math.max(0, 8 - groups.length - behind.length)).fill('0');
  return [...groups, ...zeros, ...behind].slice(0, 4).join(':');
};

/** How a connection is found again behind its TLS. */
export const visitKey = (address: string | undefined, port: number | undefined, localPort: number): string =>
  `${plainAddress(address)} ${port} ${localPort}`;
