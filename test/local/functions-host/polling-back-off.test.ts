import { expect, test } from 'vitest';
import { makePollingBackOff } from '../../../local/functions-host/polling-back-off.ts';

const pauses = (random: number, found: readonly boolean[]) => {
  const next = makePollingBackOff(2_000, () => random);
  return found.map((one) => next(one));
};

test('pauses double up to the maximum', () => {
  expect(pauses(0.5, [false, false, false, false, false, false, false])).toEqual([
    200, 300, 500, 900, 1_700, 2_000, 2_000,
  ]);
});

test('a message found since makes the next pause the shortest', () => {
  expect(pauses(0.5, [false, false, true, false])).toEqual([200, 300, 100, 200]);
});

test('the pause is spread by a fifth in both directions', () => {
  expect(pauses(0, [false])).toEqual([180]);
  expect(pauses(1, [false])).toEqual([220]);
});
