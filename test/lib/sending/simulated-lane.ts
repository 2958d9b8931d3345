import fc from 'fast-check';
import type { Priority } from '../../../src/lib/mail/priority.ts';
import {
  type Answer,
  askLane,
  EMPTY_LANE,
  GRACE_MS,
  hasStart,
  type Lane,
  type LaneLimits,
  type Request,
  type Returned,
  type Want,
  WINDOW_MS,
} from '../../../src/lib/sending/mailbox-lane.ts';

export const START = Date.parse('2026-03-02T08:00:00Z');
export const HOUR_MS = 3_600_000;

/** What one instance does at a time, and what becomes of the starts that it is given. */
export type LaneStep = {
  readonly passesMs: number;
  readonly who: number;
  readonly wants: readonly Want[];
  readonly spare: number;
  readonly canceled: number;
  /** Of each start given: how far into its grace it is used, or that it is given back or missed. */
  readonly fates: readonly (number | 'back' | 'missed')[];
  readonly usesStanding: number;
  readonly pauses?: { readonly forMs: number; readonly isLong: boolean };
  readonly callsMs: readonly number[];
};

export type Given = Want & { readonly answer: Answer; readonly now: number; readonly who: number };

const anyPriority = fc.constantFrom<Priority>('high', 'normal', 'normal', 'bulk');

const anyWant = (most: { readonly recipients: number; readonly bytes: number }): fc.Arbitrary<Want> =>
  fc.record({
    priority: anyPriority,
    recipients: fc.integer({ min: 1, max: most.recipients }),
    bytes: fc.oneof({ weight: 4, arbitrary: fc.constant(1000) }, fc.nat(most.bytes)),
    hasWaited: fc.boolean(),
    isLate: fc.boolean(),
  });

/** Steps of up to four instances in any order; `calm` without pauses and with requests that take the same time. */
export const anySteps = (
  { recipients = 5, bytes = 400_000, calm = false } = {},
  length = 80,
): fc.Arbitrary<readonly LaneStep[]> =>
  fc.array(
    fc.record(
      {
        passesMs: fc.oneof(fc.nat(200), fc.nat(5000), fc.nat(70_000)),
        who: fc.nat(3),
        wants: fc.array(anyWant({ recipients, bytes }), { maxLength: 12 }),
        spare: fc.constantFrom(0, 0, 2, 8),
        canceled: fc.constantFrom(0, 0, 0, 40),
        fates: fc.array(
          fc.oneof(
            { weight: 6, arbitrary: fc.nat(GRACE_MS) },
            { weight: 1, arbitrary: fc.constantFrom('back' as const, 'missed' as const) },
          ),
          { minLength: 1, maxLength: 4 },
        ),
        usesStanding: fc.nat(3),
        callsMs: calm ? fc.constant([]) : fc.array(fc.constantFrom(300, 900, 12_000), { maxLength: 5 }),
        ...(calm
          ? {}
          : {
              pauses: fc.option(
                fc.record({ forMs: fc.constantFrom(1000, 15_000, 60_000), isLong: fc.boolean() }),
                { nil: undefined, freq: 20 },
              ),
            }),
      },
      { requiredKeys: ['passesMs', 'who', 'wants', 'spare', 'canceled', 'fates', 'usesStanding', 'callsMs'] },
    ),
    { minLength: 10, maxLength: length },
  ) as fc.Arbitrary<readonly LaneStep[]>;

export const LIMITS: LaneLimits = {
  concurrent: 4,
  perMinute: 30,
  recipientsPerDay: 1_000_000,
  bookAheadMs: 12 * HOUR_MS,
  agesAfterMs: 6 * HOUR_MS,
};

type Promised = {
  readonly at: number;
  readonly who: number;
  readonly recipients: number;
  readonly fate: number | 'back' | 'missed';
};

/**
 * Plays instances whose clocks differ by up to a quarter of a second each way. A start is used within its grace by the clock of its
 * instance, as long as the lane still has it and Graph allows; `seen` sees each decision.
 */
export const playLane = (
  steps: readonly LaneStep[],
  limits: LaneLimits,
  seen: (decided: {
    readonly before: Lane;
    readonly lane: Lane;
    readonly request: Request;
    readonly answers: readonly Answer[];
    readonly spare: readonly number[];
  }) => void = () => undefined,
): { readonly used: readonly number[]; readonly given: readonly Given[]; readonly lane: Lane } => {
  const used: number[] = [];
  const given: Given[] = [];
  const instances = [-250, 0, 120, 250].map((skewMs) => ({
    skewMs,
    standing: [] as number[],
    returned: [] as Returned[],
    recipients: 0,
  }));
  type Instance = (typeof instances)[number];
  let promised: readonly Promised[] = [];
  let lane = EMPTY_LANE;
  let time = START;

  const settle = ({ at, who, recipients, fate }: Promised): void => {
    const { skewMs, returned } = instances[who] as Instance;
    const isGood = hasStart(lane, at) && at >= lane.pausedUntil;
    if (isGood && typeof fate === 'number') used.push(at + fate - skewMs);
    else if (hasStart(lane, at) && fate !== 'missed') returned.push({ at, recipients });
  };

  for (const step of steps) {
    time += step.passesMs;
    const due = promised.filter(({ at, who }) => at <= time + (instances[who] as Instance).skewMs);
    promised = promised.filter((one) => !due.includes(one));
    due.forEach(settle);

    const instance = instances[step.who] as Instance;
    const owner = `instance-${step.who}`;
    const now = time + instance.skewMs;
    instance.standing = instance.standing.filter((at) => at + WINDOW_MS > now);
    const share = lane.standing.find((one) => one.owner === owner && one.until > now);
    for (let count = 0; count < step.usesStanding && now >= lane.pausedUntil; count += 1) {
      if (instance.standing.length >= (share?.count ?? 0)) break;
      instance.standing.push(now);
      instance.recipients += 1;
      used.push(now + Number(step.fates[0] === 'back' ? 0 : GRACE_MS) - instance.skewMs);
    }
    const request: Request = {
      owner,
      now,
      wants: step.wants,
      spare: step.spare,
      returned: instance.returned,
      released: [],
      canceled: step.canceled,
      recipients: instance.recipients,
      unasked: [],
      callsMs: step.callsMs,
      ...(step.pauses === undefined
        ? {}
        : { pause: { until: now + step.pauses.forMs, isLong: step.pauses.isLong } }),
    };
    const { answers, spare, ...decided } = askLane(lane, limits, request);
    seen({ before: lane, lane: decided.lane, request, answers, spare });
    ({ lane } = decided);
    instance.returned = [];
    instance.recipients = 0;
    const starts = [
      ...answers.flatMap((answer, index) =>
        answer.kind === 'start' ? [{ at: answer.at, recipients: step.wants[index]?.recipients ?? 0 }] : [],
      ),
      ...spare.map((at) => ({ at, recipients: 0 })),
    ];
    promised = [
      ...promised,
      ...starts.map((start, index) => ({
        ...start,
        who: step.who,
        fate: step.fates[index % step.fates.length] ?? 0,
      })),
    ];
    answers.forEach((answer, index) => {
      const want = step.wants[index];
      if (want !== undefined) given.push({ ...want, answer, now, who: step.who });
    });
  }
  return { used: used.toSorted((one, other) => one - other), given, lane };
};

/** The most of these times within any window. */
export const mostWithin = (times: readonly number[], windowMs: number): number => {
  const sorted = times.toSorted((one, other) => one - other);
  let most = 0;
  let first = 0;
  sorted.forEach((at, index) => {
    while (at - (sorted[first] ?? at) >= windowMs) first += 1;
    most = Math.max(most, index - first + 1);
  });
  return most;
};

/** Every start that a lane has booked. */
export const bookedIn = ({ booked }: Lane): readonly number[] =>
  booked.flatMap(([from, step, count]) => Array.from({ length: count }, (_, index) => from + index * step));
