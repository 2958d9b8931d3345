import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isBounced, type RecipientDelivery } from '../../../src/lib/ledger/ledger-row.ts';
import { claimNew, recordDeliveries, recordSent } from '../../../src/lib/ledger/transitions.ts';
import { aNewMail } from '../../support/a-new-mail.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const sent = recordSent(
  claimNew(aNewMail(NOW), true, NOW),
  { at: NOW.toISOString(), outcome: 'accepted' },
  NOW,
);
const at = (minutes: number): string => new Date(NOW.getTime() + minutes * 60_000).toISOString();

const delivery: fc.Arbitrary<RecipientDelivery> = fc.record(
  {
    recipient: fc.constantFrom('ada', 'bo'),
    status: fc.constantFrom('delivered', 'pending', 'failed', 'quarantined', 'spam', 'expanded'),
    source: fc.constantFrom('trace', 'report'),
    at: fc.integer({ min: 0, max: 3 }).map(at),
    code: fc.constantFrom('5.1.1', '4.4.7'),
    isGuess: fc.constant(true as const),
  },
  { requiredKeys: ['recipient', 'status', 'source', 'at'] },
);
const news = fc.array(delivery, { maxLength: 8 });
const known = (...learned: (readonly RecipientDelivery[])[]) =>
  new Map(learned.reduce(recordDeliveries, sent).fate.deliveries?.map((one) => [one.recipient, one]));

describe('what is known of recipients in the end', () => {
  test('does not depend on the order in which it was learned', () => {
    fc.assert(
      fc.property(
        news.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([one, other]) => {
          expect(known(...one.map((each) => [each]))).toEqual(known(other));
        },
      ),
    );
  });

  test('does not change when it is learned again', () => {
    fc.assert(
      fc.property(news, news, (first, then) => {
        expect(known(first, then, first)).toEqual(known(first, then));
      }),
    );
  });

  test('is of each recipient one thing that was learned, and nothing else changes', () => {
    fc.assert(
      fc.property(news, (all) => {
        const row = recordDeliveries(sent, all);
        expect(new Set(row.fate.deliveries?.map(({ recipient }) => recipient))).toEqual(
          new Set(all.map(({ recipient }) => recipient)),
        );
        for (const one of row.fate.deliveries ?? []) expect(all).toContainEqual(one);
        expect({ ...row, fate: { ...row.fate, deliveries: undefined } }).toEqual({
          ...sent,
          fate: { ...sent.fate, deliveries: undefined },
        });
      }),
    );
  });

  const one = (
    status: RecipientDelivery['status'],
    source: RecipientDelivery['source'],
    minutes = 0,
    isGuess = false,
  ) => ({
    ...{ recipient: 'ada', status, source, at: at(minutes) },
    ...(isGuess ? { isGuess: true as const } : {}),
  });

  test.each([
    ['the later of two', [one('pending', 'report', 0), one('failed', 'report', 1)], 'failed'],
    [
      'a report of a failure, also if the trace was read later',
      [one('failed', 'report', 0), one('delivered', 'trace', 9)],
      'failed',
    ],
    [
      'a trace that is later than a report of a delay',
      [one('pending', 'report', 0), one('delivered', 'trace', 1)],
      'delivered',
    ],
    [
      'what the trace says now, of an email that was released',
      [one('quarantined', 'trace', 0), one('delivered', 'trace', 1)],
      'delivered',
    ],
    [
      'what is certain, not a guess',
      [one('delivered', 'trace', 0), one('failed', 'report', 1, true)],
      'delivered',
    ],
    ['a guess, where there is nothing else', [one('failed', 'report', 0, true)], 'failed'],
  ])('is %s', (_case, all, status) => {
    expect(known(all).get('ada')?.status).toBe(status);
    expect(known(all.toReversed()).get('ada')?.status).toBe(status);
  });
});

describe('an email is called bounced', () => {
  const bounced = (change: Partial<RecipientDelivery>) =>
    isBounced(
      recordDeliveries(sent, [
        { recipient: 'ada', status: 'failed', source: 'report', at: at(0), ...change },
      ]),
    );

  test('if a recipient certainly did not get it', () => {
    expect([bounced({}), bounced({ source: 'trace' })]).toEqual([true, true]);
  });

  test('not for a delay, and not for a guess', () => {
    expect([bounced({ status: 'pending' }), bounced({ isGuess: true })]).toEqual([false, false]);
  });
});
