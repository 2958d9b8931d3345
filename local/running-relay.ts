import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from './replace-file.ts';

const FILE = 'running.json';

const schema = z.object({
  pid: z.int(),
  since: z.iso.datetime(),
  /** There once it is up. */
  relay: z.object({ url: z.string(), masterKey: z.string() }).optional(),
});

/** What a relay on this machine leaves in its folder while it runs, for its owner only. */
export type RunningRelay = z.output<typeof schema>;

/** Leaves a note of the relay in its folder, in place of an earlier one. */
export const writeRunning = (folder: string, running: RunningRelay): Promise<void> =>
  replaceFile(join(folder, FILE), `${JSON.stringify(running, undefined, 2)}\n`, 0o600);

/** Undefined when none runs there, or none that can be read of. One that was killed is still in it. */
export const readRunning = async (folder: string): Promise<RunningRelay | undefined> => {
  try {
    return schema.parse(JSON.parse(await readFile(join(folder, FILE), 'utf8')));
  } catch {
    return undefined;
  }
};

/** Removes the note; there need not be one. */
export const forgetRunning = (folder: string): Promise<void> => rm(join(folder, FILE), { force: true });
