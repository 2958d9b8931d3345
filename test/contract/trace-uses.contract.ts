import { describe, expect, test } from 'vitest';
import { NO_TRACE_USE, type TraceUse } from '../../src/lib/ledger/trace-use.ts';
import type { TraceUses } from '../../src/lib/ports.ts';

const SOME: TraceUse = { requests: ['2026-03-02T08:00:00.000Z'] };
const MORE: TraceUse = {
  requests: ['2026-03-02T08:00:00.000Z', '2026-03-02T08:00:01.000Z'],
  closed: {
    until: '2026-03-02T08:05:00.000Z',
    reason: { code: 'TRACE_THROTTLED', upstreamCode: 'TooManyRequests' },
  },
};

/** What every store of uses of message traces does, whatever it is made of. Uses of other tests may stand in it. */
export const traceUsesContract = (name: string, open: () => TraceUses): void => {
  describe(`${name} keeps uses of message traces`, () => {
    test('what nobody has written is nothing, and has no version; the time is there all the same', async () => {
      const { use, etag, now } = await open().read('nobody.example');
      expect([use, etag]).toEqual([NO_TRACE_USE, undefined]);
      expect(now?.getTime()).toBeGreaterThan(0);
    });

    test('what was written is read as it was, with the time, by tenant', async () => {
      const uses = open();
      expect(await uses.write('contoso.example', MORE, undefined)).toBe(true);
      expect(await uses.read('contoso.example')).toEqual({
        use: MORE,
        etag: expect.any(String),
        now: expect.any(Date),
      });
      expect((await uses.read('fabrikam.example')).use).toEqual(NO_TRACE_USE);
    });

    test('of two that write at one version, the second writes nothing', async () => {
      const uses = open();
      expect(await uses.write('two.example', SOME, undefined)).toBe(true);
      expect(await uses.write('two.example', MORE, undefined)).toBe(false);
      const { etag } = await uses.read('two.example');
      expect(await uses.write('two.example', MORE, etag)).toBe(true);
      expect(await uses.write('two.example', SOME, etag)).toBe(false);
      expect((await uses.read('two.example')).use).toEqual(MORE);
    });
  });
};
