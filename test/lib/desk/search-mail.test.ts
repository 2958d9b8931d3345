import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MailQuery, searchMail } from '../../../src/lib/desk/search-mail.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { newMailId } from '../../../src/lib/ledger/mail-id.ts';
import type { SearchPlace } from '../../../src/lib/ledger/search-index.ts';
import { claimNew, holdNew, queueNew, recordSent } from '../../../src/lib/ledger/transitions.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { asMailIndex, makeFakeLedger } from '../../support/fake-ledger.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { asLedger, NOW } from '../../support/in-memory-ports.ts';

const HOLDING = { why: 'refused', reason: { code: 'GIVEN_UP' }, record: 'r', hasContent: true } as const;
const at = (ms: number) => new Date(NOW.getTime() + ms);

type Made = {
  readonly ms: number;
  readonly sender: string;
  readonly caller: string;
  readonly state: 'queued' | 'sent' | 'held';
  readonly to: string;
};

const rowOf = ({ ms, sender, caller, state, to }: Made): LedgerRow => {
  const facts = {
    ...aNewMail(at(ms), { mailId: newMailId(at(ms)) }),
    ...{ sender, caller, recipientHashes: [IDENTITY.hashOfAddress(to)], acceptedAt: at(ms).toISOString() },
  };
  if (state === 'queued') return queueNew(facts, at(ms));
  if (state === 'held') return holdNew(facts, HOLDING, at(ms));
  return recordSent(claimNew(facts, true, at(ms)), { at: at(ms).toISOString(), outcome: 'accepted' }, at(ms));
};

const aSearch = (rows: readonly LedgerRow[]) => {
  const ledger = makeFakeLedger();
  for (const row of rows) ledger.create(row);
  const needs = {
    ledger: asLedger(ledger),
    mailIndex: asMailIndex(ledger),
    readIdentity: async () => IDENTITY,
  };
  return {
    needs,
    /** Every page, and how many there were. */
    all: async (query: MailQuery, limit: number) => {
      const ids: string[] = [];
      let [pages, after]: [number, SearchPlace | undefined] = [0, undefined];
      do {
        const page = await searchMail(needs, query, { after, limit });
        expect(page.mails.length).toBeLessThanOrEqual(limit);
        ids.push(...page.mails.map(({ id }) => id));
        after = page.next;
        pages += 1;
      } while (after !== undefined);
      return { ids, pages };
    },
  };
};

const senders = ['a@x.example', 'b@x.example'] as const;
const callers = ['payroll', 'helpdesk'] as const;
const recipients = ['ann@y.example', 'bob@y.example'] as const;
const made: fc.Arbitrary<Made> = fc.record({
  ms: fc.integer({ min: 0, max: 20 }),
  sender: fc.constantFrom(...senders),
  caller: fc.constantFrom(...callers),
  state: fc.constantFrom('queued', 'sent', 'held'),
  to: fc.constantFrom(...recipients),
});
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

describe('a search', () => {
  test('gives exactly the emails that have all of it, newest first, however its pages are cut', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(made, { maxLength: 40 }),
        fc.record({
          state: maybe(fc.constantFrom('queued', 'sent', 'held')),
          sender: maybe(fc.constantFrom(...senders)),
          caller: maybe(fc.constantFrom(...callers)),
          recipient: maybe(fc.constantFrom(...recipients)),
          from: maybe(fc.integer({ min: 0, max: 20 }).map(at)),
          until: maybe(fc.integer({ min: 0, max: 20 }).map(at)),
        }),
        fc.integer({ min: 1, max: 12 }),
        async (all, { state, sender, caller, recipient, from, until }, limit) => {
          const rows = all.map((one) => ({ one, row: rowOf(one) }));
          const expected = rows
            .filter(
              ({ one }) =>
                (state ?? one.state) === one.state &&
                (sender ?? one.sender) === one.sender &&
                (caller ?? one.caller) === one.caller &&
                (recipient ?? one.to) === one.to &&
                (from === undefined || at(one.ms) >= from) &&
                (until === undefined || at(one.ms) < until),
            )
            .map(({ row: { facts } }) => facts)
            .sort(
              (one, other) =>
                other.acceptedAt.localeCompare(one.acceptedAt) || (one.mailId < other.mailId ? -1 : 1),
            )
            .map(({ mailId }) => mailId);
          const query = JSON.parse(JSON.stringify({ state, sender, caller, recipient })) as MailQuery;
          const times = { ...(from && { from }), ...(until && { until }) };
          const found = await aSearch(rows.map(({ row }) => row)).all({ ...query, ...times }, limit);
          expect(found.ids).toEqual(expected);
        },
      ),
    ));

  test('looks at no more than two hundred emails for a page, and goes on where it stopped', async () => {
    const rows = Array.from({ length: 450 }, (_, ms) =>
      rowOf({ ms, sender: senders[0], caller: callers[ms === 0 ? 1 : 0], state: 'sent', to: recipients[0] }),
    );
    const query = { sender: senders[0], caller: callers[1] };
    const { ids, pages } = await aSearch(rows).all(query, 50);
    expect(ids).toEqual([rows[0]?.facts.mailId]);
    expect(pages).toBe(3);
  });

  test('leaves out an email that has left the term since, and one whose digest only is the same', async () => {
    const row = rowOf({ ms: 1, sender: senders[0], caller: callers[0], state: 'sent', to: recipients[0] });
    const { needs } = aSearch([row]);
    const mailIndex = {
      list: async () => [{ acceptedAt: at(1), mailId: row.facts.mailId }],
      isFiling: async () => true,
    };
    const search = (query: MailQuery) => searchMail({ ...needs, mailIndex }, query, { limit: 5 });
    expect((await search({ state: 'held' })).mails).toEqual([]);
    expect((await search({ sender: senders[1] })).mails).toEqual([]);
    const page = await search({ state: 'sent' });
    expect(page.mails).toHaveLength(1);
    expect(page.incomplete).toBe(true);
  });
});
