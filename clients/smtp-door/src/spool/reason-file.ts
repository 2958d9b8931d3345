import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeDurably } from './durable-file.ts';

export const REASON_SUFFIX = '.reason.json';

const reasonSchema = z.object({
  at: z.string(),
  /** `refused`: the relay said that it has not sent and will not send it. `gave up`: nobody knows more than that it took too long. */
  kind: z.enum(['refused', 'gave up', 'damaged']),
  reason: z.string(),
  text: z.string(),
});

/** Why an email failed, for an operator. */
export type FailureReason = z.infer<typeof reasonSchema>;

/** The file beside an email that says why it is there. */
export const reasonFileOf = (name: string): string => `${name}${REASON_SUFFIX}`;

/** Writes why an email is where it is. */
export const writeReason = (path: string, reason: FailureReason, draft: string): Promise<void> =>
  writeDurably(path, [Buffer.from(`${JSON.stringify(reason, null, 2)}\n`)], draft);

/** Reads why an email is where it is; undefined if the file is missing or was changed. */
export const readReason = async (path: string): Promise<FailureReason | undefined> => {
  try {
    return reasonSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
};
