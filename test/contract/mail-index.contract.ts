import { describe, expect, test } from 'vitest';
import type { LedgerRow, MailFacts } from '../../src/lib/ledger/ledger-row.ts';
import { newMailId } from '../../src/lib/ledger/mail-id.ts';
import type { SearchTerm } from '../../src/lib/ledger/search-index.ts';
import { claimNew, recordDeliveries, recordSent } from '../../src/lib/ledger/transitions.ts';
import type { Ledger, MailIndex } from '../../src/lib/ports.ts';
import { IDENTITY } from '../support/identity-for-tests.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const at = (ms: number) => new Date(NOW.getTime() + ms);

/** What every index of a ledger does. Rows of other tests may stand in it, under other names. */
export const mailIndexContract = (
  name: string,
  open: () => { readonly ledger: Ledger; readonly mailIndex: MailIndex },
): void => {
  const { ledger, mailIndex } = open();
  const newFacts = (own: string, ms: number, facts: Partial<MailFacts> = {}): MailFacts => ({
    mailId: newMailId(at(ms)),
    caller: `caller-${own}`,
    sender: `${own}@contoso.example`,
    recipients: 1,
    tags: [],
    bodyHash: 'hash',
    leavesCopy: true,
    acceptedAt: at(ms).toISOString(),
    ...facts,
  });
  const idsBy = async (term: SearchTerm, range: Parameters<MailIndex['list']>[1] = {}, limit = 50) =>
    (await mailIndex.list(term, range, limit)).map(({ mailId }) => mailId);
  const sent = (row: Parameters<typeof recordSent>[0], graphRequestId: string) =>
    recordSent(row, { at: NOW.toISOString(), outcome: 'accepted', graphRequestId }, NOW);
  const write = async (row: LedgerRow) => {
    const found = await ledger.find(row.facts.mailId);
    return found === undefined ? ledger.create(row) : ledger.replace(row, found.etag);
  };

  describe(`${name} finds emails`, () => {
    test('by each of what is known of one, and by nothing else', async () => {
      const own = 'each';
      const facts = newFacts(own, 1, {
        tags: ['pay slip #7/2026?', '薪資'],
        keyHash: IDENTITY.hashOfKey('order-4711'),
        recipientHashes: [IDENTITY.hashOfAddress('Ann@fabrikam.example')],
      });
      const claimed = claimNew(facts, false, at(1));
      await write(claimed);
      const row = sent(claimed, '0b1c8d7e-0000-4000-8000-000000000001');
      const withId = { ...row, fate: { ...row.fate, internetMessageId: '<a/b#c?d@contoso.example>' } };
      await write(withId);
      const terms: readonly SearchTerm[] = [
        { by: 'sender', address: 'EACH@contoso.example' },
        { by: 'tag', tag: 'pay slip #7/2026?' },
        { by: 'recipient', addressHash: IDENTITY.hashOfAddress(' ann@FABRIKAM.example') },
        { by: 'key', keyHash: IDENTITY.hashOfKey('order-4711') },
        { by: 'graph-request', id: '0B1C8D7E-0000-4000-8000-000000000001' },
        { by: 'message-id', internetMessageId: 'a/b#c?d@contoso.example' },
      ];
      for (const term of terms) expect(await idsBy(term), JSON.stringify(term)).toEqual([facts.mailId]);
      expect(await idsBy({ by: 'tag', tag: 'pay slip' })).toEqual([]);
      expect(await idsBy({ by: 'recipient', addressHash: IDENTITY.hashOfAddress('ann@fabrikam') })).toEqual(
        [],
      );
    });

    test('by the state they are in now, and once a recipient has bounced also as that', async () => {
      const facts = newFacts('state', 2, { recipientHashes: ['hash-of-ann-'] });
      const isListed = async (state: 'sending' | 'sent' | 'bounced') =>
        (await idsBy({ by: 'state', state })).includes(facts.mailId);
      const claimed = claimNew(facts, false, at(2));
      await write(claimed);
      expect(await isListed('sending')).toBe(true);
      const row = sent(claimed, 'r-2');
      await write(row);
      expect([await isListed('sending'), await isListed('sent')]).toEqual([false, true]);
      const failed = { recipient: 'hash-of-ann-', status: 'failed', source: 'report', at: 'x' } as const;
      await write(recordDeliveries(row, [failed]));
      expect([await isListed('sent'), await isListed('bounced')]).toEqual([true, true]);
    });

    test('newest first, page after page, none left out and none twice, also of one moment', async () => {
      const times = [5, 9, 5, 7, 5, 8, 5, 6, 5, 5];
      const rows = times.map((ms) => claimNew(newFacts('pages', 1000 + ms), false, at(ms)));
      for (const row of rows) await write(row);
      const term = { by: 'caller', caller: 'caller-pages' } as const;
      const whole = await mailIndex.list(term, {}, 50);
      expect(whole.map(({ acceptedAt }) => acceptedAt.getTime() - at(1000).getTime())).toEqual([
        9, 8, 7, 6, 5, 5, 5, 5, 5, 5,
      ]);
      const ids: string[] = [];
      for (let after = whole.slice(0, 0)[0]; ; ) {
        const page = await mailIndex.list(term, { after }, 4);
        ids.push(...page.map(({ mailId }) => mailId));
        after = page.at(-1);
        if (after === undefined) break;
      }
      expect(ids).toEqual(whole.map(({ mailId }) => mailId));
      expect(new Set(ids).size).toBe(10);
    });

    test('received from a time on, and before another', async () => {
      const rows = [1, 2, 3, 4].map((ms) => claimNew(newFacts('times', 2000 + ms), false, at(ms)));
      for (const row of rows) await write(row);
      const [, two, three] = rows.map(({ facts }) => facts.mailId);
      const term = { by: 'caller', caller: 'caller-times' } as const;
      expect(await idsBy(term, { from: at(2002), until: at(2004) })).toEqual([three, two]);
      expect(await idsBy(term, { from: at(2005), until: at(2001) })).toEqual([]);
    });

    test('by every one of very many recipients, once the email has ended', async () => {
      const recipientHashes = Array.from({ length: 500 }, (_, n) =>
        IDENTITY.hashOfAddress(`r${n}@a.example`),
      );
      const facts = newFacts('many', 3000, { recipients: 500, recipientHashes });
      const claimed = claimNew(facts, true, at(3000));
      await write(claimed);
      expect(await idsBy({ by: 'caller', caller: 'caller-many' })).toEqual([facts.mailId]);
      await write(sent(claimed, 'r-many'));
      for (const addressHash of [recipientHashes[250], recipientHashes[499]])
        expect(await idsBy({ by: 'recipient', addressHash: addressHash! })).toEqual([facts.mailId]);
    });

    test('no longer once they have expired', async () => {
      const recipientHashes = Array.from({ length: 150 }, (_, n) =>
        IDENTITY.hashOfAddress(`e${n}@a.example`),
      );
      const old = new Date('2020-01-01T00:00:00Z');
      const facts = newFacts('old', 0, { recipientHashes, acceptedAt: old.toISOString(), tags: ['old'] });
      const claimed = claimNew(facts, true, old);
      await write(claimed);
      await write(recordSent(claimed, { at: old.toISOString(), outcome: 'accepted' }, old));
      expect(await idsBy({ by: 'tag', tag: 'old' })).toEqual([facts.mailId]);
      expect(await ledger.expire(new Date('2020-01-03T00:00:00Z'), 0, () => false)).toBe(1);
      expect(await idsBy({ by: 'tag', tag: 'old' })).toEqual([]);
      expect(await idsBy({ by: 'recipient', addressHash: recipientHashes[149]! })).toEqual([]);
    });
  });
};
