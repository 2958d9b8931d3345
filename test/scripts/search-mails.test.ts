import { expect, test } from 'vitest';
import { nothingFound } from '../../scripts/search-mails.ts';

test('nothing found by a Message-ID says when the relay knows one, and what to use instead', () => {
  const said = nothingFound({ internetMessageId: '<a@b.example>' });
  expect(said).toMatch(/^No email was found\.\n.*only if it sent the email as a draft/);
  expect(said).toMatch(/--graph-request.*--sender/);
  expect(nothingFound({ sender: 'a@b.example' })).toBe('No email was found.');
});
