import { expect, test } from 'vitest';
import { isMailId, newMailId } from '../../../src/lib/ledger/mail-id.ts';

const NOW = new Date('2026-03-02T08:00:00Z');

test('a new id is one, unlike any other, and later ones come later in order', () => {
  const ids = [
    newMailId(NOW),
    newMailId(new Date(NOW.getTime() + 1)),
    newMailId(new Date(NOW.getTime() + 2)),
  ];
  for (const id of ids) expect(isMailId(id)).toBe(true);
  expect(ids.toSorted()).toEqual(ids);
  expect(newMailId(NOW)).not.toBe(ids[0]);
});

test.each([
  ['01a20556-8aab-77d5-aa30-5d8c2af8cc9f', true],
  ['01A20556-8AAB-77D5-AA30-5D8C2AF8CC9F', true],
  ['', false],
  ['01a20556-8aab-77d5-aa30-5d8c2af8cc9', false],
  ['01a20556-8aab-77d5-aa30-5d8c2af8cc9f ', false],
  ["01a20556-8aab-77d5-aa30-5d8c2af8cc9f' or true", false],
  ['../01a20556-8aab-77d5-aa30-5d8c2af8cc9f', false],
])('%j is an id: %s', (text, expected) => {
  expect(isMailId(text)).toBe(expected);
});
