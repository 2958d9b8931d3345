import { describe, expect, test } from 'vitest';
import {
  accountsByNetwork,
  plainAddress,
  readNetwork,
  sourceOf,
} from '../../../clients/smtp-door/src/server/networks.ts';

const account = (name: string, ...networks: readonly string[]) => ({ name, networks, replaceFrom: false });

describe('the account of a network', () => {
  const find = accountsByNetwork([
    account('lan', '10.0.0.0/8', 'fd00::/16'),
    account('floor', '10.1.2.0/24', 'fd00:1:2::/48'),
    account('printer', '10.1.2.7', '::ffff:192.168.1.0/120'),
  ]);

  test.each([
    ['10.9.9.9', 'lan'],
    ['10.1.2.8', 'floor'],
    ['10.1.2.7', 'printer'],
    ['192.168.1.200', 'printer'],
    ['fd00:9::1', 'lan'],
    ['fd00:1:2::1', 'floor'],
    ['::ffff:10.1.2.7', 'printer'],
    ['11.0.0.1', undefined],
    ['fe80::1', undefined],
    ['', undefined],
    ['chan', undefined],
  ])('of %s is %s: the narrowest network counts', (address, name) => {
    expect(find(plainAddress(address))?.name).toBe(name);
  });
});

describe('a network', () => {
  test.each(['0.0.0.0/0', '10.0.0.0/7', '::/0', '2000::/3', '::ffff:0.0.0.0/96'])(
    'cannot be as wide as %s',
    (text) => {
      expect(() => readNetwork(text)).toThrow(/everyone in it could send without a password/);
    },
  );

  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0/24',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    'fd00::/129',
    'fe80::1%eth0/64',
    'contoso.com',
    '10.0.0.0/x',
  ])('cannot be %j', (text) => {
    expect(() => readNetwork(text)).toThrow(/^Expected a network in CIDR notation such as 10\.1\.2\.0\/24/);
  });
});

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['fd00:1:2:3:4:5:6:7', 'fd00:1:2:3'],
  ['fd00:1::7', 'fd00:1:0:0'],
  ['::1', '0:0:0:0'],
])('connections from %s count together with those of %s', (address, source) => {
  expect(sourceOf(address)).toBe(source);
});
