import { hash } from 'node:crypto';
import { type Fate, makeStepper, type Otherwise, settle, type WaitingStep } from './stepper.ts';

/** What a running piece of code is given to meet the world outside with. */
export type Asker = {
  readonly process: number;
  readonly now: () => Date;
  readonly ask: <Value>(what: string, happen: () => Value, otherwise: Otherwise<Value>) => Promise<Value>;
  /** Changes the world outside without a step of its own, together with the one before; told by which process. */
  readonly effect: (change: (process: number) => void) => void;
  /** What its process keeps while it lives. */
  readonly memory: Map<string, unknown>;
};

export type Work = (asker: Asker) => Promise<unknown>;

/** Processes that run real code one step at a time, and can end between any two. */
export type Processes = {
  /** `name` says everything by which this work differs from other work. */
  readonly start: (process: number, name: string, work: Work) => Promise<void>;
  readonly take: (index: number, fate: Fate, variant?: number) => Promise<string | undefined>;
  readonly kill: (process: number, happens: (index: number) => boolean) => void;
  /** It has nothing left to do, and what it keeps is gone. */
  readonly forget: (process: number) => void;
  readonly steps: () => readonly WaitingStep[];
  /** The same text only where a process is the same, and goes on in the same way. */
  readonly stateOf: (process: number) => string;
  /** Remembers everything as it is, and gives what brings that back. */
  readonly save: () => () => void;
};

/** Processes that live once: quick, and never brought back. */
export const makeProcesses = (now: () => Date): Processes => {
  const stepper = makeStepper();
  const memories = new Map<number, Map<string, unknown>>();
  const unsaved = (): never => {
    throw new Error('what runs once cannot be brought back');
  };
  return {
    start: async (process, _name, work) => {
      const memory = memories.get(process) ?? new Map<string, unknown>();
      memories.set(process, memory);
      const asker: Asker = {
        ...{ process, now, memory },
        ask: (what, happen, otherwise) => stepper.ask(process, what, happen, otherwise),
        effect: (change) => change(process),
      };
      void work(asker);
      await settle();
    },
    take: stepper.take,
    kill: (process, happens) => {
      stepper.kill(process, happens);
      memories.delete(process);
    },
    forget: (process) => void memories.delete(process),
    steps: stepper.steps,
    stateOf: unsaved,
    save: unsaved,
  };
};

type Heard = { readonly value: unknown } | { readonly error: unknown };
type Event = { readonly time: Date } & (
  | { readonly kind: 'started'; readonly work: Work }
  | { readonly kind: 'answered'; readonly number: number; readonly heard: Heard }
);
type Asked = {
  readonly number: number;
  readonly what: string;
  readonly happen: () => unknown;
  readonly otherwise: Otherwise<unknown>;
  readonly hear: (heard: Heard) => void;
};
/** Code that runs, and has come to where its events have led it. */
type Run = {
  now: Date;
  asked: Asked[];
  effects: ((process: number) => void)[];
  made: number;
  readonly memory: Map<string, unknown>;
};
/** Where a process is after its events: always the same, so that it has to get there once. */
type Position = {
  readonly asked: readonly Asked[];
  readonly effects: readonly ((process: number) => void)[];
  /** Until it is led on from here. */
  run: Run | undefined;
};
type Machine = { readonly key: string; readonly events: readonly Event[] };

/**
 * Processes that can be brought back to where they were. Running code cannot be copied, but what it does depends on nothing but how it
 * was started and what it was answered: so for each of these histories the code runs once, and what it asks for then is kept. The
 * world outside must be brought back by whoever has it; the changes that were asked for are made there each time.
 */
export const makeReplayableProcesses = (now: () => Date): Processes => {
  const positions = new Map<string, Position>();
  let machines: ReadonlyMap<number, Machine> = new Map();
  /** In the order in which they were asked for. */
  let waiting: readonly { readonly process: number; readonly asked: Asked }[] = [];

  const feed = async (run: Run, event: Event): Promise<void> => {
    run.now = event.time;
    if (event.kind === 'started') {
      void event.work({
        // By its effects the process is told which it is: the same code stands for any.
        process: 0,
        memory: run.memory,
        now: () => run.now,
        ask: (what, happen, otherwise) =>
          new Promise((resolve, reject) => {
            run.made += 1;
            run.asked.push({
              ...{ number: run.made, what, happen, otherwise },
              hear: (heard) =>
                'error' in heard
                  ? reject(heard.error)
                  : resolve(heard.value as Parameters<typeof resolve>[0]),
            });
          }),
        effect: (change) => void run.effects.push(change),
      });
    } else {
      const asked = run.asked.find(({ number }) => number === event.number);
      if (asked === undefined) throw new Error('the same events have led to other steps');
      run.asked = run.asked.filter((other) => other !== asked);
      asked.hear(event.heard);
    }
    await settle();
  };
  const runAgain = async (events: readonly Event[]): Promise<Run> => {
    const run: Run = { now: now(), asked: [], effects: [], made: 0, memory: new Map() };
    for (const event of events) await feed(run, event);
    run.effects = [];
    return run;
  };

  const advance = async (process: number, event: Event, text: string): Promise<void> => {
    const { key: from, events } = machines.get(process) ?? { key: '', events: [] };
    const key = hash('sha1', `${from} ${event.time.getTime()} ${text}`, 'base64url');
    let position = positions.get(key);
    if (position === undefined) {
      const before = positions.get(from);
      const run = before?.run ?? (await runAgain(events));
      if (before !== undefined) before.run = undefined;
      await feed(run, event);
      position = { asked: [...run.asked], effects: run.effects, run };
      run.effects = [];
      positions.set(key, position);
    }
    machines = new Map(machines).set(process, { key, events: [...events, event] });
    const known = new Set(waiting.flatMap((one) => (one.process === process ? [one.asked.number] : [])));
    const fresh = position.asked.filter(({ number }) => !known.has(number));
    waiting = [...waiting, ...fresh.map((asked) => ({ process, asked }))];
    for (const change of position.effects) change(process);
  };

  const forget = (process: number): void => {
    const rest = new Map(machines);
    rest.delete(process);
    machines = rest;
    waiting = waiting.filter((one) => one.process !== process);
  };

  return {
    start: (process, name, work) => advance(process, { kind: 'started', time: now(), work }, name),
    take: async (index, fate, variant) => {
      const step = waiting[index];
      if (step === undefined) return undefined;
      waiting = waiting.filter((other) => other !== step);
      const { number, what, happen, otherwise } = step.asked;
      const hear = (): Heard => {
        try {
          if (fate === 'lost' || fate === 'twice') happen();
          return { value: fate === 'answered' || fate === 'twice' ? happen() : otherwise(fate, variant) };
        } catch (error) {
          return { error };
        }
      };
      const heard = hear();
      await advance(
        step.process,
        { kind: 'answered', time: now(), number, heard },
        `${number} ${toText(heard)}`,
      );
      return what;
    },
    kill: (process, happens) => {
      const own = waiting.filter((one) => one.process === process);
      forget(process);
      own.forEach(({ asked }, index) => {
        if (happens(index)) asked.happen();
      });
    },
    forget,
    steps: () => waiting.map(({ process, asked: { what } }) => ({ process, what })),
    stateOf: (process) => machines.get(process)?.key ?? '',
    save: () => {
      const saved = { machines, waiting };
      return () => {
        ({ machines, waiting } = saved);
      };
    },
  };
};

const toText = (heard: unknown): string =>
  JSON.stringify(heard, (_key, value: unknown) =>
    value instanceof Error ? `${value.name} ${value.message}` : value,
  );
