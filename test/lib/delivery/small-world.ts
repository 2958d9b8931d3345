import { hash } from 'node:crypto';
import type { World } from '../../support/explore.ts';
import type { FakeQueue } from '../../support/fake-queue.ts';
import { brokenPromises } from '../../support/mail-promises.ts';
import type { Fate } from '../../support/stepper.ts';
import { STEPS, type StepKind, type StepName } from './protocol.ts';
import { REFUSAL_VARIANTS } from './simulated-cloud.ts';
import { type Act, makeSimulation, type SimulationOptions } from './simulation.ts';

/** What people and applications do in a world, by the instance that happens to take it. */
export type Wish = (process: number) => Act;

/** How much may go wrong on one path, so that a world is finite. */
export type Bounds = {
  /** Processes that end, answers that do not come or are no, and times that pass while something could be done. */
  readonly troubles: number;
  /** Writes to a queue that happen twice, beside those that the world begins with. */
  readonly copies: number;
};

export type SmallWorld = {
  readonly name: string;
  readonly options?: Partial<SimulationOptions>;
  /** What is there before anything else happens. */
  readonly first: readonly Wish[];
  /** What happens later, each once and at any time, in this order. */
  readonly later?: readonly Wish[];
  /** How often a caller who was not answered asks again, also while its first request is under way. */
  readonly repeats?: number;
  /**
   * There are two instances, and what each remembers counts. Else every invocation can be on one of its own or together with others, and
   * any of them can end together: that is all that instances are to an email that needs not wait for a limit.
   */
  readonly isOnTwo?: boolean;
  /** The mailbox is near its limits, and instances ask its lane. Else it has room for everybody. */
  readonly isPaced?: boolean;
  /** How the first of these steps go, one after the other, in whatever order they come; that is no trouble. */
  readonly fixed?: Readonly<Partial<Record<StepName, readonly Failure[]>>>;
  /** The troubles that are explored with the other tests: as many as take seconds. */
  readonly inSuite?: number;
};

export type Failure = { readonly fate: Fate; readonly variant?: number };

/** What was seen in the worlds that were explored. */
export type Coverage = { readonly steps: Set<string>; readonly moves: Set<string> };

type Choice =
  | { readonly kind: 'act'; readonly act: Act; readonly costs?: keyof Bounds }
  /** A step whose fate was decided before. */
  | { readonly kind: 'fixed'; readonly what: string; readonly act: Act }
  /** Some invocations end together. */
  | { readonly kind: 'end'; readonly acts: readonly Act[] }
  /** The next thing that somebody wants. */
  | { readonly kind: 'wish'; readonly act: Act }
  | { readonly kind: 'repeat'; readonly act: Act };

const OPTIONS: SimulationOptions = {
  perMinute: 30,
  leaseMs: 60_000,
  deliveries: ['standard', 'standard'],
  sentItemsDelayMs: 0,
};
const TWO = [0, 1] as const;
const MINUTE_MS = 60_000;

/** How a step can go wrong, as far as the relay can tell the ways apart. */
const failuresOf = (kind: StepKind): readonly Failure[] => {
  switch (kind) {
    case 'wait':
      return [];
    case 'read':
      return [{ fate: 'refused' }];
    case 'write':
    case 'put':
      return [{ fate: 'refused' }, { fate: 'lost' }];
    case 'request':
      return [
        ...REFUSAL_VARIANTS.map((variant) => ({ fate: 'refused', variant }) as const),
        { fate: 'lost', variant: 0 },
        { fate: 'dropped', variant: 0 },
      ];
  }
};

/** A world of the simulation in which every choice is open. */
export const makeSmallWorld = async (
  { options, first, later = [], repeats = 0, isOnTwo = false, isPaced = false, fixed = {} }: SmallWorld,
  bounds: Bounds,
  coverage: Coverage,
): Promise<World<Choice>> => {
  const simulation = makeSimulation({
    ...OPTIONS,
    ...options,
    isReplayable: true,
    isForgetful: !isOnTwo,
    isUnpaced: !isPaced,
  });
  const { cloud, relay } = simulation;
  const { processes } = cloud;
  const left = { ...bounds, repeats };
  let wished = 0;
  /** How many of the steps with a fixed fate were taken. */
  const gone: Partial<Record<string, number>> = {};

  const act = (made: Act, costs?: keyof Bounds): Choice => ({
    kind: 'act',
    act: made,
    ...(costs === undefined ? {} : { costs }),
  });
  const isEqual = (): boolean => processes.stateOf(0) === processes.stateOf(1);
  const busy = (): readonly number[] => [...new Set(relay.running().map(({ process }) => process))];
  const firstFree = (): number => {
    const taken = busy();
    return [...taken, -1].findIndex((_, process) => !taken.includes(process));
  };
  /** Of two instances that are in the same state, and have the same settings, either stands for both. */
  const instances = (): readonly number[] => {
    if (!isOnTwo) return [firstFree()];
    return isAlike(simulation.options) && isEqual() ? [0] : TWO;
  };

  const stepsNow = (): readonly Choice[] =>
    processes.steps().flatMap(({ what }, one) => {
      const kind = STEPS.get(what as StepName);
      if (kind === undefined) throw new Error(`${what} is no step of the protocol`);
      const step = (fate: Fate, variant?: number): Act => ({
        ...{ kind: 'step', one, fate },
        ...(variant === undefined ? {} : { variant }),
      });
      const planned = fixed[what as StepName]?.[gone[what] ?? 0];
      if (planned !== undefined)
        return [{ kind: 'fixed', what, act: step(planned.fate, planned.variant) } as const];
      return [
        act(step('answered')),
        ...(left.troubles > 0
          ? failuresOf(kind).map(({ fate, variant }) => act(step(fate, variant), 'troubles'))
          : []),
        ...(left.copies > 0 && kind === 'put' && what !== 'events.put' ? [act(step('twice'), 'copies')] : []),
      ];
    });
  const deliveries = (): readonly Choice[] =>
    instances().flatMap((process) => [
      ...anyOfEach(cloud.queue, cloud.now()).map((which) => act({ kind: 'deliver', process, which })),
      ...anyOfEach(cloud.poison, cloud.now()).map((which) => act({ kind: 'held', process, which })),
    ]);
  const wishes = (): readonly Choice[] => {
    const next = later[wished];
    return next === undefined
      ? []
      : instances().map((process) => ({ kind: 'wish', act: next(process) }) as const);
  };
  const repetitions = (): readonly Choice[] => {
    const open = simulation.clients();
    if (left.repeats === 0) return [];
    return open.flatMap(({ notBefore }, one) =>
      notBefore > cloud.now()
        ? []
        : instances().map(
            (process) => ({ kind: 'repeat', act: { kind: 'ask again', process, one } }) as const,
          ),
    );
  };
  /** The ways in which a process ends: each of the steps that it waits for, and that change something, has happened or not. */
  const endsOf = (process: number): readonly Act[] => {
    const own = processes.steps().filter((step) => step.process === process);
    const writes = own.flatMap(({ what }, index) =>
      ['read', 'wait'].includes(STEPS.get(what as StepName) ?? '') ? [] : [1 << index],
    );
    return subsetsOf(writes).map((some) => ({
      ...{ kind: 'kill', process },
      happens: some.reduce((bits, bit) => bits | bit, 0),
    }));
  };
  const kills = (): readonly Choice[] => {
    if (left.troubles === 0) return [];
    const dying = isOnTwo ? busy().map((process) => [process]) : subsetsOf(busy()).slice(1);
    return dying.flatMap((together) =>
      together
        .map(endsOf)
        .reduce<readonly (readonly Act[])[]>(
          (ways, ends) => ways.flatMap((way) => ends.map((end) => [...way, end])),
          [[]],
        )
        .map((acts) => ({ kind: 'end', acts }) as const),
    );
  };
  /** Until something can happen that cannot happen now. */
  const passing = (isBusy: boolean): readonly Choice[] => {
    // What begins to go is on its way: a start that is kept for it is not missed by more than its grace.
    const isGoing = isPaced && processes.steps().some(({ what }) => what === 'mailboxes.send');
    if (isBusy && (left.troubles === 0 || isGoing)) return [];
    const now = cloud.now().getTime();
    const waiting = left.repeats > 0 ? simulation.clients().map(({ notBefore }) => notBefore) : [];
    const leased = relay.running().length;
    const times = [
      ...[cloud.queue, cloud.poison].flatMap((queue) => queue.messages().map(({ visibleAt }) => visibleAt)),
      ...waiting.map((time) => time.getTime()),
      ...(leased === 0 ? [] : [relay.endsAt()?.getTime() ?? now]),
    ].filter((time) => time > now);
    if (times.length === 0) return [];
    return [
      act(
        { kind: 'wait', ms: Math.min(...times) - now, happens: 0 },
        ...(isBusy ? (['troubles'] as const) : []),
      ),
    ];
  };

  const note = (): void => {
    for (const { what } of processes.steps()) coverage.steps.add(what);
  };

  for (const wish of first) await simulation.perform(wish(0));
  note();
  return {
    choices: () => {
      const urgent = [...stepsNow(), ...deliveries()];
      return [...urgent, ...wishes(), ...repetitions(), ...kills(), ...passing(urgent.length > 0)];
    },
    take: async (choice) => {
      if (choice.kind === 'wish') wished += 1;
      else if (choice.kind === 'repeat') left.repeats -= 1;
      else if (choice.kind === 'fixed') gone[choice.what] = (gone[choice.what] ?? 0) + 1;
      else if (choice.kind === 'end') left.troubles -= 1;
      else if (choice.costs !== undefined) left[choice.costs] -= 1;
      for (const made of choice.kind === 'end' ? choice.acts : [choice.act]) await simulation.perform(made);
      note();
    },
    state: () => {
      const running = (isOnTwo ? TWO : busy()).map(processes.stateOf);
      const isSame = !isOnTwo || isAlike(simulation.options);
      const whole = [simulation.state(), isSame ? running.toSorted() : running, left, wished, gone];
      return hash('sha1', JSON.stringify(whole), 'base64url');
    },
    save: () => {
      const [before, done, taken, restore] = [{ ...left }, wished, { ...gone }, simulation.save()];
      return () => {
        Object.assign(left, before);
        wished = done;
        for (const what of Object.keys(gone)) delete gone[what];
        Object.assign(gone, taken);
        restore();
      };
    },
    faults: () => [...cloud.problems, ...(isPaced ? crowded(simulation) : [])],
    end: async () => {
      await simulation.finish();
      for (const move of cloud.moves) coverage.moves.add(move);
      const broken = simulation
        .stories()
        .flatMap((story) => brokenPromises(story).map((promise) => `${story.mailId}: ${promise}`));
      return [...broken, ...simulation.problems()];
    },
    history: simulation.history,
  };
};

/**
 * What went to Graph beyond the limit of its mailbox, in any minute by Graph's clock. An instance that cannot reach storage takes one
 * start that nobody knows of.
 */
const crowded = ({ cloud, options }: ReturnType<typeof makeSimulation>): readonly string[] => {
  const starts = cloud.starts().toSorted((one, other) => one - other);
  const most = options.perMinute + cloud.alone();
  return starts.flatMap((start, index) =>
    (starts[index + most] ?? Number.POSITIVE_INFINITY) - start < MINUTE_MS
      ? [`more than ${most} emails went to Graph in the minute from ${new Date(start).toISOString()}`]
      : [],
  );
};

/** Of copies that are the same in everything, one. */
const anyOfEach = (queue: FakeQueue, now: Date): readonly string[] => {
  const visible = new Set(queue.visible(now));
  const messages = queue.messages().filter(({ receipt }) => visible.has(receipt));
  return [
    ...new Map(messages.map(({ id, dequeueCount, receipt }) => [`${id} ${dequeueCount}`, receipt])).values(),
  ];
};

/** The empty one first. */
const subsetsOf = <Item>(items: readonly Item[]): readonly (readonly Item[])[] =>
  Array.from({ length: 2 ** items.length }, (_, chosen) => items.filter((_item, at) => chosen & (1 << at)));

const isAlike = ({ deliveries, captures = [], clocksMs = [] }: SimulationOptions): boolean =>
  [deliveries, captures, clocksMs].every((settings) => new Set<unknown>(settings).size <= 1);
