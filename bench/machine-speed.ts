import { createHash } from 'node:crypto';
import { median } from './rounds.ts';

const RUNS = 9;

/** What this machine takes to hash so many bytes and to parse them as JSON: beside it, an absolute figure can be read. */
export const measureMachine = (json: Buffer): { readonly hashMs: number; readonly parseMs: number } => {
  const timed = (work: () => unknown): number =>
    median(
      Array.from({ length: RUNS }, () => {
        const before = process.threadCpuUsage();
        work();
        const { user, system } = process.threadCpuUsage(before);
        return (user + system) / 1000;
      }),
    );
  return {
    hashMs: timed(() => createHash('sha256').update(json).digest()),
    parseMs: timed(() => JSON.parse(json.toString())),
  };
};
