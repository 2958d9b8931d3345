import { describe, expect, test } from 'vitest';
import { makeLaneWorld, mostInAnyMinute } from '../../bench/lanes/lane-world.ts';

const MINUTE = 60_000;
const SEED = 17;
const BUSY = 'busy@contoso.example';

describe('instances that share a mailbox, in moved time', () => {
  test.each([
    [5, 45],
    [20, 100],
  ])('%i instances send a burst of %i nearly as fast as the limit allows', async (instances, mails) => {
    const world = makeLaneWorld({ instances, seed: SEED });
    world.offer(mails, [BUSY]);
    await world.runUntil(20 * MINUTE);
    const took = world.mails.map(({ sentAt, putAt }) => (sentAt ?? Number.POSITIVE_INFINITY) - putAt);
    // Thirty go at once, and 25 of those that wait in each minute; a quarter more for what instances keep.
    const least = Math.ceil((mails - 30) / 25) * MINUTE;
    expect(Math.max(...took)).toBeLessThan(1.25 * least + MINUTE);
    expect(mostInAnyMinute(world.calls)).toBeLessThanOrEqual(30);
  });

  test.each([1, 5, 20])(
    '%i instances ask storage less than once an email for a busy one, and seldom in vain',
    async (count) => {
      const world = makeLaneWorld({ instances: count, seed: SEED });
      world.offer(1000, [BUSY]);
      await world.runUntil(10 * MINUTE);
      const { read, written, conflicts } = world.requests;
      expect((read + written) / 1000).toBeLessThan(0.75);
      expect(conflicts / 1000).toBeLessThan(0.12);
    },
  );

  test('a queue that is longer than what they can process in a minute does not stop them: starts would all be missed', async () => {
    const world = makeLaneWorld({ instances: 2, seed: SEED });
    const mailboxes = Array.from({ length: 200 }, (_, number) => `${number}@contoso.example`);
    world.offer(100, mailboxes);
    const sent: number[] = [];
    for (let minute = 1; minute <= 3; minute += 1) {
      await world.runUntil(minute * MINUTE);
      sent.push(
        world.calls.filter(({ status }) => status === 202).length - sent.reduce((sum, one) => sum + one, 0),
      );
    }
    // Two instances send about ninety emails a second, and the limits are a hundred a second.
    for (const count of sent) expect(count).toBeGreaterThan(4000);
  });

  test('where one mailbox hangs for a minute in a single request, it still sends what it may', async () => {
    const world = makeLaneWorld({ instances: 2, seed: SEED, hangsMs: [58_000] });
    world.offer(200, [BUSY]);
    await world.runUntil(8 * MINUTE);
    expect(world.mails.filter(({ sentAt }) => sentAt !== undefined).length).toBeGreaterThan(190);
  });

  test.each([2, 3, 5])(
    'where all requests that a mailbox may have at once hang, %i instances try seldom, and then go on',
    async (instances) => {
      const world = makeLaneWorld({ instances, seed: SEED, hangsMs: Array(4).fill(58_000) });
      world.offer(60, [BUSY]);
      await world.runUntil(4 * MINUTE);
      expect(world.mails.filter(({ sentAt }) => sentAt === undefined)).toEqual([]);
      expect(world.calls.filter(({ status }) => status === 429).length).toBeLessThanOrEqual(18);
    },
  );

  test('three instances send more than a third of what requests of five seconds allow to each', async () => {
    const world = makeLaneWorld({ instances: 3, seed: SEED, graphMs: 5000 });
    world.offer(300, [BUSY]);
    await world.runUntil(10 * MINUTE);
    expect(world.mails.filter(({ sentAt }) => sentAt !== undefined).length).toBeGreaterThan(215);
  });

  test.each([1, 3, 5])(
    'Graph refuses a mailbox three times for a quarter of a minute: %i instances then send half of the limit, and lose no minute',
    async (instances) => {
      const refusals = { after: 4, times: 3, seconds: 15 };
      const world = makeLaneWorld({ instances, seed: SEED, refusals });
      world.offer(40, [BUSY]);
      await world.runUntil(10 * MINUTE);
      // Three pauses of up to 18 seconds, and 36 emails at fifteen a minute.
      const took = world.mails.map(({ sentAt, putAt }) => (sentAt ?? Number.POSITIVE_INFINITY) - putAt);
      expect(Math.max(...took)).toBeLessThan(3.75 * MINUTE);
    },
  );

  test.each([1, 3, 5])(
    'an email whose start a refusal made void counts once towards the day: with %i instances',
    async (instances) => {
      const refusals = { after: 4, times: 3, seconds: 15 };
      const world = makeLaneWorld({ instances, seed: SEED, refusals });
      world.offer(80, [BUSY], { recipients: 5 });
      await world.runUntil(20 * MINUTE);
      expect(world.mails.filter(({ sentAt }) => sentAt === undefined)).toEqual([]);
      // Those who counted something in between tell of it with what they ask next.
      world.offer(instances * 10, [BUSY], { recipients: 5 });
      await world.runUntil(40 * MINUTE);
      const hours = Object.values(world.laneOf(BUSY)?.lane.hours ?? {});
      expect(hours.reduce((sum, count) => sum + count, 0)).toBe(5 * (80 + instances * 10));
    },
  );

  test.each([
    { instances: 1, recipients: 2, bytes: 1000 },
    { instances: 3, recipients: 40, bytes: 1000 },
    { instances: 1, recipients: 1, bytes: 600_000 },
    { instances: 3, recipients: 5, bytes: 900_000 },
  ])(
    '$instances instances send emails of $recipients recipients and $bytes bytes as fast as the limit allows',
    async ({ instances, recipients, bytes }) => {
      const world = makeLaneWorld({ instances, seed: SEED });
      world.offer(120, [BUSY], { recipients, bytes });
      await world.runUntil(4.5 * MINUTE);
      expect(world.mails.filter(({ sentAt }) => sentAt === undefined)).toEqual([]);
      expect(mostInAnyMinute(world.calls)).toBeLessThanOrEqual(30);
    },
  );

  test('emails of 2 MB go as the 150 MB of five minutes allow, and small ones beside them at the full rate', async () => {
    const world = makeLaneWorld({ instances: 2, seed: SEED });
    world.offer(150, [BUSY], { bytes: 2_000_000 });
    world.offer(100, [BUSY]);
    await world.runUntil(13 * MINUTE);
    const sent = world.mails.filter(({ sentAt }) => sentAt !== undefined);
    expect(sent.filter(({ bytes }) => bytes === 1000)).toHaveLength(100);
    const large = sent.flatMap(({ bytes, sentAt = 0 }) => (bytes > 1000 ? [sentAt] : []));
    expect(large.length).toBeGreaterThan(140);
    for (const first of large)
      expect(large.filter((at) => at >= first && at < first + 5 * MINUTE).length).toBeLessThanOrEqual(75);
  });
});
