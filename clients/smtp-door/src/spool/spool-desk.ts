import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpoolAction } from '../command-line.ts';
import type { Submission } from '../submission.ts';
import { codeOf, writeDurably } from './durable-file.ts';
import { type FailureReason, readReason, reasonFileOf } from './reason-file.ts';
import { FOLDERS, SUFFIX } from './spool.ts';
import { MAX_HEAD, readSpoolFile, readSpoolHead, writeSpoolFile } from './spool-file.ts';

/** An email of the spool as an operator sees it: nothing of its content or addresses. */
export type Listed = {
  readonly id: string;
  readonly state: 'waiting' | 'failed';
  readonly account: string;
  readonly receivedAt: string;
  readonly bytes: number;
  readonly reason?: FailureReason;
};

type Found = Listed & { readonly name: string };

const read = async (folder: string, state: 'waiting' | 'failed'): Promise<readonly Found[]> => {
  const names = await readdir(join(folder, FOLDERS[state])).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  const found = await Promise.all(
    names
      .filter((name) => name.endsWith(SUFFIX))
      .sort()
      .map((name) => readOne(folder, state, name)),
  );
  return found.filter((one) => one !== undefined);
};

const readOne = async (
  folder: string,
  state: 'waiting' | 'failed',
  name: string,
): Promise<Found | undefined> => {
  const path = join(folder, FOLDERS[state], name);
  const start = await startOf(path);
  const head = start && readSpoolHead(start);
  // The door moved it in the meantime, or sets it apart when it comes to it.
  if (head === undefined || 'damage' in head) return undefined;
  const { id, account, receivedAt, bytes } = head.head;
  const reason =
    state === 'failed' ? await readReason(join(folder, FOLDERS.failed, reasonFileOf(name))) : undefined;
  return { id, state, account, receivedAt, bytes, name, ...(reason === undefined ? {} : { reason }) };
};

const startOf = async (path: string): Promise<Buffer | undefined> => {
  try {
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_HEAD), 0, MAX_HEAD, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

/** Emails that wait, then those that failed, each oldest first. */
export const listSpool = async (folder: string): Promise<readonly Listed[]> =>
  (await Promise.all([read(folder, 'waiting'), read(folder, 'failed')])).flat();

/** Which emails an action means, and the ids that mean none. */
const choose = async (folder: string, ids: readonly string[] | 'failed', states: readonly string[]) => {
  const all = (await listSpool(folder)) as readonly Found[];
  const able = all.filter(({ state }) => states.includes(state));
  if (ids === 'failed') return { chosen: able.filter(({ state }) => state === 'failed'), unknown: [] };
  return {
    chosen: able.filter(({ id }) => ids.includes(id)),
    unknown: ids.filter((wanted) => !able.some(({ id }) => id === wanted)),
  };
};

export type Acted = {
  readonly done: readonly string[];
  /** Of these: emails that the relay may have, because an attempt was in progress or had no answer. */
  readonly maybeSent: readonly string[];
  readonly unknown: readonly string[];
};

/** Only of what the relay refused is it certain that it was not sent. */
const mayBeSent = ({ reason }: Found): boolean => reason?.kind !== 'refused';

/** Carries out what an operator decided; also while the door runs, which looks at the folder every few seconds. */
export const actOnSpool = async (
  folder: string,
  { verb, ids }: Exclude<SpoolAction, { verb: 'list' }>,
  now: Date,
): Promise<Acted> => {
  const { chosen, unknown } = await choose(
    folder,
    ids,
    verb === 'retry' ? ['failed'] : ['waiting', 'failed'],
  );
  for (const found of chosen) await (verb === 'retry' ? retry(folder, found, now) : remove(folder, found));
  const idsOf = (some: readonly Found[]): readonly string[] => some.map(({ id }) => id);
  return { done: idsOf(chosen), maybeSent: idsOf(chosen.filter(mayBeSent)), unknown };
};

const remove = async (folder: string, { name, state }: Found): Promise<void> => {
  await rm(join(folder, FOLDERS[state], name), { force: true });
  if (state === 'failed') await rm(join(folder, FOLDERS.failed, reasonFileOf(name)), { force: true });
};

/** Puts an email back first and removes the failed one then: whatever stops in between, it is there, and its key is the same. */
const retry = async (folder: string, { name, reason }: Found, now: Date): Promise<void> => {
  const submission = readSpoolFile(await readFile(join(folder, FOLDERS.failed, name)));
  if ('damage' in submission) throw new Error(`${name} is damaged: ${submission.damage}. Nothing was sent.`);
  await writeDurably(
    join(folder, FOLDERS.waiting, name),
    writeSpoolFile(again(submission, reason, now)),
    join(folder, FOLDERS.drafts, `${randomUUID()}-${name}`),
  );
  await remove(folder, { name, state: 'failed' } as Found);
};

/**
 * The relay gives a refused email with the same key the same answer for ever. It said that it has not sent it, so a new key is safe.
 * Where the door gave up, nobody knows, and the key stays.
 */
const again = (submission: Submission, reason: FailureReason | undefined, now: Date): Submission => ({
  ...submission,
  // Its time begins again too.
  receivedAt: reason?.kind === 'gave up' ? now : submission.receivedAt,
  idempotencyKey:
    reason?.kind === 'refused'
      ? createHash('sha256').update(`${submission.idempotencyKey} again after ${reason.at}`).digest('hex')
      : submission.idempotencyKey,
});

/** The spool as a table for people. */
export const spoolTable = (listed: readonly Listed[]): string => {
  if (listed.length === 0) return 'The spool is empty.';
  const rows = listed.map(({ id, state, account, receivedAt, bytes, reason }) => [
    id,
    state,
    account,
    receivedAt,
    String(bytes),
    reason === undefined ? '' : reason.text,
  ]);
  const all = [['ID', 'STATE', 'ACCOUNT', 'RECEIVED', 'BYTES', 'REASON'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};
