import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { TableEntity } from '@azure/data-tables';
import * as z from 'zod';
import { checkEntity, isOfEmail } from './ledger-entity-check.ts';

/** How many entities a file has. */
export type Counts = { readonly emails: number; readonly others: number };

type Head = { readonly format: typeof FORMAT; readonly version: typeof VERSION; readonly exportedAt: string };
/** A file without it was not written to its end. */
type Foot = { readonly end: Counts };

const FORMAT = 'graph-mail-relay-ledger';
const VERSION = 1;

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
    const head: Head = { format: FORMAT, version: VERSION, exportedAt: now.toISOString() };
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

const headSchema = z.looseObject({
  format: z.literal(FORMAT),
  version: z.int(),
  exportedAt: z.iso.datetime(),
});
const footSchema = z.object({ end: z.object({ emails: z.int().min(0), others: z.int().min(0) }) });

type Line = { readonly number: number; readonly value: unknown };

/** Some editors begin a file with it. */
const BYTE_ORDER_MARK = /^\uFEFF/;

async function* linesOf(path: string): AsyncIterable<Line> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number += 1;
    yield { number, value: parsed(path, number, number === 1 ? line.replace(BYTE_ORDER_MARK, '') : line) };
  }
}

const parsed = (path: string, number: number, line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    throw refusal(path, `expected JSON on line ${number}, received something else.`);
  }
};

const refusal = (path: string, why: string): Error =>
  new Error(`${path}: ${why} Use another file; nothing was imported.`);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The entities of a file that was checked. */
export async function* readLedgerFile(path: string): AsyncIterable<TableEntity> {
  for await (const { value } of linesOf(path))
    if (isObject(value) && 'partitionKey' in value) yield value as TableEntity;
}

const readHead = (path: string, value: unknown): Date => {
  if (!isObject(value) || value.format !== FORMAT)
    throw refusal(path, 'expected a file that npm run ledger -- export has written, received another.');
  if (typeof value.version === 'number' && value.version > VERSION)
    throw new Error(
      `${path}: expected a file of version ${VERSION}, received one of version ${value.version}, which a newer version of the relay has written. ` +
        'Use its npm run ledger; nothing was imported.',
    );
  const head = headSchema.safeParse(value);
  if (!head.success || head.data.version !== VERSION)
    throw refusal(
      path,
      `expected on line 1 the version ${VERSION} and the time of the export, received something else.`,
    );
  return new Date(head.data.exportedAt);
};

const readFoot = (path: string, { number, value }: Line): Counts => {
  const foot = footSchema.safeParse(value);
  if (!foot.success)
    throw refusal(path, `expected on line ${number} how many entities there are, received something else.`);
  return foot.data.end;
};

/**
 * Reads a file to its end before anything is written, each line by itself: it can be larger than memory. Throws an error that an operator
 * can act on, with the line.
 */
export const checkLedgerFile = async (
  path: string,
): Promise<{ readonly exportedAt: Date; readonly entities: number }> => {
  let exportedAt: Date | undefined;
  let end: Counts | undefined;
  let [emails, others] = [0, 0];
  for await (const line of linesOf(path)) {
    const { number, value } = line;
    if (exportedAt === undefined) exportedAt = readHead(path, value);
    else if (end !== undefined)
      throw refusal(path, `expected nothing after the last line, received line ${number}.`);
    else if (isObject(value) && 'end' in value && !('partitionKey' in value)) end = readFoot(path, line);
    else {
      const fault = checkEntity(value);
      if (fault !== undefined) throw refusal(path, `line ${number}: ${fault}`);
      if (isOfEmail(value as TableEntity)) emails += 1;
      else others += 1;
    }
  }
  const entities = emails + others;
  if (exportedAt === undefined || end?.emails !== emails || end.others !== others)
    throw refusal(
      path,
      `expected ${end === undefined ? 'a last line with the number of' : end.emails + end.others} entities, received ${entities}. The file is not complete.`,
    );
  return { exportedAt, entities };
};
