import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { newActId } from '../../../src/lib/ledger/operator-act.ts';
import { openTable } from '../../../src/lib/storage/open-table.ts';
import { openOperatorTrail } from '../../../src/lib/storage/operator-trail-table.ts';
import { anAct, operatorTrailContract } from '../../contract/operator-trail.contract.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const trail = openOperatorTrail(connection);
const DAY_MS = 86_400_000;

operatorTrailContract('the table', () => openOperatorTrail(connection));

/** An act of a day before another one. */
const daysBefore = (days: number, ...mailIds: readonly string[]) => {
  const act = anAct(0, ...mailIds);
  const at = new Date(Date.parse(act.at) - days * DAY_MS);
  return { ...act, id: newActId(at, randomUUID()), at: at.toISOString() };
};

const entriesOf = async (mailId: string) => {
  const found: (string | undefined)[] = [];
  for await (const { rowKey } of openTable(connection).listEntities())
    if (rowKey?.startsWith(`mail!${mailId}`)) found.push(rowKey);
  return found;
};

test('what is older than 400 days is deleted with the next act, with the entries of its emails, also where some are gone', async () => {
  const [kept, old] = [randomUUID(), randomUUID()];
  const acts = [daysBefore(399, kept), daysBefore(401, old, randomUUID())];
  for (const act of acts) await trail.begin(act);
  expect(await entriesOf(old)).toHaveLength(1);
  await openTable(connection).deleteEntity(
    'relay-operator-trail',
    `mail!${acts[1]?.mails[1]?.mailId}!${acts[1]?.id}`,
  );
  await trail.begin(anAct(0));
  expect(await trail.find(acts[1]?.id ?? '')).toBeUndefined();
  expect(await entriesOf(old)).toEqual([]);
  expect(await trail.ofMail(kept)).toEqual([acts[0]]);
});

test('an act is not begun where storage cannot be reached', async () => {
  const { begin } = openOperatorTrail(awayStorage(connection));
  await expect(begin(anAct(0))).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});
