import { describe, expect, test } from 'vitest';
import { listHeld } from '../../../src/lib/desk/list-held.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { close, holdNew } from '../../../src/lib/ledger/transitions.ts';
import type { RecordPage } from '../../../src/lib/ports.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const idOf = (number: number): string => `0199aaaa-bbbb-7ccc-8ddd-00000000000${number}`;

/** A mail that was held so many seconds from now, with the record of this name. */
const heldAfter = (number: number, seconds: number, record = `record ${number}`) => {
  const holding = { why: 'refused', reason: { code: 'GIVEN_UP' }, record, hasContent: true } as const;
  const mail = aNewMail(NOW, { mailId: idOf(number) });
  return holdNew(mail, holding, new Date(NOW.getTime() + seconds * 1000));
};

const list = async (rows: readonly LedgerRow[], more: Partial<RecordPage> = {}, after?: string) => {
  const { needs, ledger } = inMemoryPorts();
  for (const row of rows) ledger.create(row);
  const asked: unknown[] = [];
  const records = {
    ...needs.records,
    list: async (...which: unknown[]): Promise<RecordPage> => {
      asked.push(which);
      const listed = rows.map(({ facts }, index) => ({
        name: `record ${index + 1}`,
        mailId: facts.mailId,
        writtenAt: NOW,
      }));
      return { records: listed, ...more };
    },
  };
  return { page: await listHeld({ ...needs, records }, after), asked };
};

describe('the list of held mails', () => {
  test('has the oldest first, each with its reason and the name of its record', async () => {
    const { page } = await list([heldAfter(1, 30), heldAfter(2, 10), heldAfter(3, 20)]);
    expect(page.mails.map(({ id }) => id)).toEqual([idOf(2), idOf(3), idOf(1)]);
    expect(page.mails[0]).toMatchObject({ state: 'held', record: 'record 2', reason: { code: 'GIVEN_UP' } });
    expect(page).not.toHaveProperty('next');
  });

  test('leaves out what is no longer held under that record, as a replay or close was cut short', async () => {
    const closed = close(heldAfter(1, 0), 'n', NOW);
    const heldAgain = heldAfter(2, 0, 'another record');
    expect((await list([closed, heldAgain, heldAfter(3, 0)])).page.mails.map(({ id }) => id)).toEqual([
      idOf(3),
    ]);
  });

  test('leaves out records that the ledger does not know', async () => {
    const records = [{ name: 'r', mailId: idOf(9), writtenAt: NOW }];
    expect((await list([], { records })).page.mails).toEqual([]);
  });

  test('comes in pages of fifty, and says where the next one begins', async () => {
    const { page, asked } = await list([heldAfter(1, 0)], { next: 'then' }, 'here');
    expect(page.next).toBe('then');
    expect(asked).toEqual([[50, 'here']]);
  });
});
