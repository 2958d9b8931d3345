import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeMeter } from '../../../src/lib/metrics/meter.ts';
import { minus, plus, readSeriesKey, seriesKey, type Tally } from '../../../src/lib/metrics/tally.ts';

const keys = fc.constantFrom('["a"]', '["a","x","1"]', '["b"]');
const tallies: fc.Arbitrary<Tally> = fc.record({
  counts: fc.dictionary(keys, fc.nat(1000)),
  distributions: fc.dictionary(
    keys,
    fc.record({ buckets: fc.array(fc.nat(100), { minLength: 3, maxLength: 3 }), sum: fc.nat(10_000) }),
  ),
});
const withoutZeros = ({ counts, distributions }: Tally) => ({
  counts: Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
  distributions: Object.fromEntries(
    Object.entries(distributions).filter(([, { buckets, sum }]) => sum > 0 || buckets.some(Boolean)),
  ),
});

describe('what was counted', () => {
  test('adds up in any order, and what is taken away leaves the rest', () => {
    fc.assert(
      fc.property(tallies, tallies, tallies, (one, two, three) => {
        expect(plus(plus(one, two), three)).toEqual(plus(three, plus(two, one)));
        expect(withoutZeros(minus(plus(one, two), two))).toEqual(withoutZeros(one));
      }),
    );
  });

  test('of two fractions of a second leaves nothing less than nothing', () => {
    const sum = (value: number): Tally => ({
      counts: {},
      distributions: { '["t"]': { buckets: [1], sum: value } },
    });
    const rest = minus(plus(sum(0.1), sum(0.2)), sum(0.3 + 1e-16));
    expect(rest.distributions['["t"]']?.sum).toBeGreaterThanOrEqual(0);
    expect(minus(sum(0.3), sum(0.1 + 0.2)).distributions['["t"]']?.sum).toBe(0);
  });
});

describe('the key of a series', () => {
  test('is the same in whatever order its attributes are, and says them again', () => {
    const key = seriesKey('mailrelay.graph.requests', { connection: 'main', answer: 'lost' });
    expect(key).toBe(seriesKey('mailrelay.graph.requests', { answer: 'lost', connection: 'main' }));
    expect(readSeriesKey(key)).toEqual({
      instrument: 'mailrelay.graph.requests',
      attributes: { answer: 'lost', connection: 'main' },
    });
  });

  test.each(['', '[]', '["a","b"]', '[1]', '{"a":1}', 'mailrelay'])('%s is none', (text) => {
    expect(readSeriesKey(text)).toBeUndefined();
  });
});

test('a value is in the first bucket whose bound it does not exceed, and else in the last one', () => {
  const meter = makeMeter();
  for (const attempts of [1, 1, 2, 4, 51])
    meter.count({
      event: 'MailSent',
      mailId: 'm',
      attempts,
      caller: 'payroll',
      recipients: 1,
      tags: [],
      verified: false,
      tookMs: 0,
    });
  expect(meter.tally().distributions['["mailrelay.mail.attempts"]']).toEqual({
    buckets: [2, 1, 0, 1, 0, 0, 0, 1],
    sum: 59,
  });
});
