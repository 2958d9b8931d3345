import { describe, expect, test } from 'vitest';
import type { LedgerRow, MailFacts } from '../../src/lib/ledger/ledger-row.ts';
import { newMailId } from '../../src/lib/ledger/mail-id.ts';
import {
  claim,
  claimNew,
  holdNew,
  queueNew,
  recordHeld,
  recordSent,
  replay,
} from '../../src/lib/ledger/transitions.ts';
import type { Ledger, LedgerEntry } from '../../src/lib/ports.ts';

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

const HOLDING = { why: 'refused', reason: { code: 'GIVEN_UP' }, record: 'r', hasContent: true } as const;
const never = () => false;

const withoutAddresses = ({ facts }: LedgerRow): MailFacts => {
  const { recipientAddresses: _, ...others } = facts;
  return others;
};

const sentOf = (row: Parameters<typeof claim>[0], time: Date): LedgerRow => {
  const attempt = { at: time.toISOString(), outcome: 'accepted', graphRequestId: 'r-1' } as const;
  return recordSent(claim(row, time), attempt, time);
};
const sentAt = (time: Date): LedgerRow => sentOf(queuedAt(time), time);

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
      expect(await ledger.find(row.facts.mailId)).toEqual(created);
    });

    test('a row with the longest addresses a mail can have is kept as it is, and can be changed', async () => {
      const ledger = open();
      // 500 recipients of 320 characters, some of which take two units of UTF-16.
      const address = (number: number) => `${'\u{20bb7}'.repeat(30)}${number}@${'x'.repeat(250)}.example`;
      const recipientAddresses = Array.from({ length: 500 }, (_, number) => address(number));
      const queued = queuedAt(TODAY);
      const row = { ...queued, facts: { ...queued.facts, recipientAddresses } };
      const created = await ledger.create(row);
      expect((await ledger.find(row.facts.mailId))?.row).toEqual(row);
      const sending = claim(row, TODAY);
      expect(await ledger.replace(sending, created?.etag ?? '')).toBeDefined();
      expect((await ledger.find(row.facts.mailId))?.row).toEqual(sending);
      const short = { ...sending, facts: withoutAddresses(sending) };
      await ledger.replace(short, (await ledger.find(row.facts.mailId))?.etag ?? '');
      expect((await ledger.find(row.facts.mailId))?.row).toEqual(short);
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

      expect(await ledger.create({ ...row, facts: { ...row.facts, tags: ['another'] } })).toBeUndefined();
      expect(await ledger.find(row.facts.mailId)).toEqual(created);
    });

    test('a row is replaced at the version it was read, as a whole, and gets a new version', async () => {
      const ledger = open();
      const row = queuedAt(TODAY);
      const { etag } = (await ledger.create(row))!;
      const claimed = claim(row, later(TODAY, 1000));
      const next = { ...claimed, facts: withoutAddresses(claimed) };
      const replaced = await ledger.replace(next, etag);

      expect(replaced?.row).toEqual(next);
      expect(replaced?.etag).not.toBe(etag);
      expect(await ledger.find(row.facts.mailId)).toEqual(replaced);
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
      expect(await ledger.find(row.facts.mailId)).toEqual(claimed);
      const missing = queuedAt(TODAY);
      expect(await ledger.replace(missing, etag)).toBeUndefined();
      expect(await ledger.find(missing.facts.mailId)).toBeUndefined();
    });

    test('lists what has not ended and was accepted before a time, attempts without a message by themselves', async () => {
      const ledger = open();
      const [old, young, sent] = [queuedAt(TODAY), queuedAt(later(TODAY, 10)), sentAt(TODAY)];
      const attempt = claimNew(queuedAt(TODAY).facts, false, TODAY);
      for (const row of [old, young, sent, attempt]) await ledger.create(row);
      const idsOf = (shelf: 'open' | 'attempt') => all(ledger.listOpen(shelf, later(TODAY, 10), 3, never));

      const waiting = await idsOf('open');
      expect(waiting).toContain(old.facts.mailId);
      for (const { facts } of [young, sent, attempt]) expect(waiting).not.toContain(facts.mailId);
      const attempts = await idsOf('attempt');
      expect(attempts).toContain(attempt.facts.mailId);
      expect(attempts).not.toContain(old.facts.mailId);
    });

    test('lists nothing once the time for it is over', async () => {
      const ledger = open();
      await ledger.create(queuedAt(TODAY));
      expect(await all(ledger.listOpen('open', later(TODAY, 1), 0, () => true))).toEqual([]);
    });

    test('a mail is listed by what it is now, through every step of its life', async () => {
      const ledger = open();
      const stepsOf = (row: ReturnType<typeof queuedAt>): readonly LedgerRow[] => [
        row,
        claim(row, later(TODAY, 1)),
        recordHeld(claim(row, TODAY), HOLDING, later(TODAY, 2)),
        replay(holdNew(row.facts, HOLDING, TODAY), 'hash', later(TODAY, 3)),
        sentOf(row, later(TODAY, 4)),
      ];
      // One mail for each step, which has come so far: one listing shows all of them.
      const ends: [LedgerRow, boolean][] = [];
      for (const [end, isOpen] of [true, true, false, true, false].entries()) {
        const [first, ...others] = stepsOf(queuedAt(TODAY)).slice(0, end + 1);
        let entry: LedgerEntry = (await ledger.create(first!))!;
        for (const next of others) {
          entry = (await ledger.replace(next, entry.etag))!;
          expect(entry.row.fate.state).toBe(next.fate.state);
        }
        ends.push([entry.row, isOpen]);
      }
      const [listed, attempts] = [
        await all(ledger.listOpen('open', later(TODAY, 1), 0, never)),
        await all(ledger.listOpen('attempt', later(TODAY, 1), 0, never)),
      ];
      for (const [row, isOpen] of ends) {
        const copies = listed.filter((mailId) => mailId === row.facts.mailId);
        expect(copies, row.fate.state).toHaveLength(isOpen ? 1 : 0);
        expect(attempts, row.fate.state).not.toContain(row.facts.mailId);
      }
    });

    test('a row that is created and replaced by many at once ends as one of them wrote it, and is listed once', async () => {
      const ledger = open();
      const row = queuedAt(TODAY);
      await Promise.all([1, 2, 3].map(() => ledger.create(row)));
      const { etag } = (await ledger.find(row.facts.mailId))!;
      const results = await Promise.all([
        ledger.replace(claim(row, TODAY), etag),
        ledger.replace(sentOf(row, TODAY), etag),
        ledger.replace(sentOf(row, later(TODAY, 1)), etag),
      ]);
      const written = results.filter((result) => result !== undefined);
      expect(written).toHaveLength(1);
      expect(await ledger.find(row.facts.mailId)).toEqual(written[0]);
    });

    test('forgets mails that ended on a day before, says how many, and keeps all others', async () => {
      const ledger = open();
      const [oldSent, oldQueued, newSent] = [sentAt(YEAR_AGO), queuedAt(YEAR_AGO), sentAt(TODAY)];
      for (const row of [oldSent, oldQueued, newSent]) await ledger.create(row);
      const nextDay = later(YEAR_AGO, DAY_MS);

      expect(await ledger.expire(YEAR_AGO, 0, never)).toBe(0);
      expect(await ledger.expire(nextDay, 0, () => true)).toBe(0);
      expect(await ledger.expire(nextDay, 5, never)).toBe(1);
      expect(await ledger.expire(nextDay, 5, never)).toBe(0);
      expect(await ledger.find(oldSent.facts.mailId)).toBeUndefined();
      expect(await ledger.find(oldQueued.facts.mailId)).toBeDefined();
      expect(await ledger.find(newSent.facts.mailId)).toBeDefined();
    });

    test('forgets one mail at the version it was read, and keeps it at any other', async () => {
      const ledger = open();
      const [row, other] = [sentAt(TODAY), sentAt(TODAY)];
      for (const one of [row, other]) await ledger.create(one);
      const { etag } = (await ledger.find(row.facts.mailId))!;
      const now = (await ledger.replace(row, etag))!;

      expect(await ledger.forget(row, etag)).toBe(false);
      expect(await ledger.find(row.facts.mailId)).toEqual(now);
      expect(await ledger.forget(row, now.etag)).toBe(true);
      expect(await ledger.find(row.facts.mailId)).toBeUndefined();
      expect(await ledger.forget(row, now.etag)).toBe(false);
      expect(await ledger.find(other.facts.mailId)).toBeDefined();
      expect(await ledger.create(row)).toBeDefined();
    });

    test('a mail that was forgotten can come again', async () => {
      const ledger = open();
      const row = sentAt(YEAR_AGO);
      await ledger.create(row);
      await ledger.expire(later(YEAR_AGO, DAY_MS), 0, never);
      expect(await ledger.create(row)).toBeDefined();
    });
  });
};
