import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bookAheadFor, makePacer } from '../../../src/lib/sending/pacing.ts';

const START = Date.parse('2026-11-22T07:00:00Z');
const at = (ms: number): Date => new Date(START + ms);
const EXCHANGE = { concurrent: 4, perMinute: 30, bookAheadMs: 12 * 60 * 60_000 };
const MINUTE = 60_000;

/** Plays mails that come when told, each request taking `requestMs`; gives when each went, and how often each was looked at. */
const play = (mailboxes: Record<string, number>, { limits = EXCHANGE, requestMs = 200 } = {}) => {
  const pacer = makePacer(limits);
  const went: Record<string, number[]> = {};
  let looks = 0;
  type Step = {
    readonly at: number;
    readonly mailbox: string;
    readonly mailId: string;
    readonly leaves: boolean;
  };
  const agenda: Step[] = Object.entries(mailboxes).flatMap(([mailbox, count]) =>
    Array.from({ length: count }, (_, index) => ({
      at: 0,
      mailbox,
      mailId: `${mailbox}-${index}`,
      leaves: false,
    })),
  );
  const insert = (step: Step) => {
    const index = agenda.findIndex((other) => other.at > step.at);
    agenda.splice(index < 0 ? agenda.length : index, 0, step);
  };
  for (let step = agenda.shift(); step !== undefined; step = agenda.shift()) {
    if (step.leaves) {
      pacer.leave(step.mailbox);
      continue;
    }
    looks += 1;
    const pace = pacer.enter(step.mailbox, step.mailId, at(step.at));
    if (pace.kind === 'go') {
      went[step.mailbox] = [...(went[step.mailbox] ?? []), step.at];
      insert({ ...step, at: step.at + requestMs, leaves: true });
    } else insert({ ...step, at: step.at + (pace.kind === 'busy' ? requestMs : pace.waitMs) });
  }
  return { went, looks };
};

const mostWithin = (times: readonly number[], windowMs: number): number =>
  Math.max(...times.map((start) => times.filter((time) => time >= start && time < start + windowMs).length));

describe('one mailbox keeps within the limits of Exchange', () => {
  test('never more than 30 in any minute, and nearly that many', () => {
    const times = play({ payroll: 300 }).went.payroll ?? [];
    expect(times).toHaveLength(300);
    expect(mostWithin(times, MINUTE)).toBe(30);
    expect(Math.max(...times)).toBeLessThan(10.5 * MINUTE);
  });

  test('never more than four requests at once', () => {
    const times = play({ payroll: 30 }, { requestMs: 1000 }).went.payroll ?? [];
    expect(mostWithin(times, 1000)).toBe(4);
  });
});

describe('mailboxes do not wait for each other', () => {
  test('a single mail passes ten thousand of another mailbox', () => {
    const { went } = play({ newsletter: 2000, payroll: 1 });
    expect(went.payroll).toEqual([0]);
  });

  test('a mail that has to wait is looked at twice, not once a minute', () => {
    const { looks } = play({ newsletter: 2000 }, { requestMs: 1 });
    expect(looks).toBeLessThan(2000 * 2.2);
  });

  test('ten thousand waiting mails cost little time', () => {
    const pacer = makePacer(EXCHANGE);
    for (let index = 0; index < 10_000; index += 1) {
      if (pacer.enter('newsletter', `n-${index}`, at(index)).kind === 'go') pacer.leave('newsletter');
    }
    const last = pacer.enter('newsletter', 'last', at(10_000));
    expect(last.kind === 'wait' && Math.round(last.waitMs / MINUTE)).toBeGreaterThan(330);
  });
});

describe('after a 429', () => {
  const afterPause = (pauseMs: number) => {
    const pacer = makePacer(EXCHANGE);
    for (let index = 0; index < 10; index += 1) {
      pacer.enter('payroll', `m-${index}`, at(index));
      pacer.leave('payroll');
    }
    pacer.enter('payroll', 'refused', at(10));
    pacer.pause('payroll', at(10 + pauseMs), at(10));
    pacer.leave('payroll');
    return pacer;
  };

  test('that mailbox waits until Graph allows, and no other does', () => {
    const pacer = afterPause(20_000);
    const next = pacer.enter('payroll', 'next', at(1000));
    expect(next.kind === 'wait' && next.waitMs).toBeGreaterThanOrEqual(19_010);
    expect(pacer.enter('hr', 'other', at(1000)).kind).toBe('go');
  });

  test('a long pause cuts the share to what Graph let through, for others send from that mailbox too', () => {
    const pacer = afterPause(60_000);
    const later = 2 * MINUTE;
    const kinds = Array.from({ length: 12 }, (_, index) => {
      const pace = pacer.enter('payroll', `later-${index}`, at(later + index));
      if (pace.kind === 'go') pacer.leave('payroll');
      return pace.kind;
    });
    expect(kinds.filter((kind) => kind === 'go')).toHaveLength(10);
  });

  test('a short pause means too many at once, and cuts only that', () => {
    const pacer = makePacer(EXCHANGE);
    for (const mailId of ['a', 'b', 'c']) pacer.enter('payroll', mailId, at(0));
    pacer.pause('payroll', at(1000), at(0));
    for (const _ of 'abc') pacer.leave('payroll');
    const kinds = ['d', 'e', 'f'].map((mailId) => pacer.enter('payroll', mailId, at(2000)).kind);
    expect(kinds).toEqual(['go', 'go', 'busy']);
  });

  test('the share grows back', () => {
    const pacer = afterPause(60_000);
    const muchLater = 3 * 60 * MINUTE;
    const kinds = Array.from({ length: 30 }, (_, index) => {
      const pace = pacer.enter('payroll', `later-${index}`, at(muchLater + index));
      if (pace.kind === 'go') pacer.leave('payroll');
      return pace.kind;
    });
    expect(new Set(kinds)).toEqual(new Set(['go']));
  });
});

test('whoever waits for a free request is told when one has ended', async () => {
  const pacer = makePacer({ ...EXCHANGE, concurrent: 1 });
  pacer.enter('payroll', 'first', at(0));
  expect(pacer.enter('payroll', 'second', at(0)).kind).toBe('busy');
  const freed = pacer.freed('payroll');
  pacer.leave('payroll');
  await freed;
  expect(pacer.enter('payroll', 'second', at(1)).kind).toBe('go');
});

test('a burst for one mailbox is crowded once two wait for each request under way, and not before', () => {
  const pacer = makePacer(EXCHANGE);
  for (const mail of ['a', 'b', 'c', 'd']) pacer.enter('payroll', mail, at(0));
  const crowded = Array.from({ length: 10 }, (_, mail) => {
    const pace = pacer.enter('payroll', `later-${mail}`, at(0));
    void pacer.freed('payroll');
    return pace.kind === 'busy' && pace.isCrowded;
  });
  expect(crowded).toEqual([...Array(8).fill(false), true, true]);
  expect(pacer.enter('hr', 'other', at(0)).kind).toBe('go');
});

describe('after a long pause', () => {
  const closed = () => {
    const pacer = makePacer(EXCHANGE);
    pacer.enter('payroll', 'refused', at(0));
    pacer.pause('payroll', at(60 * MINUTE), at(0));
    pacer.leave('payroll');
    return pacer;
  };
  const AFTER = 61 * MINUTE;
  const enter = (pacer: ReturnType<typeof makePacer>, mailId: string, ms: number) =>
    pacer.enter('payroll', mailId, at(ms), at(0)).kind;

  test('one mail goes alone, and the others when it has come back', () => {
    const pacer = closed();
    expect(['a', 'b', 'c'].map((mailId) => enter(pacer, mailId, AFTER))).toEqual(['go', 'busy', 'busy']);
    pacer.leave('payroll');
    expect(['b', 'c'].map((mailId) => enter(pacer, mailId, AFTER + 1))).toEqual(['go', 'go']);
  });

  test('and when it finds the mailbox still limited, they wait again', () => {
    const pacer = closed();
    expect(enter(pacer, 'a', AFTER)).toBe('go');
    pacer.pause('payroll', at(AFTER + 60 * MINUTE), at(AFTER));
    pacer.leave('payroll');
    expect(enter(pacer, 'b', AFTER + MINUTE)).toBe('wait');
    const again = AFTER + 62 * MINUTE;
    expect(['b', 'c'].map((mailId) => enter(pacer, mailId, again))).toEqual(['go', 'busy']);
  });
});

describe('how far ahead times are kept', () => {
  test('is half the time a mail has, and at most a day', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 168 }), (hours) => {
        const ahead = bookAheadFor(hours * 60 * MINUTE);
        expect(ahead).toBeLessThanOrEqual((hours * 60 * MINUTE) / 2);
        expect(ahead).toBeLessThanOrEqual(24 * 60 * MINUTE);
      }),
    );
  });

  test('what does not fit is told so and gets no time, and what has one keeps it', () => {
    const pacer = makePacer({ concurrent: 4, perMinute: 1, bookAheadMs: 10 * MINUTE });
    const kinds = Array.from({ length: 12 }, (_, index) => pacer.enter('payroll', `m-${index}`, at(0)).kind);
    expect(kinds).toEqual(['go', ...Array(9).fill('wait'), 'full', 'full']);
    expect(pacer.enter('payroll', 'm-9', at(1)).kind).toBe('wait');
    expect(pacer.enter('hr', 'other', at(1)).kind).toBe('go');
    // A minute later there is room for one more.
    const later = ['x', 'y'].map((mailId) => pacer.enter('payroll', mailId, at(1.1 * MINUTE)).kind);
    expect(later).toEqual(['wait', 'full']);
  });

  test('no mail is ever told to wait for longer, whatever happens to its mailbox', () => {
    const hour = 60 * MINUTE;
    const steps = fc.array(
      fc.record({
        mail: fc.nat(40),
        passes: fc.nat(20 * MINUTE),
        pauses: fc.option(fc.nat(hour), { nil: undefined, freq: 5 }),
        dueIn: fc.option(fc.nat(100 * 24 * hour), { nil: undefined }),
        leaves: fc.boolean(),
      }),
      { minLength: 50, maxLength: 150 },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), (all, perMinute) => {
        const limits = { concurrent: 2, perMinute, bookAheadMs: hour };
        const pacer = makePacer(limits);
        const went: number[] = [];
        let time = 0;
        for (const { mail, passes, pauses, dueIn, leaves } of all) {
          time += passes;
          const dueAt = dueIn === undefined ? undefined : at(time + dueIn);
          const pace = pacer.enter('payroll', `m-${mail}`, at(time), dueAt);
          if ('waitMs' in pace) expect(pace.waitMs).toBeLessThanOrEqual(hour);
          if (pace.kind === 'go') {
            went.push(time);
            if (pauses !== undefined) pacer.pause('payroll', at(time + pauses), at(time));
            if (leaves) pacer.leave('payroll');
          }
        }
        expect(went.length === 0 || mostWithin(went, MINUTE) <= perMinute).toBe(true);
      }),
    );
  });
});

test('an email that another invocation has leaves its place in the minute to others, however often it comes', () => {
  const pacer = makePacer({ ...EXCHANGE, perMinute: 2 });
  for (let index = 0; index < 10; index += 1) {
    expect(pacer.enter('payroll', 'again', at(index)).kind).toBe('go');
    pacer.giveBack('payroll', at(index));
    pacer.leave('payroll');
  }
  expect(['a', 'b', 'c'].map((mailId) => pacer.enter('payroll', mailId, at(20)).kind)).toEqual([
    'go',
    'go',
    'wait',
  ]);
});

test('emails that waited and were canceled leave their times to those that come after', () => {
  const pacer = makePacer({ ...EXCHANGE, perMinute: 1 });
  const first = pacer.enter('payroll', 'first', at(0));
  pacer.leave('payroll');
  const waiting = Array.from({ length: 50 }, (_, index) => `w-${index}`);
  for (const mailId of waiting) expect(pacer.enter('payroll', mailId, at(1)).kind).toBe('wait');
  for (const mailId of [...waiting, 'never seen']) pacer.forget('payroll', mailId);
  expect(first.kind).toBe('go');
  expect(pacer.enter('payroll', 'next', at(2))).toEqual({ kind: 'wait', waitMs: 61_000 - 2 });
  pacer.forget('another mailbox', 'w-1');
});

describe('what is remembered of mailboxes', () => {
  test('a hundred thousand of them, seen once, leave nothing', () => {
    const pacer = makePacer(EXCHANGE);
    for (let index = 0; index < 100_000; index += 1) {
      pacer.enter(`mailbox-${index}`, `m-${index}`, at(index * 100));
      pacer.leave(`mailbox-${index}`);
      // At most those of the last two windows, of which each has 610.
      if (pacer.size > 1221) throw new Error(`${pacer.size} are remembered`);
    }
    pacer.enter('payroll', 'last', at(100_000 * 100 + 3 * MINUTE));
    expect(pacer.size).toBe(1);
  });

  test('is kept while it matters: a request under way, a mail that waits, a pause, a share that was cut', () => {
    const pacer = makePacer({ ...EXCHANGE, perMinute: 2 });
    pacer.enter('under way', 'a', at(0));
    for (const mailId of ['b', 'c', 'd', 'e', 'f', 'g']) {
      pacer.enter('booked', mailId, at(0));
      pacer.leave('booked');
    }
    for (const mailId of ['h', 'i']) pacer.enter('paused', mailId, at(0));
    pacer.pause('paused', at(60 * MINUTE), at(0));
    for (const _ of 'hi') pacer.leave('paused');
    pacer.enter('later', 'x', at(1.5 * MINUTE));
    pacer.leave('later');
    expect(pacer.size).toBe(4);
    pacer.enter('later', 'y', at(10 * MINUTE));
    pacer.leave('later');
    expect(pacer.size).toBe(3);
    pacer.leave('under way');
    pacer.enter('later', 'z', at(3 * 60 * MINUTE));
    expect(pacer.size).toBe(1);
  });
});
