import { expect, test } from 'vitest';
import { keptProblems } from '../../../src/lib/mail/kept-problems.ts';

const kept = (pointer: string) =>
  keptProblems([{ code: 'FIELD_UNKNOWN', pointer, expected: 'e', received: 'r' }]).map(
    (problem) => problem.pointer,
  );

test.each([
  ['', ''],
  ['/to', '/to'],
  ['/to/12/address', '/to/12/address'],
  ['/attachments/0/contentType', '/attachments/0/contentType'],
  ['/calendar/ics', '/calendar/ics'],
  ['/mime', '/mime'],
])('a place of the contract stays: %s', (pointer, expected) => {
  expect(kept(pointer)).toEqual([expected]);
});

test.each([
  ['what another product calls a field', '/textBody', '/textBody'],
  ['a slip', '/subjct', '/subjct'],
  ['what another product calls a part of a field', '/to/email', '/to/email'],
])('%s stays, as it is no data', (_case, pointer, expected) => {
  expect(kept(pointer)).toEqual([expected]);
});

test.each([
  ['of a field', '/Chan', ''],
  ['of a number', '/98765', ''],
  ['of a part of a file', '/attachments/0/Chan', '/attachments/0'],
  ['of a header', '/headers/x-chan', '/headers'],
  ['of a header that is named as a field is', '/headers/address', '/headers'],
  ['and what is inside it', '/Chan/0/address', ''],
])('the name %s that the application chose does not', (_case, pointer, expected) => {
  expect(kept(pointer)).toEqual([expected]);
});
