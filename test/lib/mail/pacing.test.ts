import { describe, expect, test } from 'vitest';
import { makePacer } from '../../../src/lib/mail/pacing.ts';

const START = Date.parse('2026-11-22T07:00:00Z');
const at = (ms: number): Date => new Date(START + ms);
const EXCHANGE = { concurrent: 4, perMinute: 30 };
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
  const pacer = makePacer({ concurrent: 1, perMinute: 30 });
  pacer.enter('payroll', 'first', at(0));
  expect(pacer.enter('payroll', 'second', at(0)).kind).toBe('busy');
  const freed = pacer.freed('payroll');
  pacer.leave('payroll');
  await freed;
  expect(pacer.enter('payroll', 'second', at(1)).kind).toBe('go');
});
