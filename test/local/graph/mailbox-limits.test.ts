import { describe, expect, test } from 'vitest';
import { EXCHANGE_LIMITS, makeMailboxLimits, untilRoomMs } from '../../../local/graph/mailbox-limits.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000);

describe('the rolling minute', () => {
  const cases: [what: string, sent: number[], perMinute: number, now: number, waitMs: number][] = [
    ['has room while nothing was sent', [], 1, 0, 0],
    ['has room below the limit', [0, 1], 3, 2, 0],
    ['has none at the limit, until the oldest is a minute old', [0, 10, 20], 3, 30, 30_000],
    ['has room at exactly a minute', [0, 10, 20], 3, 60, 0],
    ['has none a moment before', [0, 10, 20], 3, 59.999, 1],
    ['does not count what is older', [-100, -90, 0], 2, 5, 0],
    ['waits for enough to be old when the limit was lowered', [0, 10, 20], 1, 30, 50_000],
  ];
  test.each(cases)('%s', (_what, sent, perMinute, now, waitMs) => {
    expect(untilRoomMs(sent.map(at), perMinute, at(now))).toBe(waitMs);
  });
});

describe('a mailbox', () => {
  test('takes 30 messages in a minute and says how many seconds the next must wait', () => {
    const limits = makeMailboxLimits(() => EXCHANGE_LIMITS);
    for (let second = 0; second < 30; second += 1) {
      expect(limits.takeRoomForMessage('a', at(second))).toMatchObject({ fits: true });
    }
    expect(limits.takeRoomForMessage('a', at(29.5))).toEqual({ fits: false, retryAfterSeconds: 31 });
    expect(limits.takeRoomForMessage('b', at(29.5))).toMatchObject({ fits: true });
    expect(limits.takeRoomForMessage('a', at(60))).toMatchObject({ fits: true });
    expect(limits.takeRoomForMessage('a', at(60))).toEqual({ fits: false, retryAfterSeconds: 1 });
  });

  test('gets the room back of a message that was not accepted', () => {
    const limits = makeMailboxLimits(() => ({ ...EXCHANGE_LIMITS, messagesPerMinute: 1 }));
    const room = limits.takeRoomForMessage('a', at(0));
    if (room.fits) room.giveBack();
    expect(limits.takeRoomForMessage('a', at(0))).toMatchObject({ fits: true });
  });

  test('lets four in at once, and a refused one counts until it is answered', () => {
    const limits = makeMailboxLimits(() => EXCHANGE_LIMITS);
    const [first, ...others] = Array.from({ length: 4 }, () => limits.enter('app a'));
    expect([first, ...others].map((entrance) => entrance?.tooMany)).toEqual([false, false, false, false]);
    const fifth = limits.enter('app a');
    expect(fifth).toMatchObject({ concurrent: 5, tooMany: true });
    first?.leave();
    expect(limits.enter('app a')).toMatchObject({ concurrent: 5, tooMany: true });
    expect(limits.enter('app b')).toMatchObject({ concurrent: 1, tooMany: false });
  });

  test('is left once, however often that is said', () => {
    const limits = makeMailboxLimits(() => EXCHANGE_LIMITS);
    limits.enter('app a');
    const second = limits.enter('app a');
    second.leave();
    second.leave();
    expect(limits.enter('app a').concurrent).toBe(2);
  });

  test('has no limits while they are switched off', () => {
    const limits = makeMailboxLimits(() => ({
      on: false,
      concurrentPerMailbox: 1,
      messagesPerMinute: 1,
      bytesPerFiveMinutes: 1,
      messageBytes: 1,
    }));
    for (let i = 0; i < 3; i += 1) {
      expect(limits.enter('app a').tooMany).toBe(false);
      expect(limits.takeRoomForMessage('a', at(0)).fits).toBe(true);
      expect(limits.takeRoomForBytes('app a', 2, at(0)).fits).toBe(true);
    }
  });

  test('counts the bytes of five minutes, for an app and a mailbox', () => {
    const limits = makeMailboxLimits(() => ({ ...EXCHANGE_LIMITS, bytesPerFiveMinutes: 100 }));
    expect(limits.takeRoomForBytes('app a', 60, at(0))).toEqual({ fits: true });
    expect(limits.takeRoomForBytes('app a', 40, at(100))).toEqual({ fits: true });
    expect(limits.takeRoomForBytes('app a', 1, at(200))).toEqual({ fits: false, retryAfterSeconds: 100 });
    expect(limits.takeRoomForBytes('app a', 61, at(200))).toEqual({ fits: false, retryAfterSeconds: 200 });
    expect(limits.takeRoomForBytes('app a', 101, at(200))).toEqual({ fits: false, retryAfterSeconds: 300 });
    expect(limits.takeRoomForBytes('app b', 100, at(200))).toEqual({ fits: true });
    expect(limits.takeRoomForBytes('app a', 60, at(300))).toEqual({ fits: true });
  });
});
