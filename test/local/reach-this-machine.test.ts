import { expect, test } from 'vitest';
import { noProxyHere } from '../../local/reach-this-machine.ts';

test.each([
  [{}, 'localhost,127.0.0.1'],
  [{ NO_PROXY: '.contoso.com, 127.0.0.1' }, '.contoso.com,127.0.0.1,localhost'],
  [{ no_proxy: '.contoso.com' }, '.contoso.com,localhost,127.0.0.1'],
])('of %j this machine is among the hosts without a proxy: %s', (environment, expected) => {
  expect(noProxyHere(environment)).toBe(expected);
});
