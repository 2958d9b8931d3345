import { describe, expect, test } from 'vitest';
import type { MailboxLanes } from '../../src/lib/ports.ts';
import { EMPTY_LANE, type Lane } from '../../src/lib/sending/mailbox-lane.ts';

const AT = Date.parse('2026-03-02T08:00:00Z');
const SOME: Lane = { ...EMPTY_LANE, booked: [[AT, 2480, 300]], users: { one: AT } };
const MORE: Lane = {
  ...SOME,
  taken: [AT + 2, AT + 2],
  standing: [{ owner: 'two', count: 3, until: AT + 300_000, recipients: 6 }],
  cut: { perMinute: 12, at: AT },
  bytes: [[AT, 4_000_000]],
  hours: { 492272: 40 },
};

/** What every store of lanes does, whatever it is made of. Lanes of other tests may stand in it. */
export const mailboxLanesContract = (name: string, open: () => MailboxLanes): void => {
  describe(`${name} keeps the lanes of mailboxes`, () => {
    test('a mailbox that nobody has asked for has an empty lane, and no version', async () => {
      const { server, ...entry } = await open().read('nobody@contoso.com');
      expect(entry).toEqual({ lane: EMPTY_LANE });
      expect(server?.at).toBeInstanceOf(Date);
    });

    test('what was written is read as it was, by mailbox', async () => {
      const lanes = open();
      const mailbox = "o'brien/größe?#%@contoso.com";
      const { isOwn, entry, server } = await lanes.write(mailbox, MORE, undefined);
      expect([isOwn, entry]).toEqual([true, { lane: MORE, etag: entry.etag }]);
      expect(entry.etag).toBeTruthy();
      expect(server?.precisionMs).toBe(1);
      expect(await lanes.read(mailbox)).toMatchObject(entry);
      expect((await lanes.read('other@contoso.com')).lane).toEqual(EMPTY_LANE);
    });

    test('of two that write at one version, the second writes nothing and learns what is there', async () => {
      const lanes = open();
      const first = await lanes.write('payroll@contoso.com', SOME, undefined);
      const late = await lanes.write('payroll@contoso.com', MORE, undefined);
      expect(late).toMatchObject({ isOwn: false, entry: first.entry });
      const next = await lanes.write('payroll@contoso.com', MORE, first.entry.etag);
      expect(next).toMatchObject({ isOwn: true, entry: { lane: MORE } });
      expect(await lanes.write('payroll@contoso.com', SOME, first.entry.etag)).toMatchObject({
        isOwn: false,
        entry: next.entry,
      });
    });

    test('of twenty that write at the same moment, one has written', async () => {
      const lanes = open();
      const { entry } = await lanes.write('busy@contoso.com', SOME, undefined);
      const written = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          lanes.write('busy@contoso.com', { ...SOME, askUpTo: index }, entry.etag),
        ),
      );
      const own = written.filter(({ isOwn }) => isOwn);
      expect(own).toHaveLength(1);
      const there = await lanes.read('busy@contoso.com');
      expect(there).toMatchObject(own[0]?.entry ?? {});
      for (const one of written) expect(one.entry.lane).toEqual(there.lane);
    });

    test('a lane that was deleted meanwhile is as one that another has written: there is none', async () => {
      const lanes = open();
      const { entry } = await lanes.write('gone@contoso.com', SOME, undefined);
      await lanes.expire(new Date('2999-01-01'));
      const { isOwn, entry: there } = await lanes.write('gone@contoso.com', MORE, entry.etag);
      expect([isOwn, there]).toEqual([false, { lane: EMPTY_LANE }]);
      expect((await lanes.write('gone@contoso.com', MORE, undefined)).isOwn).toBe(true);
    });

    test('those that were last written before a time are deleted, and no others', async () => {
      const lanes = open();
      await lanes.write('old@contoso.com', SOME, undefined);
      await lanes.expire(new Date('2000-01-01'));
      expect((await lanes.read('old@contoso.com')).lane).toEqual(SOME);
      await lanes.expire(new Date('2999-01-01'));
      expect((await lanes.read('old@contoso.com')).lane).toEqual(EMPTY_LANE);
      await lanes.expire(new Date('2999-01-01'));
    });

    test('a lane as large as lanes become is kept', async () => {
      const lanes = open();
      const large: Lane = {
        ...MORE,
        booked: Array.from({ length: 400 }, (_, index) => [AT + index * 7000, 2480, 2] as const),
        taken: Array.from({ length: 1000 }, (_, index) => AT + index * 60),
        users: Object.fromEntries(
          Array.from({ length: 100 }, (_, index) => [`instance-${index}-of-the-relay`, AT]),
        ),
      };
      await lanes.write('large@contoso.com', large, undefined);
      expect((await lanes.read('large@contoso.com')).lane).toEqual(large);
    });
  });
};
