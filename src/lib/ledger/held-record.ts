import type { ErrorReport } from '../errors.ts';
import { isObject } from '../mail/absent.ts';
import { holdsLong, readJson, writeJson } from '../mail/json-bytes.ts';
import { apartFromPriority, USUAL_PRIORITY } from '../mail/priority.ts';
import type { MailFacts } from './ledger-row.ts';

/** What is kept of an email that will not be tried again by itself, for an operator: enough to correct and send it. */
export type HeldRecord = {
  readonly mailId: string;
  readonly heldAt: string;
  readonly acceptedAt?: string;
  /** What the ledger says of it, for a ledger that has lost the row; absent in records of earlier versions. */
  readonly facts?: MailFacts;
  readonly reason: ErrorReport;
  /** The email or message as it came, but for its priority; undefined where only the caller had it. */
  readonly original: unknown;
};

/**
 * An email for its record: without the priority that its row has. The last release knows no such field, and could not replay an email that
 * has one.
 */
export const besideRow = (original: unknown, { priority: ofRow = USUAL_PRIORITY }: MailFacts): unknown => {
  if (!isObject(original)) return original;
  const { priority, content } = apartFromPriority(original);
  return priority === undefined || priority === ofRow ? content : original;
};

/** The JSON of a record, for people too; a large email is in it as the bytes that were received. */
export const writeHeldRecord = (record: HeldRecord): readonly Uint8Array[] =>
  holdsLong(record) ? writeJson(record) : [Buffer.from(JSON.stringify(record, null, 2))];

/** Reads what `writeHeldRecord` wrote. */
export const readHeldRecord = async (json: AsyncIterable<Uint8Array>): Promise<HeldRecord> =>
  (await readJson(json, true)) as HeldRecord;
