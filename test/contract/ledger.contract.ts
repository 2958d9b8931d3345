import { describe, expect, test } from 'vitest';
import type { Ledger } from '../../src/lib/ledger/ledger.ts';
import { claim, type LedgerRow, queueNew, recordSent } from '../../src/lib/ledger/ledger-row.ts';
import { newMailId } from '../../src/lib/new-id.ts';

const YEAR_AGO = new Date('2025-03-02T08:00:00Z');
const TODAY = new Date('2026-03-02T08:00:00Z');
const DAY_MS = 86_400_000;
const later = (time: Date, ms: number) => new Date(time.getTime() + ms);

const queuedAt = (time: Date) =>
  queueNew(
    {
      mailId: newMailId(time),
      caller: 'key:contract',
      sender: 'noreply@contoso.example',
      recipients: 2,
      recipientAddresses: ['陳@contoso.example', "o'hara@contoso.example"],
      tags: ['payslip'],
      bodyHash: 'hash',
      leavesCopy: true,
      acceptedAt: time.toISOString(),
    },
    time,
  );

const sentAt = (time: Date): LedgerRow => {
  const attempt = { at: time.toISOString(), outcome: 'accepted', graphRequestId: 'r-1' } as const;
  return recordSent(claim(queuedAt(time), time), attempt, time);
};

const all = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
};

/** What every ledger does, whatever it is made of. Rows of other tests may stand in it. */
export const ledgerContract = (name: string, open: () => Ledger): void => {
  describe(`${name} is a ledger`, () => {
    test('a mail that is not there is not found', async () => {
      expect(await open().find(newMailId(TODAY))).toBeUndefined();
    });

    test('what was created is found as it was, at the same version', async () => {
      const ledger = open();
      const row = queuedAt(TODAY);
      const created = await ledger.create(row);

      expect(created?.row).toEqual(row);
      expect(created?.etag).not.toBe('');
      expect(await ledger.find(row.mailId)).toEqual(created);
    });

    test('a row with the longest addresses a mail can have is kept as it is, and can be changed', async () => {
      const ledger = open();
      // 500 recipients of 320 characters, some of which take two units of UTF-16.
      const address = (number: number) => `${'\u{20bb7}'.repeat(30)}${number}@${'x'.repeat(250)}.example`;
      const recipientAddresses = Array.from({ length: 500 }, (_, number) => address(number));
      const row = { ...queuedAt(TODAY), recipientAddresses };
      const created = await ledger.create(row);
      expect((await ledger.find(row.mailId))?.row).toEqual(row);
      const sending = claim(row, TODAY);
      expect(await ledger.replace(sending, created?.etag ?? '')).toBeDefined();
      expect((await ledger.find(row.mailId))?.row).toEqual(sending);
      const { recipientAddresses: _, ...short } = sending;
      await ledger.replace(short, (await ledger.find(row.mailId))?.etag ?? '');
      expect((await ledger.find(row.mailId))?.row).toEqual(short);
    });

    test('of several who create the same mail at once exactly one is first', async () => {
      const ledger = open();
      const row = queuedAt(TODAY);
      const results = await Promise.all([1, 2, 3, 4].map(() => ledger.create(row)));

      expect(results.filter((result) => result !== undefined)).toHaveLength(1);
    });

    test('creating a mail that is there changes nothing', async () => {
      const ledger = open();
      const row = queuedAt(TODAY);
      const created = await ledger.create(row);

      expect(await ledger.create({ ...row, tags: ['another'] })).toBeUndefined();
      expect(await ledger.find(row.mailId)).toEqual(created);
    });

    test('a row is replaced at the version it was read, as a whole, and gets a new version', async () => {
      const ledger = open();
      const row = queuedAt(TODAY);
      const { etag } = (await ledger.create(row))!;
      const { recipientAddresses: _, ...next } = claim(row, later(TODAY, 1000));
      const replaced = await ledger.replace(next, etag);

      expect(replaced?.row).toEqual(next);
      expect(replaced?.etag).not.toBe(etag);
      expect(await ledger.find(row.mailId)).toEqual(replaced);
    });

    test('of several who replace the same version at once exactly one is first', async () => {
      const ledger = open();
      const row = queuedAt(TODAY);
      const { etag } = (await ledger.create(row))!;
      const claimed = claim(row, TODAY);
      const results = await Promise.all([1, 2, 3, 4].map(() => ledger.replace(claimed, etag)));

      expect(results.filter((result) => result !== undefined)).toHaveLength(1);
    });

    test('replacing an old version, or a row that is not there, writes nothing', async () => {
      const ledger = open();
      const row = queuedAt(TODAY);
      const { etag } = (await ledger.create(row))!;
      const claimed = await ledger.replace(claim(row, TODAY), etag);

      expect(await ledger.replace(row, etag)).toBeUndefined();
      expect(await ledger.find(row.mailId)).toEqual(claimed);
      const missing = queuedAt(TODAY);
      expect(await ledger.replace(missing, etag)).toBeUndefined();
      expect(await ledger.find(missing.mailId)).toBeUndefined();
    });

    test('lists rows of the states asked for that were last changed before a time', async () => {
      const ledger = open();
      const [oldQueued, newQueued, oldSent] = [queuedAt(TODAY), queuedAt(later(TODAY, 10)), sentAt(TODAY)];
      for (const row of [oldQueued, newQueued, oldSent]) await ledger.create(row);
      const before = later(TODAY, 10);
      const idsOf = async (states: LedgerRow['state'][]) =>
        (await all(ledger.list({ states, before }))).map(({ row }) => row.mailId);

      const queued = await idsOf(['queued', 'deferred']);
      expect(queued).toContain(oldQueued.mailId);
      expect(queued).not.toContain(newQueued.mailId);
      expect(queued).not.toContain(oldSent.mailId);
      expect(await idsOf(['sent', 'queued'])).toEqual(
        expect.arrayContaining([oldQueued.mailId, oldSent.mailId]),
      );
    });

    test('what is listed can be replaced at the version it was listed with', async () => {
      const ledger = open();
      const row = queuedAt(TODAY);
      await ledger.create(row);
      const listed = await all(ledger.list({ states: ['queued'], before: later(TODAY, 1) }));
      const entry = listed.find((one) => one.row.mailId === row.mailId)!;

      expect(await ledger.replace(claim(row, TODAY), entry.etag)).toBeDefined();
    });

    test('forgets rows of final states from before a time, says how many, and keeps all others', async () => {
      const ledger = open();
      const [oldSent, oldQueued, newSent] = [sentAt(YEAR_AGO), queuedAt(YEAR_AGO), sentAt(TODAY)];
      for (const row of [oldSent, oldQueued, newSent]) await ledger.create(row);

      expect(await ledger.expire(later(YEAR_AGO, DAY_MS))).toBe(1);
      expect(await ledger.expire(later(YEAR_AGO, DAY_MS))).toBe(0);
      expect(await ledger.find(oldSent.mailId)).toBeUndefined();
      expect(await ledger.find(oldQueued.mailId)).toBeDefined();
      expect(await ledger.find(newSent.mailId)).toBeDefined();
    });
  });
};
