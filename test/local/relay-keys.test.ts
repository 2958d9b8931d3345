import { expect, test } from 'vitest';
import { chooseRelayKeys } from '../../local/relay-keys.ts';

test('where nothing leaves the machine the keys are those of the documentation', () => {
  expect(chooseRelayKeys({ mailsAreReal: false })).toEqual({
    functionKey: 'local-function-key',
    masterKey: 'local-master-key',
  });
});

test('where mails are real every start has keys that nobody knew before', () => {
  const keys = [chooseRelayKeys({ mailsAreReal: true }), chooseRelayKeys({ mailsAreReal: true })].flatMap(
    (one) => Object.values(one),
  );
  expect(new Set(keys).size).toBe(4);
  for (const key of keys) expect(key).toMatch(/^[\w-]{32}$/);
});
