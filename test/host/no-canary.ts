import { expect } from 'vitest';
import { SECRET_NAME } from '../../local/cloud.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { CANARY, type RelayForTests } from './relay-for-tests.ts';

/**
 * Looks through all that the relay said, in its log and in problem answers, for what it must never say: anything of a
 * mail, an address, a secret, a key or a token.
 */
export const expectNoCanary = ({ lines, problems, cloud }: RelayForTests): void => {
  const forbidden = [
    CANARY,
    '@contoso.example',
    '@fabrikam.example',
    ...cloud.secrets.versions(SECRET_NAME).map(({ value }) => value),
    KEYS.functionKey,
    KEYS.masterKey,
    // How every token begins: {"alg"
    'eyJhbGci',
  ];
  expect(lines.length).toBeGreaterThan(0);
  for (const text of [...lines, ...problems])
    for (const word of forbidden) expect(text.toLowerCase()).not.toContain(word.toLowerCase());
};
