import { describe, expect, test } from 'vitest';
import {
  EXCHANGE_LIMITS,
  type MailboxUse,
  makeMailboxMeter,
  sharesOf as sharesWithin,
} from '../../../src/lib/metrics/mailbox-use.ts';

const NOW = new Date('2026-03-02T08:00:30Z');
const minutesLater = (minutes: number) => new Date(NOW.getTime() + minutes * 60_000);
const sharesOf = (uses: readonly MailboxUse[], now: Date) => sharesWithin(uses, EXCHANGE_LIMITS, now);
const mailbox = (number: number) => `mailbox-${number}@contoso.example`;

describe('the share of the limits of Exchange', () => {
  test('of a minute is that of the busiest one, all instances together; of a day that of its recipients', () => {
    const [one, other] = [makeMailboxMeter(), makeMailboxMeter()];
    for (let sent = 0; sent < 9; sent += 1) one.sent('Payroll@contoso.example', 100, NOW);
    for (let sent = 0; sent < 6; sent += 1) other.sent('payroll@contoso.example', 10, NOW);
    other.sent('payroll@contoso.example', 40, minutesLater(1));
    expect(sharesOf([...one.uses(minutesLater(1)), ...other.uses(minutesLater(1))], minutesLater(1))).toEqual(
      [
        {
          address: 'payroll@contoso.example',
          minute: 0.5,
          day: 0.1,
          sentLastDay: 16,
          recipientsLastDay: 1000,
          pausesLastDay: 0,
        },
      ],
    );
  });

  test('is that of the settings, where these differ from Exchange', () => {
    const meter = makeMailboxMeter();
    meter.sent(mailbox(1), 100, NOW);
    expect(sharesWithin(meter.uses(NOW), { perMinute: 10, recipientsPerDay: 1000 }, NOW)).toMatchObject([
      { minute: 0.1, day: 0.1 },
    ]);
  });

  test('forgets a minute after ten of them, and an hour after a day', () => {
    const meter = makeMailboxMeter();
    meter.sent(mailbox(1), 100, NOW);
    expect(sharesOf(meter.uses(minutesLater(10)), minutesLater(10))).toMatchObject([
      { minute: 1 / 30, day: 0.01 },
    ]);
    expect(sharesOf(meter.uses(minutesLater(11)), minutesLater(11))).toMatchObject([
      { minute: 0, day: 0.01 },
    ]);
    expect(sharesOf(meter.uses(minutesLater(23 * 60)), minutesLater(23 * 60))).toMatchObject([{ day: 0.01 }]);
    expect(sharesOf(meter.uses(minutesLater(24 * 60)), minutesLater(24 * 60))).toEqual([]);
  });

  test('says until when Graph limits the mailbox, and how often it did', () => {
    const meter = makeMailboxMeter();
    meter.paused(mailbox(1), minutesLater(5), NOW);
    meter.paused(mailbox(1), minutesLater(3), minutesLater(1));
    expect(sharesOf(meter.uses(minutesLater(1)), minutesLater(1))).toMatchObject([
      { pausedUntil: minutesLater(5).toISOString(), pausesLastDay: 2 },
    ]);
    expect(sharesOf(meter.uses(minutesLater(6)), minutesLater(6))[0]).not.toHaveProperty('pausedUntil');
  });
});

test('of however many mailboxes, the fifty with the most recipients are kept', () => {
  const meter = makeMailboxMeter();
  for (let number = 0; number < 3000; number += 1) meter.sent(mailbox(number), number % 100, NOW);
  meter.sent(mailbox(1), 5000, NOW);
  const uses = meter.uses(NOW);
  expect(uses).toHaveLength(50);
  expect(uses[0]?.address).toBe(mailbox(1));
  expect(sharesOf([...uses, ...uses], NOW)).toHaveLength(50);
});

test('an email without a sender, as one that nobody could read, is of no mailbox', () => {
  const meter = makeMailboxMeter();
  meter.sent('', 1, NOW);
  expect(meter.uses(NOW)).toEqual([]);
});
