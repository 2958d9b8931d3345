import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bytesFit,
  bytesRoomAt,
  bytesStepMs,
  currentBytes,
  LARGE_BYTES,
  type SentBytes,
  withBytes,
} from '../../../src/lib/sending/mailbox-bytes.ts';

const START = Date.parse('2026-03-02T08:00:00Z');
const FIVE_MINUTES = 300_000;
const LIMIT = 150_000_000;

const mostInFiveMinutes = (sent: SentBytes): number =>
  Math.max(
    0,
    ...sent.map(([first]) =>
      sent.reduce((sum, [at, bytes]) => (at >= first && at < first + FIVE_MINUTES ? sum + bytes : sum), 0),
    ),
  );

test('whatever is asked for in whatever order, no five minutes get more than 150 MB, and what is said to fit does', () => {
  const asked = fc.array(
    fc.record({ afterMs: fc.nat(1_200_000), bytes: fc.integer({ min: LARGE_BYTES, max: 80_000_000 }) }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(asked, (emails) => {
      let counted: SentBytes = [];
      const sent: (readonly [number, number])[] = [];
      for (const { afterMs, bytes } of emails) {
        const room = bytesRoomAt(counted, START + afterMs, bytes);
        expect(room).toBeGreaterThanOrEqual(START + afterMs);
        expect(bytesFit(counted, room, bytes)).toBe(true);
        counted = withBytes(counted, room, bytes);
        sent.push([room, bytes]);
      }
      expect(mostInFiveMinutes(sent)).toBeLessThanOrEqual(LIMIT);
    }),
  );
});

test('150 MB go at once, and the next when five minutes are over', () => {
  let counted: SentBytes = [];
  for (let email = 0; email < 15; email += 1) {
    expect(bytesRoomAt(counted, START, 10_000_000)).toBe(START);
    counted = withBytes(counted, START, 10_000_000);
  }
  const waits = bytesRoomAt(counted, START, 10_000_000) - START;
  expect(waits).toBeGreaterThanOrEqual(FIVE_MINUTES);
  expect(waits).toBeLessThan(1.1 * FIVE_MINUTES);
});

test('one that is larger than the limit goes where there is no other', () => {
  const counted = withBytes([], START, 600_000);
  expect(bytesFit([], START, 2 * LIMIT)).toBe(true);
  expect(bytesFit(counted, START + 1000, 2 * LIMIT)).toBe(false);
});

test('small emails are not counted, and many large ones are few numbers, which end', () => {
  expect(withBytes([], START, LARGE_BYTES - 1)).toEqual([]);
  let counted: SentBytes = [];
  for (let email = 0; email < 10_000; email += 1) counted = withBytes(counted, START + 60 * email, 600_000);
  expect(counted.length).toBeLessThan(50);
  expect(currentBytes(counted, START + 2 * 600_000 + FIVE_MINUTES)).toEqual([]);
});

test('at the distance of its step, emails of each size use nearly the limit', () => {
  for (const bytes of [2_000_000, 10_000_000, 75_000_000]) {
    const inFiveMinutes = (FIVE_MINUTES / bytesStepMs(bytes)) * bytes;
    expect(inFiveMinutes).toBeLessThanOrEqual(LIMIT);
    expect(inFiveMinutes).toBeGreaterThan(0.9 * LIMIT);
  }
});
