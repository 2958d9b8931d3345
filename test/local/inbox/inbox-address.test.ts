import { describe, expect, test } from 'vitest';
import { readInboxAddress } from '../../../local/inbox/inbox-address.ts';

const CODESPACE = {
  CODESPACES: 'true',
  CODESPACE_NAME: 'octocat-fluffy',
  GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN: 'app.github.dev',
};

describe('the address of a forwarded inbox', () => {
  test.each([
    ['is not there on an ordinary machine', {}, undefined],
    ['is as it is given', { INBOX_ADDRESS: 'https://tunnel.example' }, 'https://tunnel.example'],
    ['may end in a slash', { INBOX_ADDRESS: ' https://Tunnel.example/ ' }, 'https://tunnel.example'],
    ['is known in a codespace', CODESPACE, 'https://octocat-fluffy-8025.app.github.dev'],
    [
      'is the one given, in a codespace too',
      { ...CODESPACE, INBOX_ADDRESS: 'https://a.example' },
      'https://a.example',
    ],
    ['is not guessed without the name of the codespace', { CODESPACES: 'true' }, undefined],
    ['is not made of anything but names', { ...CODESPACE, CODESPACE_NAME: 'evil.example/' }, undefined],
  ])('%s', (_, environment, address) => {
    expect(readInboxAddress(environment, 8025)).toBe(address);
  });

  test.each(['http://tunnel.example', 'tunnel.example', 'https://tunnel.example/inbox', '*'])(
    'is not %s',
    (given) => {
      expect(() => readInboxAddress({ INBOX_ADDRESS: given }, 8025)).toThrow(
        'INBOX_ADDRESS: expected an address without a path, such as https://name-8025.app.github.dev.',
      );
    },
  );
});
