import { describe, expect, test } from 'vitest';
import { lazily, openedAtFirstCall } from '../../src/lib/lazily.ts';

type Port = {
  readonly add: (a: number, b: number) => Promise<number>;
  readonly count: (to: number) => AsyncIterable<number>;
};

const adapter: Port = {
  add: async (a, b) => a + b,
  count: async function* (to) {
    for (let number = 1; number <= to; number += 1) yield number;
  },
};

const opening = (fails: readonly boolean[] = []) => {
  let opened = 0;
  const port = openedAtFirstCall<Port>(
    async () => {
      opened += 1;
      if (fails[opened - 1]) throw new Error('not now');
      return adapter;
    },
    { add: 'promise', count: 'list' },
  );
  return { port, opened: () => opened };
};

describe('a port that is opened at its first call', () => {
  test('is not opened to be passed on', () => {
    const { port, opened } = opening();
    expect(Object.keys({ ...port })).toEqual(['add', 'count']);
    expect(opened()).toBe(0);
  });

  test('is opened once, however many calls come at the same time', async () => {
    const { port, opened } = opening();
    const listed = (async () => {
      const numbers = [];
      for await (const number of port.count(3)) numbers.push(number);
      return numbers;
    })();
    expect(await Promise.all([port.add(1, 2), port.add(3, 4), listed])).toEqual([3, 7, [1, 2, 3]]);
    expect(opened()).toBe(1);
  });

  test('gives a promise for a call, so that its failures are explained, and a list to iterate', () => {
    const { port } = opening();
    expect(port.add(1, 2)).toBeInstanceOf(Promise);
    expect(port.count(1)[Symbol.asyncIterator]).toBeTypeOf('function');
  });

  test('is opened again at the next call if it could not be opened', async () => {
    const { port, opened } = opening([true]);
    await expect(port.add(1, 2)).rejects.toThrow('not now');
    expect(await port.add(1, 2)).toBe(3);
    expect(opened()).toBe(2);
  });
});

test('what is made lazily is made once', async () => {
  const make = lazily(async () => ({}));
  expect(await make()).toBe(await make());
});
