import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admissibleBytes, heldFor, makeAdmission, type Room } from '../../../src/lib/delivery/admission.ts';

const MB = 1_000_000;

const forEver = () => new Promise<never>(() => {});

describe('contents that are worked on', () => {
  test('have room until the memory for them is taken, and again when one is done', () => {
    const { open } = makeAdmission(10 * MB);
    const [first, second, third] = [open(), open(), open()];
    expect([first.grow(4 * MB), second.grow(4 * MB), third.grow(4 * MB)]).toEqual([true, true, false]);
    first.close();
    expect(third.grow(4 * MB)).toBe(true);
  });

  test('grow as they arrive, and what has no more room keeps what it has', () => {
    const { open } = makeAdmission(10 * MB);
    const [one, other] = [open(), open()];
    for (const bytes of [1, 2, 3, 4, 5, 6]) expect(one.grow(bytes * MB)).toBe(true);
    expect(other.grow(4 * MB)).toBe(true);
    expect(one.grow(7 * MB)).toBe(false);
    other.close();
    expect(one.grow(7 * MB)).toBe(true);
  });

  test('have room where they are small, and where one is alone', () => {
    const { open } = makeAdmission(MB);
    expect(open().grow(8 * MB)).toBe(true);
    expect(open().grow(64_000)).toBe(true);
    expect(open().grow(64_001)).toBe(false);
  });

  test('give their room back once', () => {
    const { open } = makeAdmission(4 * MB);
    const first = open();
    first.grow(4 * MB);
    first.close();
    first.close();
    expect(open().grow(4 * MB)).toBe(true);
    expect(open().grow(MB)).toBe(false);
  });

  test('that nobody waits for with a request wait in turn, and no later one passes them', async () => {
    const { open, enter } = makeAdmission(4 * MB);
    const order: string[] = [];
    const first = open();
    first.grow(3 * MB);
    const tell = async (name: string, bytes: number): Promise<Room | undefined> => {
      const room = await enter(bytes, forEver);
      order.push(name);
      return room;
    };
    const large = tell('large', 4 * MB);
    const small = tell('small', MB);
    first.close();
    (await large)?.close();
    (await small)?.close();
    expect(order).toEqual(['large', 'small']);
  });

  test('go without room when their patience ends, and let pass those behind them', async () => {
    const { open, enter } = makeAdmission(4 * MB);
    open().grow(3 * MB);
    const patience = Promise.withResolvers<void>();
    const large = enter(4 * MB, () => patience.promise);
    const small = enter(MB, forEver);
    patience.resolve();
    expect(await large).toBeUndefined();
    expect((await small)?.grow(MB)).toBe(true);
  });

  test('are not asked for patience where there is room', async () => {
    const never = () => {
      throw new Error('asked');
    };
    expect(await makeAdmission(4 * MB).enter(MB, never)).toBeDefined();
  });
});

test('whatever comes and goes, more than one never take more than there is, and all room comes back', () => {
  const step = fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 8 * MB }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { open } = makeAdmission(10 * MB);
      const rooms = new Map<number, { room: Room; bytes: number }>();
      for (const [who, bytes] of steps) {
        const held = rooms.get(who) ?? { room: open(), bytes: 0 };
        if (bytes % 3 === 0) {
          held.room.close();
          rooms.delete(who);
          continue;
        }
        if (held.room.grow(bytes) && bytes > 64_000) held.bytes = Math.max(held.bytes, bytes);
        rooms.set(who, held);
        const taken = [...rooms.values()].map((one) => one.bytes).filter((one) => one > 0);
        // One alone may have taken more before the others came.
        if (taken.length > 1 && Math.max(...taken) <= 10 * MB)
          expect(taken.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(10 * MB);
      }
      for (const { room } of rooms.values()) room.close();
      const [one, other] = [open(), open()];
      expect([one.grow(5 * MB), other.grow(5 * MB)]).toEqual([true, true]);
    }),
  );
});

describe('an instance', () => {
  const roomsIn = (memory: number, bytes: number): number => {
    const { open } = makeAdmission(admissibleBytes(memory), heldFor);
    let rooms = 0;
    while (open().grow(bytes)) rooms += 1;
    return rooms;
  };

  test.each([
    ['of 512 MB works on eight emails of 4 MB', 512, 4, 8],
    ['of 512 MB works on one request of 100 MB', 512, 100, 1],
    ['of 2 GB works on three requests of 100 MB', 2048, 100, 3],
  ])('%s', (_, memory, bytes, rooms) => {
    expect(roomsIn(memory * 1024 ** 2, bytes * MB)).toBe(rooms);
  });

  test('counts an email as received, its request to Graph, and that request encrypted', () => {
    expect(heldFor(3 * MB)).toBe(9 * MB);
    expect(heldFor(100 * MB)).toBe(108 * MB);
  });
});

test('what an email names takes room beside what it brings', () => {
  const { open } = makeAdmission(10 * MB);
  const [one, other] = [open(), open()];
  expect([other.grow(MB), one.grow(4 * MB), one.add(4 * MB), one.add(4 * MB)]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  other.close();
  expect(one.add(4 * MB)).toBe(true);
});
