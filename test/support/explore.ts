/** A world in which everything that happens is a choice: for the same choices it is the same. */
export type World<Choice> = {
  /** What can happen next; nothing, where the world has ended. */
  readonly choices: () => readonly Choice[];
  readonly take: (choice: Choice) => Promise<void>;
  /** Remembers the world as it is, and gives what brings that back. */
  readonly save: () => () => void;
  /** The same text only where everything that follows is the same. */
  readonly state: () => string;
  /** What is wrong by now. */
  readonly faults: () => readonly string[];
  /** Brings a world that has ended to rest, and says what is wrong then. */
  readonly end: () => Promise<readonly string[]>;
  /** What has happened, for people. */
  readonly history: () => string;
};

export type Explored = {
  /** Ways from the beginning to an end that differ in at least one choice. */
  readonly paths: bigint;
  readonly states: number;
  /** From one state to the next, each taken once. */
  readonly steps: number;
  readonly ends: number;
  /** Choices of the longest path. */
  readonly longest: number;
};

type Node<Choice> = {
  readonly state: string;
  readonly choices: readonly Choice[];
  readonly restore: () => void;
  next: number;
  paths: bigint;
};

/** Takes every choice in every state that can be reached, depth first, and each state once. Throws where a world breaks something. */
export const explore = async <Choice>(begin: () => Promise<World<Choice>>): Promise<Explored> => {
  const known = new Map<string, bigint>();
  const path: Node<Choice>[] = [];
  const onPath = new Set<string>();
  let [steps, ends, longest] = [0, 0, 0];
  const world = await begin();

  const fail = async (faults: readonly string[]): Promise<never> => {
    const taken = path.map(({ choices, next }) => choices[next - 1] as Choice);
    throw new Error([...faults, '', ...taken.map(toLine), await historyOf(begin, taken)].join('\n'));
  };
  const credit = (paths: bigint): void => {
    const parent = path.at(-1);
    if (parent !== undefined) parent.paths += paths;
  };
  const arrive = async (): Promise<void> => {
    const faults = world.faults();
    if (faults.length > 0) await fail(faults);
    const state = world.state();
    if (onPath.has(state)) await fail(['it comes back to where it was, and can go on like that for ever']);
    const paths = known.get(state);
    if (paths !== undefined) return credit(paths);
    const choices = world.choices();
    if (choices.length > 0) {
      path.push({ state, choices, restore: world.save(), next: 0, paths: 0n });
      onPath.add(state);
      longest = Math.max(longest, path.length);
      return;
    }
    const atEnd = await world.end();
    if (atEnd.length > 0) await fail(atEnd);
    ends += 1;
    known.set(state, 1n);
    credit(1n);
  };

  await arrive();
  for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
    const choice = node.choices[node.next];
    if (choice === undefined) {
      path.pop();
      onPath.delete(node.state);
      known.set(node.state, node.paths);
      if (path.length === 0) return { paths: node.paths, states: known.size, steps, ends, longest };
      credit(node.paths);
      continue;
    }
    node.restore();
    node.next += 1;
    steps += 1;
    await world.take(choice);
    await arrive();
  }
  return { paths: 1n, states: known.size, steps, ends, longest };
};

/** The history of a world that is led through these choices, and to its end. */
const historyOf = async <Choice>(
  begin: () => Promise<World<Choice>>,
  choices: readonly Choice[],
): Promise<string> => {
  const world = await begin();
  for (const choice of choices) await world.take(choice);
  if (world.choices().length === 0) await world.end();
  return world.history();
};

const toLine = (choice: unknown): string => JSON.stringify(choice);
