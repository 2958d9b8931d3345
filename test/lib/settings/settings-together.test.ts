import fc from 'fast-check';
import { expect, test } from 'vitest';
import { filesWithinMs, tokenTimeoutSeconds } from '../../../src/lib/settings/settings-together.ts';

test.each([
  [60, 300, { caller: 80_000, queue: 150_000 }],
  [30, 300, { caller: 140_000, queue: 210_000 }],
  [99, 300, { caller: 2000, queue: 72_000 }],
  [1, 9, { caller: 3000, queue: 3000 }],
  [60, 100, { caller: 0, queue: 0 }],
])('with %i s for a request and a functionTimeout of %i s, files have %o', (seconds, limit, expected) => {
  expect(filesWithinMs({ GRAPH_TIMEOUT_SECONDS: seconds }, limit)).toEqual(expected);
});

test('after the last request for a file there is time for a token and for the request that sends', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 600 }), (seconds, limit) => {
      const settings = { GRAPH_TIMEOUT_SECONDS: seconds };
      const { caller, queue } = filesWithinMs(settings, limit);
      const rest = (2 * seconds + tokenTimeoutSeconds(settings)) * 1000;
      for (const [within, end] of [
        [caller, Math.min(limit, 230)],
        [queue, limit],
      ] as const)
        if (within > 0) expect(within + rest).toBeLessThan(end * 1000);
    }),
  );
});
