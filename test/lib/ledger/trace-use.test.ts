import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  closeTrace,
  NO_TRACE_USE,
  TRACE_MARGIN_MS,
  TRACE_REQUESTS,
  TRACE_REQUESTS_OF_CALLERS,
  TRACE_WINDOW_MS,
  type TraceUse,
  takeRequest,
  traceUseNameOf,
} from '../../../src/lib/ledger/trace-use.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const later = (ms: number) => new Date(NOW.getTime() + ms);

const takeMany = (count: number, use: TraceUse = NO_TRACE_USE, now = NOW): TraceUse => {
  let last = use;
  for (let taken = 0; taken < count; taken += 1) {
    const next = takeRequest(last, now);
    if (next.kind !== 'taken') throw new Error(`expected request ${taken + 1} to be taken`);
    last = next.use;
  }
  return last;
};

describe('message traces are asked for 20 times in five minutes at most', () => {
  test('the twenty-first waits until the first counts no more', () => {
    const use = takeMany(TRACE_REQUESTS);
    expect(takeRequest(use, later(1000))).toEqual({
      kind: 'wait',
      until: later(TRACE_WINDOW_MS + TRACE_MARGIN_MS),
      reason: { code: 'TRACE_LIMIT_REACHED' },
    });
    expect(takeRequest(use, later(TRACE_WINDOW_MS + TRACE_MARGIN_MS)).kind).toBe('taken');
  });

  test('callers leave five of them to the people who run the relay', () => {
    const use = takeMany(TRACE_REQUESTS_OF_CALLERS);
    expect(takeRequest(use, NOW, TRACE_REQUESTS_OF_CALLERS).kind).toBe('wait');
    expect(takeRequest(use, NOW).kind).toBe('taken');
  });

  test('a wait is over when room is there, not before and not long after', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: TRACE_WINDOW_MS }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: TRACE_REQUESTS }),
        (gaps, most) => {
          let use = NO_TRACE_USE;
          let now = NOW;
          for (const gap of gaps) {
            now = new Date(now.getTime() + gap / 20);
            const taken = takeRequest(use, now, most);
            if (taken.kind === 'taken') {
              use = taken.use;
              continue;
            }
            expect(takeRequest(use, new Date(taken.until.getTime() - 1), most).kind).toBe('wait');
            expect(takeRequest(use, taken.until, most).kind).toBe('taken');
          }
          expect(use.requests.length).toBeLessThanOrEqual(TRACE_REQUESTS);
        },
      ),
    );
  });

  test('what is written by a clock that was wrong keeps nobody waiting for ever', () => {
    const use = { requests: Array.from({ length: 40 }, () => later(86_400_000).toISOString()) };
    expect(takeRequest(use, NOW).kind).toBe('taken');
    const closed = {
      requests: [],
      closed: { until: '2099-01-01T00:00:00Z', reason: { code: 'TRACE_THROTTLED' } },
    } as const;
    expect(takeRequest(closed, NOW).kind).toBe('taken');
  });

  test('what Exchange asks to wait holds for everybody, for an hour at most, with the reason', () => {
    const reason = { code: 'TRACE_THROTTLED' } as const;
    const use = closeTrace(takeMany(3), NOW, 60_000, reason);
    expect(takeRequest(use, later(59_999))).toEqual({ kind: 'wait', until: later(60_000), reason });
    expect(takeRequest(use, later(60_000)).kind).toBe('taken');
    expect(use.requests).toHaveLength(3);
    expect(takeRequest(closeTrace(NO_TRACE_USE, NOW, 86_400_000, reason), later(3_600_000)).kind).toBe(
      'taken',
    );
  });
});

describe('requests are counted by tenant', () => {
  const [one, other] = ['11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222'];

  test('each tenant that is named by its id has a count of its own, whatever case the id has', () => {
    expect(traceUseNameOf(one.toUpperCase(), [one, other])).toBe(one);
    expect(traceUseNameOf(other, [one, other])).toBe(other);
  });

  test('a single tenant can have the name of a domain', () => {
    expect(traceUseNameOf('Contoso.com', ['contoso.com'])).toBe('contoso.com');
  });

  test('where a domain and an id can be the same tenant, all are counted together', () => {
    expect(traceUseNameOf(one, [one, 'contoso.com'])).toBe(
      traceUseNameOf('contoso.com', [one, 'contoso.com']),
    );
  });
});
