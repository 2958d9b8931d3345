/** How one input or output goes: whether it happens, and whether whoever asked for it hears of that. */
export type Fate =
  | 'answered'
  /** It does not happen, and the other side says so. */
  | 'refused'
  /** It happens, and the answer is lost. */
  | 'lost'
  /** It does not happen, and no answer comes. */
  | 'dropped'
  /** It happens, nothing is heard of it, and it is repeated below whoever asked, who hears of the second time. */
  | 'twice';

/** What whoever asked gets instead, or throws; `variant` chooses among several ways to say it. */
export type Otherwise<Value> = (fate: 'refused' | 'lost' | 'dropped', variant?: number) => Value;

export type WaitingStep = { readonly process: number; readonly what: string };

type Step = WaitingStep & {
  readonly take: (fate: Fate, variant?: number) => void;
  /** It happens, and nobody is left to hear of it. */
  readonly happen: () => void;
};

export type Stepper = {
  /** Asks for something of the world outside a process, and waits until a step is taken. */
  readonly ask: <Value>(
    process: number,
    what: string,
    happen: () => Value,
    otherwise: Otherwise<Value>,
  ) => Promise<Value>;
  /** Decides what becomes of one waiting step, and lets everything run on to where it waits again. */
  readonly take: (index: number, fate: Fate, variant?: number) => Promise<string | undefined>;
  /** Ends a process between two steps; what it had asked for happens or not, as `happens` says of each. */
  readonly kill: (process: number, happens: (index: number) => boolean) => void;
  readonly waiting: () => number;
  /** Those that wait, in the order in which they were asked for. */
  readonly steps: () => readonly WaitingStep[];
};

/** Lets all code run on until it waits for a step. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Runs real code one input or output at a time, in any order among several processes, and lets each go as told.
 * There is no time in it: what nobody takes does not happen.
 */
export const makeStepper = (): Stepper => {
  let steps: readonly Step[] = [];
  return {
    ask: (process, what, happen, otherwise) =>
      new Promise((resolve, reject) => {
        const take = (fate: Fate, variant?: number): void => {
          try {
            if (fate === 'lost' || fate === 'twice') happen();
            resolve(fate === 'answered' || fate === 'twice' ? happen() : otherwise(fate, variant));
          } catch (error) {
            reject(error);
          }
        };
        steps = [...steps, { process, what, take, happen }];
      }),
    take: async (index, fate, variant) => {
      const step = steps[index % Math.max(steps.length, 1)];
      if (step === undefined) return undefined;
      steps = steps.filter((other) => other !== step);
      step.take(fate, variant);
      await settle();
      return step.what;
    },
    kill: (process, happens) => {
      const own = steps.filter((step) => step.process === process);
      steps = steps.filter((step) => step.process !== process);
      own.forEach((step, index) => {
        if (happens(index)) step.happen();
      });
    },
    waiting: () => steps.length,
    steps: () => steps,
  };
};
