import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { laneOfText } from '../../../src/lib/sending/lane-json.ts';
import { perMinuteOf } from '../../../src/lib/sending/lane-refusal.ts';
import { BELIEVED_MS } from '../../../src/lib/sending/lane-renewal.ts';
import {
  type Answer,
  aheadOf,
  askLane,
  canBeStart,
  EMPTY_LANE,
  hasStart,
  type Lane,
  type LaneLimits,
  type Request,
  recipientsOfDay,
  type Want,
  WINDOW_MS,
} from '../../../src/lib/sending/mailbox-lane.ts';
import { anySteps, bookedIn, HOUR_MS, LIMITS, mostWithin, playLane, START } from './simulated-lane.ts';

const MINUTE = 60_000;
const RUNS = { numRuns: 60 };
const WANT: Want = { priority: 'normal', recipients: 1, bytes: 1000, hasWaited: false };
const wants = (count: number, want: Partial<Want> = {}): readonly Want[] =>
  Array.from({ length: count }, () => ({ ...WANT, ...want }));

const request = (given: Partial<Request>): Request => ({
  owner: 'one',
  now: START,
  wants: [],
  spare: 0,
  returned: [],
  released: [],
  canceled: 0,
  recipients: 0,
  unasked: [],
  callsMs: [],
  ...given,
});
const ask = (lane: Lane, given: Partial<Request>, limits: Partial<LaneLimits> = {}) =>
  askLane(lane, { ...LIMITS, ...limits }, request(given));

const startsIn = (answers: readonly Answer[]): readonly number[] =>
  answers.flatMap((answer) => (answer.kind === 'start' ? [answer.at] : []));
const kinds = (answers: readonly Answer[]): readonly string[] => answers.map(({ kind }) => kind);

/** Starts are on a grid of so many milliseconds. */
const GRID_MS = 16;

describe('however instances ask, use, miss and give back their starts, with clocks that differ', () => {
  test.each([1, 2, 3, 5, 30])('never more than the limit of %i is used in a minute', (perMinute) => {
    fc.assert(
      fc.property(anySteps(), (steps) => {
        const { used } = playLane(steps, { ...LIMITS, perMinute });
        expect(mostWithin(used, MINUTE)).toBeLessThanOrEqual(perMinute);
      }),
      RUNS,
    );
  });

  test.each([2, 3, 4])('no more than %i starts are given in the time that a request takes', (concurrent) => {
    fc.assert(
      fc.property(anySteps({ calm: true }), fc.constantFrom(500, 3000, 20_000), (steps, ms) => {
        const given: number[] = [];
        playLane(
          [{ ...(steps[0] as (typeof steps)[number]), wants: [], callsMs: Array(20).fill(ms) }, ...steps],
          { ...LIMITS, concurrent },
          ({ lane, answers, spare, request: { returned } }) => {
            for (const { at } of returned) given.splice(given.indexOf(at), 1);
            given.push(...startsIn(answers), ...spare);
            expect(mostWithin(given, lane.callMs)).toBeLessThanOrEqual(concurrent);
          },
        );
      }),
      RUNS,
    );
  });

  test('booked starts are even, and each is after the ones that were booked before', () => {
    fc.assert(
      fc.property(anySteps(), (steps) => {
        playLane(steps, LIMITS, ({ lane, answers, spare }) => {
          const booked = bookedIn(lane);
          expect(booked).toEqual(booked.toSorted((one, other) => one - other));
          const given = [...startsIn(answers), ...spare];
          expect([...booked, ...given].every(canBeStart)).toBe(true);
          expect(given.every((at) => hasStart(lane, at))).toBe(true);
          for (const answer of answers) if (answer.kind === 'ask') expect(canBeStart(answer.at)).toBe(false);
        });
      }),
      RUNS,
    );
  });

  test('nobody is given a time in the past, or further away than times are kept', () => {
    fc.assert(
      fc.property(
        anySteps({ recipients: 30 }),
        fc.constantFrom(10 * MINUTE, HOUR_MS),
        (steps, bookAheadMs) => {
          const { given } = playLane(steps, { ...LIMITS, perMinute: 5, bookAheadMs });
          for (const { answer, now } of given) {
            if (!('at' in answer)) continue;
            expect(answer.at).toBeGreaterThan(now - GRID_MS);
            expect(answer.at).toBeLessThanOrEqual(now + bookAheadMs + GRID_MS);
          }
        },
      ),
      RUNS,
    );
  });

  test('bulk takes no start while one is booked for somebody else, or somebody was told when to ask', () => {
    fc.assert(
      fc.property(anySteps(), (steps) => {
        playLane(steps, LIMITS, ({ before, request: { now, wants: all, pause, canceled }, answers }) => {
          // Of many emails that were canceled, the starts that are far ahead are given up, and the times to ask.
          const kept = bookedIn(before).filter((at) => canceled === 0 || at <= now + BELIEVED_MS);
          let latest = Math.max(...kept, canceled === 0 ? before.askUpTo : Number.NEGATIVE_INFINITY);
          // A long pause voids what was booked, and the starts of others are at its end then, and not booked.
          if (before.pausedUntil > now || pause !== undefined) return;
          answers.forEach((answer, index) => {
            const isBulk = all[index]?.priority === 'bulk';
            if (isBulk && answer.kind === 'start' && !all.some(({ hasWaited }) => hasWaited))
              expect(latest).toBeLessThanOrEqual(now);
            if (!isBulk && 'at' in answer) latest = Math.max(latest, answer.at);
          });
        });
      }),
      RUNS,
    );
  });

  test('the recipients of a day stay below the limit, as counted', () => {
    fc.assert(
      fc.property(anySteps({ recipients: 30 }), (steps) => {
        const limits = { ...LIMITS, recipientsPerDay: 200 };
        playLane(steps, limits, ({ lane, answers, request: { now, recipients } }) => {
          if (startsIn(answers).length > 0)
            expect(recipientsOfDay(lane, now)).toBeLessThanOrEqual(200 + recipients);
        });
      }),
      RUNS,
    );
  });

  test('the bytes of large emails stay within 150 MB in any five minutes', () => {
    fc.assert(
      fc.property(anySteps({ bytes: 60_000_000 }), (steps) => {
        const large = playLane(steps, LIMITS).given.flatMap(({ answer, bytes }) =>
          answer.kind === 'start' && bytes >= 500_000 ? [{ at: answer.at, bytes }] : [],
        );
        for (const { at } of large) {
          const within = large.filter((one) => one.at >= at && one.at < at + 5 * MINUTE);
          expect(within.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(150_000_000);
        }
      }),
      RUNS,
    );
  });

  test('a lane read back from its JSON decides the same', () => {
    fc.assert(
      fc.property(anySteps(), (steps) => {
        playLane(steps, LIMITS, ({ lane }) => {
          expect(laneOfText(JSON.stringify(lane))).toEqual(lane);
        });
      }),
      RUNS,
    );
  });
});

describe('priorities', () => {
  /** A lane on which so many normal emails wait. */
  const busy = (count: number, limits: Partial<LaneLimits> = {}): Lane => {
    let lane = EMPTY_LANE;
    for (let left = count; left > 0; left -= 100)
      lane = ask(lane, { wants: wants(Math.min(100, left)), spare: 32 }, limits).lane;
    return lane;
  };

  test.each([
    [2, 500],
    [3, 500],
    [5, 500],
    [30, 500],
    [30, 20_000],
    [30, 60_000],
    [10_000, 500],
  ])(
    'with %i a minute, an urgent email has a start within a window, however much is booked and requests of %i ms',
    (perMinute, callMs) => {
      const lane = { ...busy(2000, { perMinute }), callMs };
      const asked = ask(
        lane,
        { now: START + 30_000, wants: wants(1, { priority: 'high' }) },
        {
          perMinute,
        },
      );
      const [at] = startsIn(asked.answers);
      expect((at ?? Number.POSITIVE_INFINITY) - START - 30_000).toBeLessThanOrEqual(WINDOW_MS);
    },
  );

  test('the last sixth is for urgent emails: as many go at once as the limit keeps for them', () => {
    const lane = busy(300, { concurrent: 100 });
    const { answers } = ask(lane, { wants: wants(5, { priority: 'high' }) }, { concurrent: 100 });
    expect(startsIn(answers)).toEqual(Array(5).fill(START));
  });

  test('an email that missed its start is before those that came after it', () => {
    const lane = busy(1000);
    const now = START + 70_000;
    const { answers } = ask(lane, { now, wants: [{ ...WANT, hasWaited: true }, WANT] });
    const [missed, fresh] = answers;
    expect(missed?.kind === 'start' && missed.at - now <= 15_000).toBe(true);
    expect(fresh?.kind === 'start' && fresh.at <= now + 15_000).toBe(false);
  });

  test('bulk alone has five sixths of the limit, and waits while somebody else does', () => {
    let lane = EMPTY_LANE;
    const used: number[] = [];
    for (let now = START; now < START + 10 * MINUTE; now += 500) {
      const asked = ask(lane, { now, wants: wants(1, { priority: 'bulk', hasWaited: true }) });
      used.push(...startsIn(asked.answers));
      ({ lane } = asked);
    }
    expect(mostWithin(used, MINUTE)).toBeLessThanOrEqual(25);
    expect(used.length).toBeGreaterThan(230);
    const { answers } = ask(busy(100), { now: START + 1000, wants: wants(3, { priority: 'bulk' }) });
    expect(kinds(answers)).toEqual(['ask', 'ask', 'ask']);
  });

  test('bulk waits for those who were told when to ask, though nothing is booked', () => {
    const { lane } = ask(EMPTY_LANE, { wants: wants(2) }, { perMinute: 2 });
    expect(bookedIn(lane)).toEqual([START]);
    const returned = [{ at: START, recipients: 1 }];
    const bulk = ask(
      lane,
      { now: START + 10, wants: wants(1, { priority: 'bulk' }), returned },
      { perMinute: 2 },
    );
    expect(kinds(bulk.answers)).toEqual(['ask']);
  });

  test('bulk that became normal is given starts as every other email that waited', () => {
    const now = START + 70_000;
    const { answers } = ask(busy(1000), { now, wants: [{ ...WANT, hasWaited: true }] });
    expect(kinds(answers)).toEqual(['start']);
  });
});

describe('a mailbox of its own limits', () => {
  test('with one email a minute, each waits for the one before it', () => {
    const { answers } = ask(EMPTY_LANE, { wants: wants(3) }, { perMinute: 1 });
    const [first = 0, ...others] = startsIn(answers);
    expect(first).toBe(START);
    expect(others.map((at) => at - first >= WINDOW_MS)).toEqual([true, true]);
  });

  test('what does not fit in the time for which starts are kept is told so', () => {
    const limits = { perMinute: 1, bookAheadMs: 5 * MINUTE };
    const { lane, answers } = ask(EMPTY_LANE, { wants: wants(7) }, limits);
    expect(kinds(answers)).toEqual([...Array(5).fill('start'), 'full', 'full']);
    const later = ask(lane, { now: START + 1.1 * MINUTE, wants: wants(2) }, limits);
    expect(kinds(later.answers)).toEqual(['start', 'full']);
  });

  test('one request at once: starts are as far apart as a request takes', () => {
    const { answers } = ask({ ...EMPTY_LANE, callMs: 2000 }, { wants: wants(4) }, { concurrent: 1 });
    const starts = startsIn(answers);
    for (const [index, at] of starts.slice(1).entries())
      expect(at - (starts[index] ?? 0)).toBeGreaterThanOrEqual(2000);
  });

  test('a recipient a day: the second email waits until the first has left the day', () => {
    const { lane, answers } = ask(EMPTY_LANE, { wants: wants(2) }, { recipientsPerDay: 1 });
    expect(kinds(answers)).toEqual(['start', 'day']);
    const at = answers[1]?.kind === 'day' ? answers[1].at : 0;
    expect(at - START).toBeGreaterThanOrEqual(24 * HOUR_MS);
    expect(kinds(ask(lane, { now: at - 2, wants: wants(1) }, { recipientsPerDay: 1 }).answers)).toEqual([
      'day',
    ]);
    expect(kinds(ask(lane, { now: at, wants: wants(1) }, { recipientsPerDay: 1 }).answers)).toEqual([
      'start',
    ]);
  });

  test('an email with more recipients than a day takes goes when nobody else has had the day', () => {
    const limits = { recipientsPerDay: 10 };
    const many = wants(1, { recipients: 400 });
    expect(kinds(ask(EMPTY_LANE, { wants: many }, limits).answers)).toEqual(['start']);
    const { lane } = ask(EMPTY_LANE, { wants: wants(1) }, limits);
    const [told] = ask(lane, { wants: many }, limits).answers;
    const at = told?.kind === 'day' ? told.at : Number.NaN;
    expect(kinds(ask(lane, { now: at, wants: many }, limits).answers)).toEqual(['start']);
  });

  test('a start that was not used gives its recipients back to the day', () => {
    const limits = { recipientsPerDay: 10 };
    const { lane } = ask(EMPTY_LANE, { wants: wants(1, { recipients: 10 }) }, limits);
    expect(kinds(ask(lane, { wants: wants(1) }, limits).answers)).toEqual(['day']);
    const returned = [{ at: START, recipients: 10 }];
    expect(kinds(ask(lane, { wants: wants(1), returned }, limits).answers)).toEqual(['start']);
  });

  test('an email of more bytes than five minutes take goes alone, instead of never', () => {
    const huge = wants(2, { bytes: 200_000_000 });
    const { lane, answers } = ask(EMPTY_LANE, { wants: huge });
    expect(kinds(answers)).toEqual(['start', 'ask']);
    const at = answers[1]?.kind === 'ask' ? answers[1].at : Number.NaN;
    expect(at - START).toBeLessThan(5.4 * MINUTE);
    expect(kinds(ask(lane, { now: at, wants: huge.slice(1) }).answers)).toEqual(['start']);
  });
});

describe('after a pause by Graph', () => {
  const pause = { until: START + 20_000, isLong: true };
  const filled = () => ask(EMPTY_LANE, { wants: wants(25) }, { concurrent: 100 });

  test('what was used in the minute before it counts still', () => {
    const limits = { concurrent: 100 };
    const { lane } = ask(filled().lane, { now: START + 1000, pause }, limits);
    const later = ask(lane, { now: START + 26_000, wants: wants(30, { priority: 'high' }) }, limits);
    expect(mostWithin([...bookedIn(later.lane), ...later.lane.taken], MINUTE)).toBeLessThanOrEqual(25);
  });

  test('nobody starts before it is over, then one goes alone, and the others five seconds later', () => {
    const { lane } = ask(ask(EMPTY_LANE, { wants: wants(4) }).lane, { now: START + 2, pause });
    const [early = 0] = startsIn(
      ask(lane, { now: START + 1000, wants: wants(1, { priority: 'high' }) }).answers,
    );
    expect(early).toBeGreaterThanOrEqual(pause.until);
    const now = START + 63_000;
    const { answers } = ask(lane, { now, wants: wants(3, { priority: 'high' }) });
    const [first = 0, ...others] = startsIn(answers);
    expect(Math.abs(first - now)).toBeLessThan(GRID_MS);
    expect(others).toHaveLength(2);
    for (const at of others) expect(at).toBeGreaterThanOrEqual(now + 5000 - GRID_MS);
  });

  test('the mailbox takes one less than Graph accepted in the last minute, and one more each five minutes', () => {
    const { lane } = ask(filled().lane, { now: START + 1000, pause }, { concurrent: 100 });
    const limits = { ...LIMITS, concurrent: 100 };
    const limitAfter = (ms: number) => perMinuteOf(lane, limits, START + 1000 + ms);
    expect([0, 5 * MINUTE, 15 * MINUTE, HOUR_MS].map(limitAfter)).toEqual([24, 25, 27, 30]);
  });

  test('where the minute was not used up, half of the limit is left; and what was cut lower doubles up to half of it', () => {
    const [first, second] = [ask(EMPTY_LANE, { wants: wants(3) }).lane, START + HOUR_MS];
    const once = ask(first, { now: START + 1000, pause }).lane;
    const limitAt = (lane: Lane, now: number) => perMinuteOf(lane, LIMITS, now);
    expect(limitAt(once, START + 1000)).toBe(15);
    const low = { ...once, cut: { perMinute: 2, at: second } };
    expect([4, 5, 10, 15, 20, 25].map((minutes) => limitAt(low, second + minutes * MINUTE))).toEqual([
      2, 4, 8, 15, 16, 17,
    ]);
  });

  test('one request that hangs does not spread the starts of others', () => {
    const { lane } = ask(EMPTY_LANE, { wants: wants(1), callsMs: [400, 60_000, 400] });
    const starts = startsIn(ask(lane, { now: START + 1000, wants: wants(24) }).answers);
    expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeLessThan(8000);
  });

  test('the starts that nobody could use meanwhile are no part of the minute', () => {
    const limits = { concurrent: 100 };
    const { lane } = ask(EMPTY_LANE, { wants: wants(25), callsMs: Array(20).fill(10) });
    expect(bookedIn(lane).filter((at) => at > START + 2).length).toBeGreaterThan(20);
    const paused = ask(lane, { now: START + 2, pause }, limits);
    const [first = 0] = startsIn(ask(paused.lane, { now: START + 5000, wants: wants(1) }, limits).answers);
    expect(first - pause.until).toBeLessThan(2 * GRID_MS);
  });

  test('where Graph refuses for longer than until the one that was to find out, another one finds out, alone', () => {
    const { lane } = ask(EMPTY_LANE, { wants: wants(4) });
    const first = ask(lane, { now: START + 2, pause, wants: wants(3, { priority: 'high' }) });
    const until = START + 24_000;
    const again = ask(first.lane, { now: START + 3000, pause: { until, isLong: true } });
    const { answers } = ask(again.lane, { now: START + 4000, wants: wants(2, { priority: 'high' }) });
    const [probe = 0, next = 0] = startsIn(answers);
    expect(probe).toBeGreaterThanOrEqual(until);
    expect(next - probe).toBeGreaterThanOrEqual(5000 - GRID_MS);
    for (const at of startsIn(first.answers)) expect(hasStart(again.lane, at)).toBe(false);
  });

  test('short ones that follow on each other double, up to 16 seconds, and begin anew after five seconds without one', () => {
    let lane = EMPTY_LANE;
    const lasts: number[] = [];
    let now = START;
    const refuse = (afterMs: number) => {
      now += afterMs;
      ({ lane } = ask(lane, { now, pause: { until: now + 1000, isLong: false } }));
      lasts.push(lane.pausedUntil - now);
      now = lane.pausedUntil;
    };
    for (let time = 0; time < 7; time += 1) refuse(500);
    refuse(5000);
    expect(lasts).toEqual([1000, 2000, 4000, 8000, 16_000, 16_000, 16_000, 1000]);
  });

  test('those refused together lengthen no pause', () => {
    const at = (now: number) => ({ now, pause: { until: now + 1000, isLong: false } });
    const { lane } = ask(ask(EMPTY_LANE, at(START)).lane, at(START + 100));
    expect(lane.pausedUntil).toBe(START + 1100);
  });

  test('a short one is for too many at once, and cuts nothing', () => {
    const short = { until: START + 2000, isLong: false };
    const { lane } = ask(filled().lane, { now: START + 1000, pause: short }, { concurrent: 100 });
    expect(perMinuteOf(lane, LIMITS, START + 1000)).toBe(30);
    expect(lane.pausedUntil).toBe(START + 2000);
  });
});

describe('a standing share', () => {
  const steady = () => {
    const { lane } = ask(EMPTY_LANE, { wants: wants(1) });
    return ask(lane, { now: START + 20_000, wants: wants(1) }).lane;
  };

  test('is for an instance that sends little, and counts for the others until a window after its end', () => {
    const lane = steady();
    expect(lane.standing).toEqual([
      { owner: 'one', count: 3, until: START + 20_000 + 5 * MINUTE, recipients: 6 },
    ]);
    const limits = { concurrent: 100 };
    const others = ask(
      lane,
      { owner: 'two', now: START + 2 * MINUTE, wants: wants(40, { priority: 'high' }) },
      limits,
    );
    expect(startsIn(others.answers).filter((at) => at === START + 2 * MINUTE)).toHaveLength(27);
  });

  test('is for nobody where emails wait, or the limit is small', () => {
    const { lane } = ask(EMPTY_LANE, { wants: wants(200) });
    expect(ask(lane, { now: START + 20_000, wants: wants(1) }).lane.standing).toEqual([]);
    const small = ask(EMPTY_LANE, { wants: wants(1) }, { perMinute: 5 });
    expect(ask(small.lane, { now: START + 20_000, wants: wants(1) }, { perMinute: 5 }).lane.standing).toEqual(
      [],
    );
  });
});

describe('a lane stays small', () => {
  const MOST_CHARACTERS = 60_000;

  test.each([30, 10_000])('whatever happens, with %i a minute', (perMinute) => {
    fc.assert(
      fc.property(anySteps({ bytes: 600_000 }, 200), (steps) => {
        playLane(steps, { ...LIMITS, perMinute, concurrent: 100 }, ({ lane }) => {
          expect(JSON.stringify(lane).length).toBeLessThan(MOST_CHARACTERS);
        });
      }),
      { numRuns: 10 },
    );
  });

  test('with 10,000 emails that wait, and more instances than there can be', () => {
    const limits = { perMinute: 10_000, concurrent: 100 };
    let lane = EMPTY_LANE;
    for (let number = 0; number < 200; number += 1) {
      const asked = {
        owner: `0f8fad5b-d9cb-469f-a165-${String(number).padStart(12, '0')}`,
        now: START + number * 37,
        wants: [
          ...wants(20),
          ...wants(15, { hasWaited: true }),
          ...wants(15, { priority: 'high', bytes: 500_000 }),
        ],
        spare: 32,
        returned: bookedIn(lane)
          .slice(-40, -20)
          .map((at) => ({ at, recipients: 1 })),
        unasked: [START + number * 37 - 9],
      };
      ({ lane } = ask(lane, asked, limits));
    }
    expect(JSON.stringify(lane).length).toBeLessThan(MOST_CHARACTERS);
    expect(mostWithin([...bookedIn(lane), ...lane.taken], MINUTE)).toBeLessThanOrEqual(10_000);
  });

  test('and forgets nothing that still counts: starts of a window, for clocks that are a minute apart too', () => {
    fc.assert(
      fc.property(anySteps({ calm: true }), fc.integer({ min: 0, max: 200 }), (steps, seconds) => {
        const { lane } = playLane(steps, LIMITS);
        const now = Math.max(...bookedIn(lane), ...lane.taken, START) + seconds * 1000;
        const kept = ask(lane, { now, owner: 'ahead' }).lane;
        const starts = (one: Lane) =>
          [...bookedIn(one), ...one.taken].filter((at) => at > now - MINUTE - WINDOW_MS);
        expect(starts(kept)).toEqual(starts(lane));
        const hours = Object.entries(lane.hours).filter(([hour]) => Number(hour) > now / HOUR_MS - 24);
        expect(kept.hours).toMatchObject(Object.fromEntries(hours));
      }),
      RUNS,
    );
  });
});

describe('a lane that another version wrote, or that is damaged', () => {
  const { lane } = ask(EMPTY_LANE, { wants: wants(30) });

  test('is as none, where it is no lane at all', () => {
    for (const text of ['', '{', 'null', '7', '"lane"', '[1]', '{"booked":[[1,'])
      expect(laneOfText(text)).toEqual(EMPTY_LANE);
  });

  test('keeps what can be read, and what a later version added', () => {
    const later = { ...lane, users: 7, booked: lane.booked, shares: [1, 2] };
    const read = laneOfText(JSON.stringify(later));
    expect(read).toEqual({ ...lane, users: {}, shares: [1, 2] });
    expect(ask(read, { now: START + 1000, wants: wants(1) }).lane).toHaveProperty('shares', [1, 2]);
  });

  test('never fails an email, whatever is in its fields', () => {
    const fields = Object.keys({ ...EMPTY_LANE, cut: 0 });
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...fields), fc.jsonValue()), (damage) => {
        const read = laneOfText(JSON.stringify({ ...lane, ...damage }));
        const { answers } = ask(read, { now: START + 70_000, wants: wants(1, { priority: 'high' }) });
        expect(answers).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
  });

  test('what is promised for next year does not close the mailbox until then', () => {
    const away = START + 365 * 24 * HOUR_MS;
    const lane: Lane = {
      ...EMPTY_LANE,
      ...{
        pausedUntil: away,
        askUpTo: away,
        bulkUpTo: away,
        largeUpTo: away,
        lastBulk: away,
        lateUntil: away,
      },
      booked: [[away, 2, 1000]],
      taken: [away],
      standing: [{ owner: 'gone', count: 30, until: away, recipients: 0 }],
    };
    for (const priority of ['high', 'normal', 'bulk'] as const)
      expect(kinds(ask(lane, { wants: wants(1, { priority }) }).answers)).toEqual(['start']);
    expect(kinds(ask(lane, { wants: wants(1, { bytes: 5_000_000 }) }).answers)).toEqual(['start']);
  });

  test('an impossible run of starts is not counted through', () => {
    const read = laneOfText(JSON.stringify({ ...lane, booked: [[START, 0, 1e12]] }));
    expect(read.booked).toEqual([]);
  });
});

test('five sixths of the limit can be booked ahead, and at least one', () => {
  expect([1, 2, 3, 5, 30, 10_000].map((perMinute) => aheadOf(perMinute))).toEqual([1, 1, 2, 4, 25, 8333]);
});

test('every start is one that an email can bring back, also after a standing share that a clock with parts of milliseconds has dated', () => {
  const until = START + 1000.687;
  const lane = { ...EMPTY_LANE, standing: [{ owner: 'one', count: LIMITS.perMinute, until, recipients: 6 }] };
  const starts = startsIn(ask(lane, { owner: 'other', now: START + 0.3, wants: wants(40) }).answers);
  expect(starts.length).toBeGreaterThan(20);
  expect(starts[0]).toBeGreaterThanOrEqual(until + WINDOW_MS);
  expect(starts.filter((at) => !canBeStart(at))).toEqual([]);
});

test('a standing share ends at a time that can be a start', () => {
  const asked = (lane: Lane, now: number) => ask(lane, { now, wants: wants(1) }).lane;
  const { standing } = asked(asked(EMPTY_LANE, START + 0.687), START + 20_001.687);
  expect(standing.map(({ until }) => canBeStart(until))).toEqual([true]);
});
