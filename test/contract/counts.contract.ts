import { describe, expect, test } from 'vitest';
import type { Tally } from '../../src/lib/metrics/tally.ts';
import type { Counts } from '../../src/lib/ports.ts';

const tally = (accepted: number): Tally => ({
  counts: { '["mailrelay.mail.accepted","door","http"]': accepted },
  distributions: { '["mailrelay.mail.attempts"]': { buckets: [accepted, 0, 1], sum: accepted + 3 } },
});
const counted = (accepted: number, mails = 0) => ({
  tally: tally(accepted),
  mailboxes:
    mails === 0
      ? []
      : [
          {
            address: 'payroll@contoso.example',
            minutes: { '29500000': mails },
            hours: { '491666': { mails, recipients: 2 * mails, pauses: 1 } },
            pausedUntil: 0,
          },
        ],
});

/** After every write of these tests. */
const LATER = new Date(Date.now() + 3_600_000);

/** What every store of counts does, whatever it is made of. `open` gives an empty one. */
export const countsContract = (name: string, open: () => Promise<Counts>): void => {
  describe(`${name} keeps what instances count`, () => {
    test('before anything is written, nothing was counted', async () => {
      expect(await (await open()).read()).toEqual({
        tally: { counts: {}, distributions: {} },
        mailboxes: [],
      });
    });

    test('what an instance writes takes the place of what it wrote before, and instances add up', async () => {
      const counts = await open();
      expect(await counts.write('a', counted(3, 1), true)).toBe('written');
      expect(await counts.write('a', counted(5, 2), false)).toBe('written');
      expect(await counts.write('b', counted(7, 4), true)).toBe('written');
      const { tally: sum, mailboxes } = await counts.read();
      expect(Object.values(sum.counts)).toEqual([12]);
      expect(Object.values(sum.distributions)).toEqual([{ buckets: [12, 0, 2], sum: 18 }]);
      expect(mailboxes).toEqual(
        counted(0, 6).mailboxes.map((one) => ({
          ...one,
          hours: { '491666': { mails: 6, recipients: 12, pauses: 2 } },
        })),
      );
    });

    test('folding changes no sum, and an instance that goes on learns what counts already', async () => {
      const counts = await open();
      await counts.write('a', counted(3, 1), true);
      await counts.write('b', counted(4), true);
      expect(await counts.fold(new Date(0))).toBe(0);
      expect(await counts.fold(LATER)).toBe(2);
      expect(await counts.fold(LATER)).toBe(0);
      expect(Object.values((await counts.read()).tally.counts)).toEqual([7]);
      expect(await counts.write('a', counted(9), false)).toEqual({ folded: tally(3) });
      expect(Object.values((await counts.read()).tally.counts)).toEqual([7]);
      await counts.write('c', counted(6), true);
      await counts.fold(LATER);
      expect(Object.values((await counts.read()).tally.counts)).toEqual([13]);
    });

    test('an instance that wrote before and of which nothing is left writes nothing, and learns that', async () => {
      const counts = await open();
      expect(await counts.write('a', counted(3), false)).toBe('gone');
      expect((await counts.read()).tally.counts).toEqual({});
    });
  });
};
