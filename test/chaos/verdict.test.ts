import { expect, test } from 'vitest';
import type { LedgerRow, MailState } from '../../src/lib/ledger/ledger-row.ts';
import { brokenPromises, type MailStory } from '../support/mail-promises.ts';
import { countBroken, isHeld, toVerdict } from './verdict.ts';

const rowIn = (state: MailState) => ({ fate: { state } }) as LedgerRow;

const aStory = (override: Partial<MailStory> = {}): MailStory => ({
  mailId: 'some-id',
  policy: 'verify',
  accepted: true,
  toldSent: true,
  doubted: false,
  replays: 0,
  copies: 1,
  row: rowIn('sent'),
  recorded: undefined,
  content: {},
  ...override,
});
const canceled = (override: Partial<MailStory> = {}) =>
  aStory({
    copies: 0,
    toldSent: false,
    toldCanceled: true,
    mayBeCanceled: true,
    row: rowIn('canceled'),
    ...override,
  });
const countsOf = (stories: readonly MailStory[], damaged = 0, broken: readonly string[] = []) =>
  Object.fromEntries(
    countBroken({ stories, damaged, broken }).map(({ name, count }) => [name, count] as const),
  );

test.each([
  ['sent once', aStory(), {}],
  ['sent twice', aStory({ copies: 2 }), { doubled: 1 }],
  ['sent twice where somebody chose to resend', aStory({ copies: 2, policy: 'resend' }), {}],
  ['never sent, though its caller was told so', aStory({ copies: 0 }), { lost: 1 }],
  ['accepted and gone', aStory({ copies: 0, toldSent: false }), { lost: 1 }],
  ['still on its way', aStory({ copies: 0, toldSent: false, row: rowIn('deferred') }), { unfinished: 1 }],
  ['canceled at the wish of its caller', canceled(), {}],
  ['canceled, though nobody asked for it', canceled({ mayBeCanceled: false }), { lost: 1 }],
  ['never accepted', aStory({ copies: 0, toldSent: false, accepted: false }), {}],
])('a mail %s', (_, story, counted) => {
  expect(countsOf([story])).toEqual({ lost: 0, doubled: 0, damaged: 0, unfinished: 0, other: 0, ...counted });
});

test.each([
  [
    'is canceled, and was sent',
    canceled({ copies: 1 }),
    /told that it was canceled, and it was sent 1 times/,
  ],
  ['is canceled, and nobody asked for it', canceled({ mayBeCanceled: false }), /nobody asked to cancel it/],
  [
    'is sent, though its caller was told that it is canceled',
    canceled({ row: rowIn('sent') }),
    /canceled, and it is sent/,
  ],
  ['was sent before its time', aStory({ isEarly: true }), /before its sendAt/],
])('a promise is broken where a mail %s', (_, story, words) => {
  expect(brokenPromises(story).join('; ')).toMatch(words);
});

test('no promise is broken where a mail is canceled as its caller wished, or sent at its time', () => {
  expect([canceled(), aStory({ isEarly: false })].flatMap(brokenPromises)).toEqual([]);
});

test('the promise holds only where nothing at all was broken', () => {
  const kept = countBroken({ stories: [aStory()], damaged: 0, broken: [] });
  expect(isHeld(kept)).toBe(true);
  expect(toVerdict(kept, 1)).toMatch(/held {4}lost {8}0 of 1, aim 0[\s\S]*Verdict: held$/);
  for (const broken of [
    countBroken({ stories: [aStory()], damaged: 1, broken: ['damaged'] }),
    countBroken({ stories: [aStory()], damaged: 0, broken: ['a payload is left over'] }),
  ]) {
    expect(isHeld(broken)).toBe(false);
    expect(toVerdict(broken, 1)).toMatch(/Verdict: BROKEN$/);
  }
});
