import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import type { Ports } from '../../../src/lib/ports.ts';
import { type LaneLimits, oddly, recipientsOfDay } from '../../../src/lib/sending/mailbox-lane.ts';
import type { Pace, Pacer, Passenger, Start } from '../../../src/lib/sending/pacing.ts';
import { A_PASSENGER, aPacer, lanesIn } from '../../support/a-pacer.ts';
import { makeFakeLanes } from '../../support/fake-lanes.ts';

const START = Date.parse('2026-03-02T08:00:00Z');
const MINUTE = 60_000;
const PAYROLL = 'payroll@contoso.com';

type Trouble = 'away' | 'answer lost' | undefined;

/** Instances around one storage, in moved time; what happens to each request is decided by `trouble`. */
const aWorld = (limits: Partial<LaneLimits> = {}) => {
  const lanes = makeFakeLanes();
  const state = { time: START, trouble: undefined as Trouble, reads: 0, writes: 0, alone: 0, slowMs: 0 };
  const truly = lanesIn(lanes, () => new Date(state.time));
  const mailboxLanes: Ports['mailboxLanes'] = {
    ...truly,
    read: async (mailbox) => {
      state.reads += 1;
      if (state.trouble === 'away') throw new AppError('STORAGE_UNAVAILABLE');
      const at = new Date(Math.floor(state.time / 1000) * 1000);
      return { ...(await truly.read(mailbox)), server: { at, precisionMs: 1000 } };
    },
    write: async (mailbox, lane, etag) => {
      state.writes += 1;
      if (state.trouble === 'away') throw new AppError('STORAGE_UNAVAILABLE');
      const written = await truly.write(mailbox, lane, etag);
      state.time += state.slowMs;
      if (state.trouble === 'answer lost') throw new AppError('STORAGE_UNAVAILABLE');
      return written;
    },
  };
  let made = 0;
  return {
    ...{ lanes, state },
    laneOf: () => lanes.read(PAYROLL).lane,
    anInstance: (wrongBy = 0, others: Partial<LaneLimits> = {}): Pacer => {
      made += 1;
      return aPacer({
        clock: { now: () => new Date(state.time + wrongBy), sleep: async () => undefined },
        log: ({ event }) => {
          if (event === 'PacingAlone') state.alone += 1;
        },
        owner: `instance-${made}`,
        mailboxLanes,
        ...limits,
        ...others,
      });
    },
  };
};

const enter = (pacer: Pacer, who: Partial<Passenger> = {}): Promise<Pace> =>
  pacer.enter(PAYROLL, { ...A_PASSENGER, ...who });
const enterAll = (pacer: Pacer, count: number, who: Partial<Passenger> = {}) =>
  Promise.all(Array.from({ length: count }, () => enter(pacer, who)));
const startOf = (pace: Pace): Start => {
  if (pace.kind !== 'go' && pace.kind !== 'busy') throw new Error(`expected a start, and got ${pace.kind}`);
  return pace.start;
};
const timeOf = (pace: Pace): number => {
  if (!('at' in pace)) throw new Error(`expected a time, and got ${pace.kind}`);
  return pace.at.getTime();
};

const mostWithin = (times: readonly number[], windowMs: number): number =>
  Math.max(...times.map((first) => times.filter((at) => at >= first && at < first + windowMs).length));

/** Emails that come to any instance when they were told to, each request taking `requestMs`. */
const play = async (
  world: ReturnType<typeof aWorld>,
  pacers: readonly Pacer[],
  emails: readonly {
    readonly mailbox: string;
    readonly who?: Partial<Passenger>;
    readonly at?: number;
    readonly dueAt?: Date;
  }[],
  requestMs = 200,
) => {
  type Event = { readonly at: number; readonly happen: () => Promise<void> };
  const went: { readonly mailbox: string; readonly at: number; readonly email: number }[] = [];
  const agenda: Event[] = [];
  let looks = 0;
  const insert = (event: Event) => {
    const later = agenda.findIndex(({ at }) => at > event.at);
    agenda.splice(later === -1 ? agenda.length : later, 0, event);
  };
  const come = (email: number, at: number, dueAt?: Date, isNap = false): void =>
    insert({
      at,
      happen: async () => {
        if (!isNap) looks += 1;
        const { mailbox, who } = emails[email] ?? { mailbox: PAYROLL };
        const pacer = pacers[(email + looks) % pacers.length] as Pacer;
        const pace = await pacer.enter(mailbox, {
          ...{ ...A_PASSENGER, ...who },
          ...(dueAt === undefined ? {} : { dueAt }),
        });
        const now = world.state.time;
        if (pace.kind === 'go') {
          went.push({ mailbox, at: now, email });
          insert({
            at: now + requestMs,
            happen: async () => pacer.leave(pace.start, { maySend: true, tookMs: requestMs }),
          });
        } else if (pace.kind === 'busy') {
          pacer.giveBack(pace.start);
          come(email, now + requestMs, new Date(oddly(now)));
        } else {
          // Less than that is waited for in the invocation.
          const isSoon = pace.kind === 'wait' && pace.isKept && pace.waitMs <= 2000;
          come(email, now + Math.max(1, pace.waitMs), 'at' in pace ? pace.at : undefined, isSoon);
        }
      },
    });
  emails.forEach(({ at = 0, dueAt }, email) => {
    come(email, START + at, dueAt);
  });
  for (let next = agenda.shift(); next !== undefined; next = agenda.shift()) {
    world.state.time = Math.max(world.state.time, next.at);
    await Promise.all(
      [next, ...agenda.splice(0, agenda.filter(({ at }) => at <= world.state.time).length)].map(
        ({ happen }) => happen(),
      ),
    );
  }
  return {
    went,
    looks,
    of: (mailbox: string) => went.filter((one) => one.mailbox === mailbox).map(({ at }) => at),
  };
};

const many = (count: number, mailbox = PAYROLL, who: Partial<Passenger> = {}) =>
  Array.from({ length: count }, () => ({ mailbox, who }));

describe.each([1, 2, 5])('%i instances together keep a mailbox within the limits of Exchange', (count) => {
  test('never more than 30 in any minute, nearly that many, and for far less than a request an email', async () => {
    const world = aWorld();
    const pacers = Array.from({ length: count }, (_, index) =>
      world.anInstance([0, 3000, -20_000, 700, -400][index]),
    );
    const { of } = await play(world, pacers, many(300));
    expect(of(PAYROLL)).toHaveLength(300);
    expect(mostWithin(of(PAYROLL), MINUTE)).toBeLessThanOrEqual(30);
    expect(Math.max(...of(PAYROLL)) - START).toBeLessThan(12.5 * MINUTE);
    expect(world.state.writes).toBeLessThan(200);
  });

  test('no more requests at once than Exchange takes, where each takes three seconds', async () => {
    const world = aWorld();
    const pacers = Array.from({ length: count }, () => world.anInstance());
    const { of } = await play(world, pacers, many(60), 3000);
    expect(of(PAYROLL)).toHaveLength(60);
    // Until requests were seen to be slow, they count as fast ones: as many as each instance has at once.
    expect(
      mostWithin(
        of(PAYROLL).filter((at) => at > START + MINUTE),
        3000,
      ),
    ).toBeLessThanOrEqual(4);
  });
});

describe('mailboxes do not wait for each other', () => {
  test('an email of another mailbox passes two thousand', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    await enterAll(pacer, 2000);
    expect((await pacer.enter('hr@contoso.com', A_PASSENGER)).kind).toBe('go');
  });

  test('an email that has to wait is looked at twice, not once a minute', async () => {
    const world = aWorld();
    const { looks } = await play(world, [world.anInstance()], many(400));
    expect(looks).toBeLessThan(400 * 2.6);
  });
});

describe('requests to storage', () => {
  test('emails that ask at the same time share one', async () => {
    const world = aWorld();
    const paces = await enterAll(world.anInstance(), 50);
    expect(paces.filter(({ kind }) => kind === 'go' || kind === 'busy')).toHaveLength(4);
    expect([world.state.reads, world.state.writes]).toEqual([1, 2]);
  });

  test('none is needed for an email with a start that this instance has seen in the lane', async () => {
    const world = aWorld();
    const [one, two] = [world.anInstance(), world.anInstance()];
    const kept = (await enterAll(one, 60)).filter((pace) => pace.kind === 'wait' && pace.isKept);
    const before = world.state.writes;
    const times = kept.slice(0, 2).map(timeOf);
    expect(times).toHaveLength(2);
    for (const at of times) {
      world.state.time = at;
      expect(startOf(await enter(two, { dueAt: new Date(at) })).at.getTime()).toBe(at);
      expect([world.state.reads, world.state.writes]).toEqual([2, before]);
    }
  });

  test('of instances that write at the same moment each gets starts, and none twice', async () => {
    const world = aWorld();
    const paces = await Promise.all([1, 2, 3, 4].map(() => enterAll(world.anInstance(), 20)));
    const starts = paces.flat().flatMap((pace) => {
      if (pace.kind === 'wait') return pace.isKept ? [pace.at.getTime()] : [];
      return [startOf(pace).at.getTime()];
    });
    expect(starts.length).toBeGreaterThan(50);
    expect(mostWithin(starts, MINUTE)).toBeLessThanOrEqual(30);
    expect(mostWithin(starts, 500)).toBeLessThanOrEqual(4);
  });

  test('where an answer is lost, nobody goes by it, and what it promised is given to others', async () => {
    const world = aWorld({ perMinute: 2 });
    const pacer = world.anInstance();
    world.state.trouble = 'answer lost';
    expect(await enter(pacer)).toMatchObject({ kind: 'wait', isKept: false });
    world.state.trouble = undefined;
    world.state.time += 10_000;
    const paces = [await enter(pacer, { priority: 'high' }), await enter(pacer, { priority: 'high' })];
    expect(paces.map(({ kind }) => kind)).toEqual(['go', 'go']);
  });
});

describe('without storage', () => {
  test('an instance sends nothing for 90 seconds and then one email in that time, and says so once', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    world.state.trouble = 'away';
    const went: number[] = [];
    for (; world.state.time < START + 5 * MINUTE; world.state.time += 5000) {
      const pace = await enter(pacer);
      if (pace.kind !== 'go') {
        expect(pace).toMatchObject({ kind: 'wait', isKept: false });
        continue;
      }
      went.push(world.state.time - START);
      pacer.leave(pace.start);
    }
    expect(went).toEqual([90_000, 180_000, 270_000]);
    expect(world.state.alone).toBe(1);
  });

  test('the lane is told of what went, and of its recipients, once storage is there again', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    world.state.trouble = 'away';
    await enter(pacer);
    world.state.time += 90_001;
    const alone = startOf(await enter(pacer, { recipients: 7 }));
    pacer.leave(alone);
    world.state.trouble = undefined;
    world.state.time += 1000;
    await enter(pacer, { recipients: 1 });
    expect(world.laneOf().taken).toEqual([START + 90_000]);
    expect(Object.values(world.laneOf().hours)).toEqual([8]);
    world.state.trouble = 'away';
    world.state.time += MINUTE;
    await enter(pacer, { priority: 'high', bytes: 600_000 });
    expect(world.state.alone).toBe(2);
  });

  test('an email that went alone and was not sent after all is as if it had not gone', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    world.state.trouble = 'away';
    await enter(pacer);
    world.state.time += 90_000;
    const alone = startOf(await enter(pacer, { recipients: 7 }));
    pacer.giveBack(alone);
    pacer.leave(alone);
    world.state.trouble = undefined;
    await enter(pacer);
    expect(world.laneOf().taken).toEqual([]);
    expect(Object.values(world.laneOf().hours)).toEqual([1]);
  });

  test('an email that brings a start which nobody can confirm does not go by it', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    world.state.trouble = 'away';
    const dueAt = new Date(START);
    expect(await enter(pacer, { dueAt })).toMatchObject({ kind: 'wait', isKept: false });
  });
});

describe('a start', () => {
  test('that the lane does not know is not used: the email asks for another', async () => {
    const world = aWorld({ perMinute: 1 });
    const pacer = world.anInstance();
    startOf(await enter(pacer));
    world.state.time += 1000;
    const pace = await enter(pacer, { dueAt: new Date(world.state.time) });
    expect(pace.kind === 'wait' && timeOf(pace) > START + MINUTE).toBe(true);
  });

  test('that is missed goes to others, and the email has another soon', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    const kept = (await enterAll(pacer, 60)).find((pace) => pace.kind === 'wait' && pace.isKept);
    const at = timeOf(kept as Pace);
    world.state.time = at + 1502;
    const pace = await enter(pacer, { dueAt: new Date(at) });
    const again = pace.kind === 'wait' ? timeOf(pace) : startOf(pace).at.getTime();
    expect(again - at).toBeLessThan(20_000);
    expect(world.laneOf().booked.some(([from]) => from === at)).toBe(false);
  });

  test('that is given back leaves its place in the minute to others, however often it comes', async () => {
    const world = aWorld({ perMinute: 2 });
    const pacer = world.anInstance();
    for (let index = 0; index < 10; index += 1) {
      const start = startOf(await enter(pacer));
      pacer.giveBack(start);
      pacer.leave(start);
      world.state.time += 2;
    }
    expect((await enter(pacer)).kind).toBe('go');
    expect(Object.values(world.laneOf().hours)).toEqual([1]);
  });

  test.each([2 * MINUTE, 360 * MINUTE])(
    'that is missed by %i ms counts no more towards the day, also where the lane has forgotten it',
    async (lateMs) => {
      const world = aWorld();
      const [one, two] = [world.anInstance(), world.anInstance()];
      const paces = await enterAll(one, 50, { recipients: 3, comesBack: true });
      const told = paces.flatMap((pace) => (pace.kind === 'wait' && pace.isKept ? [pace.at] : []));
      const gone = paces.filter(({ kind }) => kind === 'go' || kind === 'busy').length;
      expect(told.length).toBeGreaterThan(20);
      world.state.time = Math.max(...told.map((at) => at.getTime())) + lateMs;
      // The host brings some of them twice, as their new message could not be put.
      const emails = told.map((dueAt, index) => ({ recipients: 3, mailId: String(index), dueAt }));
      const again = await Promise.all([...emails, ...emails.slice(0, 5)].map((who) => enter(two, who)));
      const given = again.filter((pace) => pace.kind !== 'wait' || pace.isKept).length;
      expect(recipientsOfDay(world.laneOf(), world.state.time)).toBe(3 * (gone + given));
    },
  );

  test('of a standing share needs no request, and counts within the limit', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    for (const passes of [0, 20_000]) {
      world.state.time += passes;
      pacer.leave(startOf(await enter(pacer)));
    }
    const before = world.state.writes;
    world.state.time += 1000;
    for (let index = 0; index < 3; index += 1) pacer.leave(startOf(await enter(pacer)));
    expect(world.state.writes).toBe(before);
    const others = await enterAll(world.anInstance(), 40, { priority: 'high' });
    const given = others.flatMap((pace) => {
      if (pace.kind === 'wait') return pace.isKept ? [timeOf(pace)] : [];
      return [startOf(pace).at.getTime()];
    });
    const share = Array(3).fill(START + 21_000);
    expect(mostWithin([START, START + 20_000, ...share, ...given], MINUTE)).toBeLessThanOrEqual(30);
    expect(given.length).toBeGreaterThan(20);
  });

  test('of a standing share is given back, and its request ends, also where the clock is corrected by parts of milliseconds', async () => {
    const world = aWorld();
    const pacer = world.anInstance(-20_000);
    for (const passes of [0, 16_345, 17_123]) {
      world.state.time += passes;
      world.state.slowMs = passes / 5;
      pacer.leave(startOf(await enter(pacer)));
    }
    for (let email = 0; email < 3; email += 1) {
      world.state.time += 1111;
      const start = startOf(await enter(pacer));
      if (email < 2) pacer.giveBack(start);
      pacer.leave(start, { maySend: email === 2 });
    }
    const before = world.state.writes;
    expect([(await enter(pacer)).kind, world.state.writes]).toEqual(['go', before]);
  });

  test.each([20, 300, 3000])(
    'of a standing share, or kept ahead, has its recipients counted: a day of %i is never exceeded',
    async (recipientsPerDay) => {
      const world = aWorld({ recipientsPerDay });
      const pacers = [world.anInstance(), world.anInstance()] as const;
      let used = 0;
      const send = async (pacer: Pacer, recipients: number) => {
        const pace = await enter(pacer, { recipients });
        if (pace.kind !== 'go') return;
        used += recipients;
        pacer.leave(pace.start);
      };
      // Both are steady, and have a share if there is one.
      for (let round = 0; round < 4; round += 1) {
        world.state.time += 18_000;
        for (const pacer of pacers) await send(pacer, 1);
      }
      for (let minute = 0; minute < 3; minute += 1) {
        for (let index = 0; index < 20; index += 1) {
          await send(pacers[1], Math.ceil(recipientsPerDay / 15));
          world.state.time += 3000;
        }
        for (const recipients of [20, 2, 1, 1, 1, 1, 1, 1]) await send(pacers[0], recipients);
      }
      expect(used).toBeLessThanOrEqual(recipientsPerDay);
      expect(used).toBeGreaterThan(0.9 * recipientsPerDay - Math.ceil(recipientsPerDay / 15));
    },
  );

  test('that is far ahead is given up where the limit is lower than when it was booked: six minutes later the lower limit holds', async () => {
    const lanes = aWorld();
    const before = await enterAll(lanes.anInstance(), 400, { comesBack: true });
    const lower = { ...lanes, anInstance: () => lanes.anInstance(0, { perMinute: 10 }) };
    const waiting = before.flatMap((pace) => ('at' in pace ? [pace.at] : []));
    expect(waiting.length).toBeGreaterThan(300);
    const { of } = await play(
      lower,
      [lower.anInstance(), lower.anInstance()],
      waiting.map((dueAt) => ({
        mailbox: PAYROLL,
        who: { comesBack: true },
        dueAt,
        at: dueAt.getTime() - START,
      })),
    );
    const went = of(PAYROLL);
    expect(went).toHaveLength(waiting.length);
    expect(mostWithin(went, MINUTE)).toBeLessThanOrEqual(30);
    const later = went.filter((at) => at > START + 6.5 * MINUTE);
    expect(later.length).toBeGreaterThan(100);
    expect(mostWithin(later, MINUTE)).toBeLessThanOrEqual(10);
  });

  test('that is near stays with emails that were canceled, and others go meanwhile as often as nothing is booked', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    for (const pace of await enterAll(pacer, 150, { comesBack: true }))
      if (pace.kind === 'go') pacer.leave(pace.start);
    for (let email = 0; email < 130; email += 1) pacer.canceled(PAYROLL);
    const { of } = await play(world, [pacer], many(10));
    expect(Math.max(...of(PAYROLL)) - START).toBeLessThan(4 * MINUTE);
  });

  test('that is far ahead is given up where most of the emails were canceled: others wait for minutes, and not for hours', async () => {
    const world = aWorld();
    const [one, two] = [world.anInstance(), world.anInstance()] as const;
    for (const pace of await enterAll(one, 3000, { comesBack: true }))
      if (pace.kind === 'go') one.leave(pace.start);
    for (let email = 0; email < 2900; email += 1) (email % 2 === 0 ? one : two).canceled(PAYROLL);
    const { of } = await play(world, [one, two], many(100));
    expect(of(PAYROLL)).toHaveLength(100);
    expect(Math.max(...of(PAYROLL)) - START).toBeLessThan(15 * MINUTE);
    expect(mostWithin(of(PAYROLL), MINUTE)).toBeLessThanOrEqual(30);
  });

  test.each([undefined, 'answer lost'] as const)(
    'is kept ahead for the next emails, and takes none of the day from them: of as many emails as a day allows, none waits for tomorrow (%s)',
    async (trouble) => {
      const world = aWorld({ recipientsPerDay: 1000 });
      const pacers = [world.anInstance(), world.anInstance()] as const;
      const kinds: string[] = [];
      // They come in bursts of what an instance processes at once.
      for (let burst = 0; burst < 60; burst += 1) {
        world.state.trouble = burst % 20 === 19 ? trouble : undefined;
        const paces = await enterAll(pacers[burst % 2] as Pacer, 16, { comesBack: true });
        kinds.push(...paces.map(({ kind }) => kind));
        for (const pace of paces) if (pace.kind === 'go') pacers[burst % 2]?.leave(pace.start);
        world.state.time += 300;
      }
      expect(kinds.filter((kind) => kind === 'day')).toHaveLength(0);
      const counted = recipientsOfDay(world.laneOf(), world.state.time);
      // The others wait for the last sixth, without a start.
      expect(counted).toBeGreaterThan(700);
      const reserved = Object.values(world.laneOf().reserved).reduce((sum, count) => sum + count, 0);
      expect(reserved).toBeLessThan(100);
      expect(counted).toBeLessThanOrEqual(980);
    },
  );

  test('of a share counts with its recipients once, after the share and its reservation have ended', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    for (const passes of [0, 20_000, 1000, 6 * MINUTE, 30 * MINUTE]) {
      world.state.time += passes;
      pacer.leave(startOf(await enter(pacer)));
    }
    expect(Object.values(world.laneOf().hours).reduce((sum, count) => sum + count, 0)).toBe(5);
    // And what is reserved for the share that the last one brought.
    expect(recipientsOfDay(world.laneOf(), world.state.time)).toBe(11);
  });

  test('is kept ahead where emails wait, so that the next ones need no request', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    for (let index = 0; index < 400; index += 1) await enter(pacer);
    expect(world.state.writes).toBeLessThan(150);
  });
});

describe('after a 429', () => {
  test('the mailbox waits on every instance until Graph allows, and no other mailbox does', async () => {
    const world = aWorld();
    const [one, two] = [world.anInstance(), world.anInstance()];
    await enterAll(one, 10);
    await one.pause(PAYROLL, 20_000);
    world.state.time += 1000;
    for (const pacer of [one, two]) {
      const pace = await enter(pacer, { priority: 'high' });
      expect(pace.kind === 'wait' && timeOf(pace) >= START + 20_000).toBe(true);
      expect((await pacer.enter('hr@contoso.com', A_PASSENGER)).kind).not.toBe('wait');
    }
  });

  test('with a long pause, the one that finds out uses its own start, and the others follow', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    const [first] = await enterAll(pacer, 4);
    pacer.leave(startOf(first as Pace));
    await pacer.pause(PAYROLL, 15_000);
    const [probe, other] = [
      await enter(pacer, { priority: 'high' }),
      await enter(pacer, { priority: 'high' }),
    ];
    expect(timeOf(probe) - START).toBeGreaterThanOrEqual(15_000);
    expect(timeOf(other) - timeOf(probe)).toBeGreaterThanOrEqual(5000 - 16);
    world.state.time = timeOf(probe);
    const goes = await enter(world.anInstance(), { priority: 'high', dueAt: new Date(timeOf(probe)) });
    expect(startOf(goes).at.getTime()).toBe(timeOf(probe));
  });

  test('one that cannot be told is told with what is asked next', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    pacer.leave(startOf(await enter(pacer)));
    world.state.trouble = 'away';
    await pacer.pause(PAYROLL, 30_000);
    world.state.trouble = undefined;
    world.state.time += 1000;
    await enter(pacer);
    expect(world.laneOf().cut).toEqual({ perMinute: 15, at: START + 1000 });
    expect(world.laneOf().pausedUntil).toBeGreaterThanOrEqual(START + 30_000);
  });

  test('others that are always first do not keep an instance asking for ever', async () => {
    const world = aWorld();
    const lost: Ports['mailboxLanes'] = {
      ...lanesIn(world.lanes, () => new Date(world.state.time)),
      write: async (mailbox) => {
        world.state.writes += 1;
        return { isOwn: false, entry: world.lanes.read(mailbox) };
      },
    };
    const clock = { now: () => new Date(world.state.time), sleep: async () => undefined };
    const pacer = aPacer({ clock, mailboxLanes: lost });
    await pacer.pause(PAYROLL, 30_000);
    expect(await enter(pacer)).toMatchObject({ kind: 'wait', isKept: false });
    expect(world.state.writes).toBeLessThan(30);
  });

  test('a short pause means too many at once, and cuts only that', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    const starts = (await enterAll(pacer, 3)).map(startOf);
    await pacer.pause(PAYROLL, 1000);
    for (const start of starts) pacer.leave(start);
    world.state.time += 2000;
    const kinds = (await enterAll(pacer, 3)).map(({ kind }) => kind);
    expect(kinds).toEqual(['go', 'go', 'busy']);
  });
});

describe('within an instance', () => {
  test('whoever waits for a free request is told when one has ended', async () => {
    const world = aWorld({ concurrent: 1 });
    const pacer = world.anInstance();
    const first = startOf(await enter(pacer));
    world.state.time += 2500;
    const waiting = startOf(await enter(pacer));
    const freed = pacer.freed(PAYROLL);
    pacer.leave(first);
    await freed;
    expect((await enter(pacer, { dueAt: waiting.at })).kind).toBe('go');
  });

  test('an instance leaves to others as many requests as the lane kept starts for, and no more', async () => {
    const world = aWorld();
    const [one, two] = [world.anInstance(), world.anInstance()];
    await enter(two, { priority: 'high' });
    const kinds: string[] = [];
    for (let email = 0; email < 4; email += 1) {
      world.state.time += 2;
      kinds.push((await enter(one, { priority: 'high' })).kind);
    }
    expect(kinds).toEqual(['go', 'go', 'go', 'wait']);
  });

  test('where its requests take longer than usual, it has its part and no more, as those of others may too', async () => {
    const world = aWorld();
    const [one, two] = [world.anInstance(), world.anInstance()];
    await enter(two, { priority: 'high' });
    const kinds: string[] = [];
    for (let email = 0; email < 3; email += 1) {
      world.state.time += 1500;
      kinds.push((await enter(one, { priority: 'high' })).kind);
    }
    expect(kinds).toEqual(['go', 'go', 'busy']);
  });

  test('a burst for one mailbox is crowded once two wait for each request in progress, and not before', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    const crowded: boolean[] = [];
    for (let email = 0; email < 14; email += 1) {
      const pace = await enter(pacer);
      if (pace.kind === 'busy') {
        crowded.push(pace.isCrowded);
        void pacer.freed(PAYROLL);
      }
      world.state.time += 700;
    }
    expect(crowded).toEqual([...Array(8).fill(false), true, true]);
  });
});

describe('what is remembered of mailboxes', () => {
  test('thousands of them, seen once, leave nothing', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    for (let index = 0; index < 3000; index += 1) {
      const pace = await pacer.enter(`mailbox-${index}`, A_PASSENGER);
      pacer.leave(startOf(pace));
      world.state.time += 1000;
      // Those of ten minutes, and of the minute between two looks.
      expect(pacer.size).toBeLessThan(680);
    }
    world.state.time += 12 * MINUTE;
    await enter(pacer);
    expect(pacer.size).toBe(1);
  });

  test('is kept while it matters: a request in progress, or a pause', async () => {
    const world = aWorld();
    const pacer = world.anInstance();
    const start = startOf(await pacer.enter('in progress', A_PASSENGER));
    await pacer.pause('paused', 60 * MINUTE);
    world.state.time += 30 * MINUTE;
    await enter(pacer);
    expect(pacer.size).toBe(3);
    pacer.leave(start);
    world.state.time += 90 * MINUTE;
    await enter(pacer);
    expect(pacer.size).toBe(1);
  });
});

test('instances whose clocks are wrong by minutes mean the same time, once they have asked', async () => {
  const world = aWorld({ perMinute: 10 });
  const pacers = [world.anInstance(-5 * MINUTE), world.anInstance(2 * MINUTE), world.anInstance()];
  const { of } = await play(world, pacers, many(60));
  expect(of(PAYROLL)).toHaveLength(60);
  expect(mostWithin(of(PAYROLL), MINUTE)).toBeLessThanOrEqual(10);
});
