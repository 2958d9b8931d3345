import { describe, expect, test } from 'vitest';
import { sendInLane } from '../../../src/lib/delivery/in-lane.ts';
import type { InState } from '../../../src/lib/ledger/ledger-row.ts';
import { claim, recordDraft } from '../../../src/lib/ledger/transitions.ts';
import type { LedgerEntry } from '../../../src/lib/ports.ts';
import { GRACE_MS, WINDOW_MS } from '../../../src/lib/sending/mailbox-lane.ts';
import type { Pacer, Start } from '../../../src/lib/sending/pacing.ts';
import type { SendReport } from '../../../src/lib/sending/send-outcome.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aDraftPlan, aFileOf } from '../../support/a-draft-plan.ts';
import { A_PASSENGER, aPacer } from '../../support/a-pacer.ts';
import { directPlanOf } from '../../support/a-plan.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const { mailId, content, rows } = aDelivery();
const MAILBOX = 'noreply@contoso.example';
const plan = await directPlanOf(mailId, { address: 'NoReply@Contoso.example' }, content);
const claimed = { row: rows.sending, etag: '"1"' };
const HOUR_MS = 3_600_000;
/** Storage counts whole seconds. */
const EARLY_MS = 1000;
const SLOW_MS = 600;
const GRID_MS = 16;

/** The start of another email of this mailbox, whose request is in progress then. */
const startOf = async (pacer: Pacer): Promise<Start> => {
  const pace = await pacer.enter(MAILBOX, A_PASSENGER);
  if (pace.kind !== 'go') throw new Error(`expected a start, received ${pace.kind}`);
  return pace.start;
};
const PRECEDENCE = { priority: 'normal', waitsSince: NOW } as const;

type Claim = () => Promise<LedgerEntry<InState<'sending'>> | undefined>;

/** A mailbox that takes one request at a time, and what is needed to send within its limits. */
const aLane = (answers: readonly SendReport[] = [{ kind: 'answered', status: 202 }]) => {
  const world = inMemoryPorts();
  let passedMs = 0;
  const clock = { now: () => new Date(NOW.getTime() + passedMs), sleep: async () => undefined };
  const pacer = aPacer({ clock, concurrent: 1 });
  /** So long that a request is slow, and starts that are that far apart overlap. */
  const pass = (ms = SLOW_MS) => {
    passedMs += ms;
  };
  const left = [...answers];
  const send = async () => {
    world.effects.push('mailboxes.send');
    return left.shift() ?? ({ kind: 'lost', why: 'timeout' } as const);
  };
  const needs = { ...world.needs, pacer, mailboxes: { ...world.needs.mailboxes, send } };
  const claim: Claim = async () => {
    world.effects.push('claim');
    return claimed;
  };
  return {
    ...world,
    needs,
    claim,
    run: (how: Claim = claim, more: object = {}) =>
      sendInLane({ ...needs, ...more }, plan, { mailId, recipients: 1, ...PRECEDENCE }, how),
    /** Whether the next email may go at this time. */
    next: () => {
      pass();
      return pacer.enter(MAILBOX, A_PASSENGER);
    },
    pass,
    clock,
  };
};

describe('an email whose mailbox has room', () => {
  test('is claimed, then sent once, and its outcome comes with the claim', async () => {
    const { run, effects } = aLane();
    expect(await run()).toEqual({
      kind: 'ended',
      ...claimed,
      outcome: { kind: 'accepted', status: 202, tookMs: 0 },
    });
    expect(effects).toEqual(['claim', 'mailboxes.send']);
  });

  test('is sent once more where Graph did not accept the token, for which there is a new one then', async () => {
    const { run, effects } = aLane([
      { kind: 'answered', status: 401 },
      { kind: 'answered', status: 202 },
    ]);
    expect(await run()).toMatchObject({ outcome: { kind: 'accepted' } });
    expect(effects).toEqual(['claim', 'mailboxes.send', 'mailboxes.send']);
  });

  test('is not sent where storage was slow twice, so that it would be late for its second start too', async () => {
    const { run, needs, claim, pass, effects } = aLane();
    const enter: Pacer['enter'] = async (...who) => {
      const pace = await needs.pacer.enter(...who);
      pass(GRACE_MS + 1);
      return pace;
    };
    expect(await run(claim, { pacer: { ...needs.pacer, enter } })).toMatchObject({
      outcome: { kind: 'not-sent', code: 'START_MISSED' },
    });
    expect(effects).toEqual(['claim']);
  });

  test('may be sent for as long as no other instance counts its attempt as lost, and no longer', async () => {
    const { needs, claim, pass, clock } = aLane();
    const seen: (boolean | undefined)[] = [];
    const send = async (_: unknown, mayBegin?: () => boolean): Promise<SendReport> => {
      seen.push(mayBegin?.());
      pass(needs.policy.sendingLimitMs - 1);
      seen.push(mayBegin?.());
      // Such as a process that was frozen after its claim, or while it connected.
      pass(1);
      seen.push(mayBegin?.());
      return { kind: 'not-connected' };
    };
    const late = { ...needs, clock, mailboxes: { ...needs.mailboxes, send } };
    expect(await sendInLane(late, plan, { mailId, recipients: 1, ...PRECEDENCE }, claim)).toMatchObject({
      outcome: { kind: 'not-sent' },
    });
    expect(seen).toEqual([true, true, false]);
  });

  test('is not sent a third time for a token, but was not sent', async () => {
    const { run, effects } = aLane(Array.from({ length: 3 }, () => ({ kind: 'answered', status: 401 })));
    expect(await run()).toMatchObject({ outcome: { kind: 'not-sent', code: 'GRAPH_TOKEN_NOT_ACCEPTED' } });
    expect(effects).toEqual(['claim', 'mailboxes.send', 'mailboxes.send']);
  });

  test.each<SendReport>([
    { kind: 'answered', status: 503 },
    { kind: 'answered', status: 500 },
    { kind: 'not-connected' },
    { kind: 'lost', why: 'timeout' },
  ])('is sent once whatever else is reported: %o', async (report) => {
    const { run, effects } = aLane([report]);
    await run();
    expect(effects).toEqual(['claim', 'mailboxes.send']);
  });
});

describe('the lane is left, so that the next email may go,', () => {
  test.each<[string, Claim, object]>([
    ['when the email was sent', async () => claimed, {}],
    ['when another invocation claimed the email', async () => undefined, {}],
    ['when the claim fails', () => Promise.reject(new Error('storage')), {}],
    [
      'when sending throws',
      async () => claimed,
      { mailboxes: { send: () => Promise.reject(new Error('a fault')) } },
    ],
  ])('%s', async (_case, claim, more) => {
    const { run, next } = aLane();
    await run(claim, more).catch(() => undefined);
    expect(await next()).toMatchObject({ kind: 'go' });
  });

  test('also within the minute, however often another invocation turned out to have it', async () => {
    const { run, next, pass } = aLane();
    for (let times = 0; times < 40; times += 1) {
      expect(await run(async () => undefined)).toEqual({ kind: 'beaten' });
      pass();
    }
    expect(await next()).toMatchObject({ kind: 'go' });
  });

  test('in whatever case the mailbox is written', async () => {
    const { needs, claim, next } = aLane();
    const upper = { ...plan, mailbox: plan.mailbox.toUpperCase() };
    await sendInLane(needs, upper, { mailId, recipients: 1, ...PRECEDENCE }, async () => {
      expect((await next()).kind).toBe('busy');
      return claim();
    });
    expect(await next()).toMatchObject({ kind: 'go' });
  });
});

describe('an email whose mailbox has all its requests in progress, and enough others waiting for them,', () => {
  const crowded = async () => {
    const lane = aLane();
    const start = await startOf(lane.needs.pacer);
    lane.pass();
    for (let waiting = 0; waiting < 8; waiting += 1) void lane.needs.pacer.freed(MAILBOX);
    return { ...lane, start };
  };

  test('goes back to the queue it came from, without keeping an invocation', async () => {
    const { needs, claim, start } = await crowded();
    let slept = 0;
    const sleep = async () => {
      slept += 1;
    };
    const result = await sendInLane(
      { ...needs, clock: { ...needs.clock, sleep } },
      plan,
      { mailId, recipients: 1, ...PRECEDENCE, givesWay: true },
      claim,
    );
    expect([result, slept]).toMatchObject([{ kind: 'wait', waitMs: 2000 }, 0]);
    needs.pacer.leave(start);
  });

  test('waits for its turn where its caller does', async () => {
    const { needs, claim, start } = await crowded();
    const sent = sendInLane(
      { ...needs, clock: { ...needs.clock, sleep: () => new Promise(() => {}) } },
      plan,
      { mailId, recipients: 1, ...PRECEDENCE },
      claim,
    );
    await new Promise(setImmediate);
    needs.pacer.leave(start);
    expect((await sent).kind).toBe('ended');
  });
});

test('nothing is sent without a claim', async () => {
  const { run, effects } = aLane();
  expect(await run(async () => undefined)).toEqual({ kind: 'beaten' });
  await expect(run(() => Promise.reject(new Error('storage')))).rejects.toThrow('storage');
  expect(effects).toEqual([]);
});

test('where another invocation has the email, a start of its own is given back, and one that the email brought is used by the other', async () => {
  const { needs } = aLane();
  const start = { mailbox: MAILBOX, at: new Date('2026-03-02T08:00:00Z'), recipients: 1 };
  const back: unknown[] = [];
  const pacer: Pacer = {
    ...needs.pacer,
    enter: async () => ({ kind: 'go', start }),
    giveBack: (one) => back.push(one),
    leave: () => undefined,
  };
  const who = { mailId, recipients: 1, ...PRECEDENCE };
  const beaten = async () => undefined;
  await sendInLane({ ...needs, pacer }, plan, { ...who, dueAt: start.at }, beaten);
  expect(back).toEqual([]);
  await sendInLane({ ...needs, pacer }, plan, who, beaten);
  expect(back).toEqual([start]);
});

describe('a mailbox that Graph limits', () => {
  test.each([
    ['as long as it asked', '7', 7000],
    ['the first step of our back-off where it asked for nothing', undefined, 5000],
    ['an hour at most', '86400', HOUR_MS],
  ])('is closed to all its emails for %s', async (_case, retryAfter, ms) => {
    const { run, next } = aLane([
      { kind: 'answered', status: 429, ...(retryAfter === undefined ? {} : { retryAfter }) },
    ]);
    await run();
    const pace = await next();
    const waitMs = pace.kind === 'wait' ? pace.waitMs : 0;
    // Starts are on a grid.
    expect(waitMs).toBeGreaterThanOrEqual(ms - SLOW_MS - EARLY_MS);
    expect(waitMs).toBeLessThan(ms - SLOW_MS - EARLY_MS + GRID_MS);
  });

  test('is not closed for what one email met otherwise', async () => {
    const { run, next } = aLane([{ kind: 'answered', status: 503, retryAfter: '20' }]);
    await run();
    expect(await next()).toMatchObject({ kind: 'go' });
  });
});

describe('an email whose mailbox has no room', () => {
  /** A lane in which an email has gone within the minute, and times are given for so long ahead. */
  const full = async (bookAheadMs: number) => {
    const lane = aLane();
    const pacer = aPacer({ clock: lane.needs.clock, perMinute: 1, bookAheadMs });
    pacer.leave(await startOf(pacer));
    return { ...lane, run: (random: number) => lane.run(lane.claim, { pacer, random: () => random }) };
  };

  test('is not claimed: it is told when to come back, a little before its start', async () => {
    const { run, effects } = await full(HOUR_MS);
    expect(await run(0)).toMatchObject({
      kind: 'wait',
      waitMs: WINDOW_MS - EARLY_MS,
      dueAt: new Date(NOW.getTime() + WINDOW_MS),
    });
    expect(effects).toEqual([]);
  });

  test.each([
    [0, 12_500],
    [1, 25_000],
  ])(
    'and for which no time is left asks again later, spread by chance %i: after %i ms',
    async (random, waitMs) => {
      const { run, effects } = await full(50_000);
      expect(await run(random)).toEqual({ kind: 'full', waitMs });
      expect(effects).toEqual([]);
    },
  );
});

describe('an email behind a request of its mailbox that is under way', () => {
  /** A lane that is taken, and a patience that ends when the test says. */
  const behind = async (more: Partial<Pacer> = {}) => {
    const lane = aLane();
    const slept: number[] = [];
    let end: () => void = () => undefined;
    const sleep = (ms: number) => {
      slept.push(ms);
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    };
    const start = await startOf(lane.needs.pacer);
    lane.pass();
    const clock = { ...lane.needs.clock, sleep };
    const pacer = { ...lane.needs.pacer, ...more };
    const running = lane.run(lane.claim, { clock, random: () => 0.5, pacer });
    await new Promise(setImmediate);
    return { ...lane, running, slept, start, losePatience: () => end() };
  };

  test('waits for it, and is sent when it ends', async () => {
    const { running, needs, effects, start } = await behind();
    expect(effects).toEqual([]);
    needs.pacer.leave(start);
    expect(await running).toMatchObject({ kind: 'ended' });
  });

  test('waits for two seconds and no longer, then on the queue, without a claim', async () => {
    const { running, losePatience, slept, effects } = await behind();
    losePatience();
    expect(await running).toMatchObject({ kind: 'wait', waitMs: 3000 });
    expect([slept, effects]).toEqual([[2000], []]);
  });

  test('that finds the lane taken again has no new patience', async () => {
    let woken = 0;
    // Woken once, when another was faster.
    const freed = () => {
      woken += 1;
      return woken === 1 ? Promise.resolve() : new Promise<void>(() => undefined);
    };
    const { running, losePatience, slept } = await behind({ freed });
    losePatience();
    expect((await running).kind).toBe('wait');
    expect([woken, slept]).toEqual([2, [2000]]);
  });
});

describe('an email that goes as a draft', () => {
  const asDraft = claim(rows.queued, NOW, 'draft');
  const lane = (policy: { readonly caller: number; readonly queue: number }, givesWay: boolean) => {
    const world = inMemoryPorts();
    const entry = world.ledger.create(asDraft)!;
    const needs = { ...world.needs, policy: { ...world.needs.policy, filesWithinMs: policy } };
    const files = [aFileOf(Buffer.from('a'))];
    return sendInLane(
      needs,
      aDraftPlan(mailId, files),
      { mailId, recipients: 1, ...PRECEDENCE, givesWay },
      async () => entry,
    );
  };

  test('is claimed and sent within the limits of its mailbox like any other', async () => {
    expect(await lane({ caller: 60_000, queue: 60_000 }, false)).toMatchObject({
      kind: 'ended',
      outcome: { kind: 'accepted' },
      row: { progress: { draft: { isSubmitted: true } } },
    });
  });

  test.each([
    [true, { caller: 60_000, queue: 0 }],
    [false, { caller: 0, queue: 60_000 }],
  ])('has the time for its files that its origin leaves; from the queue: %s', async (givesWay, policy) => {
    expect(await lane(policy, givesWay)).toMatchObject({
      outcome: { kind: 'not-sent', code: 'DRAFT_UNFINISHED' },
    });
  });

  test('that Graph throttles closes its mailbox for that time, though its outcome is unknown', async () => {
    const world = inMemoryPorts();
    const entry = world.ledger.create(asDraft)!;
    const report = { kind: 'answered', status: 429, retryAfter: '30' } as const;
    world.exchange.fault('drafts.send', { report });
    const ended = await sendInLane(
      world.needs,
      aDraftPlan(mailId),
      { mailId, recipients: 1, ...PRECEDENCE },
      async () => entry,
    );
    expect(ended).toMatchObject({ kind: 'ended', outcome: { kind: 'unknown' } });
    expect(await world.needs.pacer.enter(MAILBOX, A_PASSENGER)).toMatchObject({
      kind: 'wait',
    });
  });

  test('that goes in one request after a draft is sent once nothing of the draft can be', async () => {
    const world = inMemoryPorts();
    const draft = { id: 'd', mailbox: MAILBOX, isSubmitted: true };
    const entry = world.ledger.create(recordDraft(claim(rows.queued, NOW, 'json'), draft, NOW))!;
    world.exchange.put({ id: 'd' });
    const result = await sendInLane(
      world.needs,
      plan,
      { mailId, recipients: 1, ...PRECEDENCE },
      async () => entry,
    );
    expect(result).toMatchObject({ kind: 'ended', outcome: { kind: 'accepted' } });
    expect(world.effects).toEqual([
      'drafts.look',
      'mailboxes.find',
      'drafts.remove',
      'drafts.look',
      'ledger.replace sending',
      'mailboxes.send',
    ]);
  });
});
