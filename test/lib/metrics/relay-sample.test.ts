import { describe, expect, test } from 'vitest';
import { metricsEvent } from '../../../src/lib/metrics/describe-sample.ts';
import { daysLeftOf, queueAgeSeconds, waitingSince } from '../../../src/lib/metrics/relay-sample.ts';

const at = (time: string) => `2026-03-02T${time}:00.000Z`;
const EARLIER_AT = at('07:55');

describe('since when the next message of a queue waits, at most', () => {
  test.each([
    ['since it was put, where nothing else is known', '07:30', undefined, '07:30'],
    ['since it was put, where it was put after the last sample', '07:58', { queue: 'mail' }, '07:58'],
    [
      'since the last sample, where none was visible then: it was put with a delay',
      '05:00',
      { queue: 'mail' },
      '07:55',
    ],
    [
      'since the one before it did, where that was put later: it became visible later still',
      '05:00',
      { queue: 'mail', waitingSince: at('07:40') },
      '07:40',
    ],
    [
      'since it was put, where the one before it waited for longer',
      '07:45',
      { queue: 'mail', waitingSince: at('07:40') },
      '07:45',
    ],
  ])('is %s', (_case, putAt, earlier, since) => {
    expect(waitingSince(new Date(at(putAt)), earlier, EARLIER_AT)).toBe(at(since));
  });
});

test('a queue in which none waits has the age 0', () => {
  expect(queueAgeSeconds({ queue: 'mail', messages: 5 }, new Date(at('08:00')))).toBe(0);
  expect(queueAgeSeconds({ queue: 'mail', waitingSince: at('07:40') }, new Date(at('08:00')))).toBe(1200);
});

test('days left are rounded up, as in warnings, and zero or less once it has expired', () => {
  const left = (expiresOn: string) =>
    daysLeftOf({ credential: 'a', kind: 'secret', expiresOn }, new Date(at('08:00')));
  expect(['2026-03-04T07:00:00Z', '2026-03-02T07:00:00Z', '2026-03-01T08:00:00Z'].map(left)).toEqual([
    2, 0, -1,
  ]);
});

describe('the event of a sample', () => {
  test('has what is worst of each kind, and names no mailbox and no secret', () => {
    const share = { sentLastDay: 1, recipientsLastDay: 1, pausesLastDay: 0 };
    const event = metricsEvent(
      {
        at: at('08:00'),
        queues: [
          { queue: 'mail', messages: 3, waitingSince: at('07:40') },
          { queue: 'mail-erp', messages: 2, waitingSince: at('07:59') },
          { queue: 'mail-gone' },
        ],
        poisonMessages: 1,
        held: { count: 4, hasMore: false },
        credentials: {
          readAt: at('08:00'),
          all: [
            { credential: 'one', kind: 'secret', expiresOn: '2026-03-12T08:00:00.000Z' },
            { credential: 'two', kind: 'certificate', expiresOn: '2026-03-05T08:00:00.000Z' },
          ],
        },
        mailboxes: [
          { ...share, address: 'a@contoso.example', minute: 1 / 3, day: 0.2, pausedUntil: at('08:10') },
          { ...share, address: 'b@contoso.example', minute: 0.1, day: 0.4 },
        ],
        totals: { accepted: 9, sent: 7, rejected: 1, held: 1, graphRequests: 12, graphWasted: 2 },
      },
      new Date(at('08:00')),
    );
    expect(event).toEqual({
      event: 'Metrics',
      queueMessages: 5,
      queueAge: 1200,
      poisonMessages: 1,
      held: 4,
      secretDaysLeft: 3,
      mailboxMinuteShare: 0.333,
      mailboxDayShare: 0.4,
      mailboxesPaused: 1,
      accepted: 9,
      sent: 7,
      rejected: 1,
      heldInAll: 1,
      graphRequests: 12,
      graphWasted: 2,
    });
  });

  test('leaves out what could not be read', () => {
    expect(metricsEvent({ at: at('08:00'), queues: [] }, new Date(at('08:00')))).toEqual({
      event: 'Metrics',
    });
  });
});
