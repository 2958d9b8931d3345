import type { Aim } from '../aims.ts';

export type Bench = {
  /** Of the built relay. */
  readonly appFolder: string;
  /** Fewer rounds and smaller figures: to see that everything runs, not to publish. */
  readonly quick: boolean;
  /** Rows of the larger ledger. */
  readonly mostRows: number;
  readonly progress: (line: string) => void;
};

/** Measures and prints what came of it, and gives the aims it is held against. */
export type Section = (bench: Bench) => Promise<readonly Aim[]>;

export type Keep = <Open extends { close(): Promise<void> }>(opening: Promise<Open>) => Promise<Open>;

/** Closes what was opened, the last first, whatever happened in between. */
export const withOpen = async <Result>(work: (keep: Keep) => Promise<Result>): Promise<Result> => {
  const open: { close(): Promise<void> }[] = [];
  try {
    return await work(async (opening) => {
      const opened = await opening;
      open.push(opened);
      return opened;
    });
  } finally {
    for (const opened of open.reverse()) await opened.close();
  }
};

/** Where the limit of thirty a minute would be all there is to measure. The four at once stay. */
export const NO_MINUTE_LIMIT = { MAIL_PER_MINUTE_PER_MAILBOX: '10000' };

export const EMPTY_FUNCTION = new URL('../apps/empty-function.ts', import.meta.url);
export const NAIVE_RELAY = new URL('../apps/naive-relay.ts', import.meta.url);
