import type { ErrorReport } from '../errors.ts';
import { holdsLong, readJson, writeJson } from '../mail/json-bytes.ts';

/** What is kept of an email that will not be tried again by itself, for an operator: enough to correct and send it. */
export type HeldRecord = {
  readonly mailId: string;
  readonly heldAt: string;
  readonly acceptedAt?: string;
  readonly reason: ErrorReport;
  /** The email or message as it came; undefined where only the caller had it. */
  readonly original: unknown;
};

/** The JSON of a record, for people too; a large email is in it as the bytes that were received. */
export const writeHeldRecord = (record: HeldRecord): readonly Uint8Array[] =>
  holdsLong(record) ? writeJson(record) : [Buffer.from(JSON.stringify(record, null, 2))];

/** Reads what `writeHeldRecord` wrote. */
export const readHeldRecord = async (json: AsyncIterable<Uint8Array>): Promise<HeldRecord> =>
  (await readJson(json, true)) as HeldRecord;
