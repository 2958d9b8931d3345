import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { TableEntity } from '@azure/data-tables';

/** How many entities a file has. */
export type Counts = { readonly emails: number; readonly others: number };

type Head = { readonly format: typeof FORMAT; readonly version: 1; readonly exportedAt: string };
/** A file without it was not written to its end. */
type Foot = { readonly end: Counts };

const FORMAT = 'graph-mail-relay-ledger';

/** What a table gives that JSON has no value for, as the SDK of tables takes it back. */
const toJson = (value: unknown): unknown => {
  if (value instanceof Date) return { type: 'DateTime', value: value.toISOString() };
  if (typeof value === 'bigint') return { type: 'Int64', value: String(value) };
  if (['string', 'number', 'boolean'].includes(typeof value)) return value;
  throw new Error(
    `Expected text, numbers, booleans and times in the ledger, received ${typeof value}. Nothing was exported.`,
  );
};

const lineOf = (entity: TableEntity): string => {
  const fields = Object.entries(entity).filter(([name]) => name !== 'etag' && name !== 'timestamp');
  return JSON.stringify(Object.fromEntries(fields.map(([name, value]) => [name, toJson(value)])));
};

/** Writes entities to a new file that only its owner can read: the key of the relay is among them. */
export const writeLedgerFile = async (
  path: string,
  now: Date,
  entities: AsyncIterable<{ readonly entity: TableEntity; readonly isEmail: boolean }>,
): Promise<Counts> => {
  const file = await open(path, 'wx', 0o600);
  let end: Counts = { emails: 0, others: 0 };
  try {
    const head: Head = { format: FORMAT, version: 1, exportedAt: now.toISOString() };
    await file.write(`${JSON.stringify(head)}\n`);
    for await (const { entity, isEmail } of entities) {
      await file.write(`${lineOf(entity)}\n`);
      end = isEmail ? { ...end, emails: end.emails + 1 } : { ...end, others: end.others + 1 };
    }
    await file.write(`${JSON.stringify({ end } satisfies Foot)}\n`);
    await file.sync();
    await file.close();
    return end;
  } catch (error) {
    // Half of a backup is none, and would keep the next attempt from this name.
    await file.close().catch(() => undefined);
    await rm(path, { force: true });
    throw error;
  }
};

const isHead = (value: Partial<Head>): value is Head => value.format === FORMAT && value.version === 1;

async function* valuesOf(path: string): AsyncIterable<Record<string, unknown>> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number += 1;
    try {
      yield JSON.parse(line) as Record<string, unknown>;
    } catch {
      throw new Error(
        `${path}: expected JSON on line ${number}, received something else. Use another file; nothing was imported.`,
      );
    }
  }
}

/** The entities of a file. */
export async function* readLedgerFile(path: string): AsyncIterable<TableEntity> {
  for await (const value of valuesOf(path)) if ('partitionKey' in value) yield value as TableEntity;
}

/** Reads a file to its end before anything is written. Throws an error that an operator can act on. */
export const checkLedgerFile = async (
  path: string,
): Promise<{ readonly exportedAt: Date; readonly entities: number }> => {
  let head: Head | undefined;
  let foot: Foot | undefined;
  let entities = 0;
  for await (const value of valuesOf(path)) {
    if (head === undefined) {
      if (!isHead(value))
        throw new Error(
          `${path}: expected a file that npm run ledger -- export has written, received another. Nothing was imported.`,
        );
      head = value;
    } else if ('end' in value) foot = value as Foot;
    else entities += 1;
  }
  const expected = foot === undefined ? undefined : foot.end.emails + foot.end.others;
  if (head === undefined || expected !== entities)
    throw new Error(
      `${path}: expected ${expected ?? 'a last line with the number of'} entities, received ${entities}. The file is not complete. ` +
        'Use another one; nothing was imported.',
    );
  return { exportedAt: new Date(head.exportedAt), entities };
};
