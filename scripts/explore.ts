import { parseArgs } from 'node:util';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { makePacingWorld } from '../test/lib/delivery/pacing-world.ts';
import { PACING_WORLDS } from '../test/lib/delivery/pacing-worlds.ts';
import { makeSmallWorld } from '../test/lib/delivery/small-world.ts';
import { SMALL_WORLDS } from '../test/lib/delivery/small-worlds.ts';
import { type Explored, explore } from '../test/support/explore.ts';
import { wrongUsage } from './wrong-usage.ts';
// What is loaded at its first use would not be there when the first world goes on.
import '../src/lib/inbox/captured-summary.ts';

const usage = `Usage: npm run explore -- [--troubles 1] [--only TEXT] [--minutes 3]

Takes every order of events of small worlds of one or two emails, over the real code, and prints what it found of each:

  paths    ways from the beginning to an end
  states   different states on them; each is explored once
  steps    from one state to the next

If a world breaks a promise, it prints the way there, and its exit status is 1. If a world is too large for its time or for the
memory, it says so, and the numbers are those up to then: the world was not explored whole. The exit status is then 0. Without
troubles all worlds together take less than a minute. With one trouble, some take many minutes and gigabytes of memory.

  --troubles   How many things go wrong on a path, at any point: a request that fails or whose answer is lost, an instance
               that ends, a slow step. 0 to 3. Default: 1.
  --copies     How many messages are delivered twice on a path, beside those of the world. 0 to 3. Default: 0. Worlds of the
               pacer have none.
  --only       Explores the worlds whose names contain this text.
  --minutes    The longest time for each world, 1 to 600. Default: 3.
  --list       Prints the names of the worlds.
  --help       Prints this.`;

type Bounds = { readonly troubles: number; readonly copies: number };
type Named = {
  readonly name: string;
  readonly explore: (bounds: Bounds, mayGoOn: () => boolean) => Promise<Explored>;
};

const WORLDS: readonly Named[] = [
  ...SMALL_WORLDS.map((world) => ({
    name: world.name,
    explore: (bounds: Bounds, mayGoOn: () => boolean) =>
      explore(() => makeSmallWorld(world, bounds, { steps: new Set(), moves: new Set() }), mayGoOn),
  })),
  ...PACING_WORLDS.map((world) => ({
    name: world.name,
    explore: ({ troubles }: Bounds, mayGoOn: () => boolean) =>
      explore(() => makePacingWorld({ ...world, troubles }), mayGoOn),
  })),
];

const refuse = (problem: string): never => {
  console.error(wrongUsage(problem, 'npm run explore'));
  process.exit(2);
};

const wholeNumber = (name: string, text: string, from: number, to: number): number => {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= from && number <= to) return number;
  return refuse(`--${name}: expected a whole number from ${from} to ${to}, received "${text}"`);
};

const readOptions = () => {
  try {
    const { values } = parseArgs({
      options: {
        troubles: { type: 'string', default: '1' },
        copies: { type: 'string', default: '0' },
        only: { type: 'string', default: '' },
        minutes: { type: 'string', default: '3' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help || values.list) {
      console.log(values.help ? usage : WORLDS.map(({ name }) => name).join('\n'));
      process.exit(0);
    }
    const worlds = WORLDS.filter(({ name }) => name.includes(values.only));
    if (worlds.length === 0)
      refuse(`--only: expected a part of the name of a world, received "${values.only}". --list prints them`);
    return {
      worlds,
      minutes: wholeNumber('minutes', values.minutes, 1, 600),
      bounds: {
        troubles: wholeNumber('troubles', values.troubles, 0, 3),
        copies: wholeNumber('copies', values.copies, 0, 3),
      },
    };
  } catch (error) {
    return refuse((error as Error).message);
  }
};

const line = (name: string, ...columns: readonly string[]): string =>
  `${name.padEnd(74)}${columns.map((column) => column.padStart(10)).join('')}`;
/** Longer numbers say nothing by their digits. */
const short = (paths: bigint): string =>
  paths < 1_000_000_000n ? String(paths) : Number(paths).toExponential(1).replace('e+', 'e');

const HEAP_SHARE = 0.8;
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const hasMemory = (): boolean => {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used < HEAP_SHARE * limit;
};

const { worlds, minutes, bounds } = readOptions();
console.log(`At most ${bounds.troubles} troubles and ${bounds.copies} copies on a path\n`);
console.log(line('world', 'paths', 'states', 'steps', 'seconds'));
for (const world of worlds) {
  // What the one before needed counts no more.
  collectGarbage();
  const begunAt = Date.now();
  const endsAt = begunAt + minutes * 60_000;
  try {
    const found = await world.explore(bounds, () => Date.now() < endsAt && hasMemory());
    const seconds = ((Date.now() - begunAt) / 1000).toFixed(1);
    const { paths, states, steps, isWhole } = found;
    console.log(
      line(world.name, short(paths), String(states), String(steps), seconds) + (isWhole ? '' : '  not whole'),
    );
  } catch (error) {
    process.exitCode = 1;
    console.log(`${world.name}: broken`);
    console.error((error as Error).message);
  }
}
