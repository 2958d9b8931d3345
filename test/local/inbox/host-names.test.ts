import { expect, test } from 'vitest';
import { readHostNames } from '../../../local/inbox/host-names.ts';

test('the inbox can be given the names by which containers call it', () => {
  expect(readHostNames(['mailpit', ' Mail-1.Test.Internal '])).toEqual(['mailpit', 'mail-1.test.internal']);
});

test.each([
  '',
  'mailpit:8025',
  'http://mailpit',
  'a b',
  '-mailpit',
  'mail_pit',
  '*',
  '*.example',
  '10.0.0.1',
  '0',
  '[::1]',
])('what is not a host name is refused, with what is expected: %j', (name) => {
  expect(() => readHostNames([name])).toThrow(
    '--host-name: expected a host name without a port, such as mailpit',
  );
});
