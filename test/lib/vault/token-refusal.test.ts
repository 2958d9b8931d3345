import { expect, test } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import { makeTokenSource } from '../../../src/lib/vault/entra-token.ts';

test.each([
  [0, 5000],
  [1000, 5000],
  [2000, 8000],
  [15_000, 60_000],
  [40_000, 60_000],
])('a refusal that took %i ms is kept for %i ms, in which nobody is asked', async (tookMs, keptMs) => {
  let time = 0;
  let asked = 0;
  const tokens = makeTokenSource(
    async () => {
      asked += 1;
      time += tookMs;
      throw new AppError('ENTRA_UNREACHABLE');
    },
    { timeoutMs: 60_000, now: () => new Date(time) },
  );
  const ask = () => expect(tokens.readToken()).rejects.toThrow(AppError);
  await Promise.all(Array.from({ length: 100 }, ask));
  time += keptMs - 1;
  await ask();
  expect(asked).toBe(1);
  time += 1;
  await ask();
  expect(asked).toBe(2);
});
