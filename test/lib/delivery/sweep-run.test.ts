import { describe, expect, test } from 'vitest';
import { ago, countFailure, forEach } from '../../../src/lib/delivery/sweep-run.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';
import { aRun } from './sweep-for-tests.ts';

async function* numbers(count: number): AsyncIterable<number> {
  for (let number = 1; number <= count; number += 1) yield number;
}

/** Sweeps numbers, of which some fail. */
const sweepNumbers = async (count: number, fails: (number: number) => boolean, isOver?: () => boolean) => {
  const world = inMemoryPorts();
  const run = aRun(isOver);
  const swept: number[] = [];
  const failure = await forEach(world.needs, run, numbers(count), {
    mailIdOf: (number) => `mail ${number}`,
    sweep: async (number) => {
      if (fails(number)) throw new RangeError('canary');
      swept.push(number);
    },
  }).catch((error: unknown) => error);
  return { ...world, counts: run.counts, swept, failure };
};

describe('a part of the sweep', () => {
  test('passes what fails, and names it by its mail', async () => {
    const { swept, counts, logged } = await sweepNumbers(4, (number) => number === 2);
    expect([swept, counts.failed]).toEqual([[1, 3, 4], 1]);
    expect(logged).toEqual([{ event: 'SweepFailed', mailId: 'mail 2', name: 'RangeError' }]);
  });

  test('stops where nothing works any more: twenty failures in a row are passed, and the next is thrown', async () => {
    const { counts, failure } = await sweepNumbers(50, () => true);
    expect(failure).toBeInstanceOf(RangeError);
    expect(counts.failed).toBe(20);
  });

  test('goes on however many fail, as long as some do not', async () => {
    const { counts, failure, swept } = await sweepNumbers(200, (number) => number % 20 !== 0);
    expect([failure, swept.length, counts.failed]).toEqual([undefined, 10, 190]);
  });

  test('ends before the next one when its time is over', async () => {
    let left = 2;
    const { swept } = await sweepNumbers(
      5,
      () => false,
      () => left-- === 0,
    );
    expect(swept).toEqual([1, 2]);
  });
});

test.each([
  [new AppError('STORAGE_UNAVAILABLE', { detail: 'canary' }), 'STORAGE_UNAVAILABLE'],
  [new TypeError('canary'), 'TypeError'],
  ['canary', 'Error'],
])('a failure is named by its code or kind, never by its message: %s', (failure, name) => {
  const { needs, logged } = inMemoryPorts();
  const run = aRun();
  countFailure(needs, run, 'mail', failure);
  expect(logged).toEqual([{ event: 'SweepFailed', mailId: 'mail', name }]);
  expect(run.counts.failed).toBe(1);
});

test('what is due is counted back from now', () => {
  const { needs, pass } = inMemoryPorts();
  pass(5000);
  expect(ago(needs, 5000)).toEqual(NOW);
});
