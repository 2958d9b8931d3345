import { describe, expect, test } from 'vitest';
import type { Usages } from '../../src/lib/ports.ts';

const NONE = { taken: { mails: 0, recipients: 0 }, isTold: false };
const SOME = { taken: { mails: 3, recipients: 40 }, isTold: false };
const MORE = { taken: { mails: 4, recipients: 41 }, isTold: true };

/** What every store of usages does, whatever it is made of. Usages of other tests may stand in it. */
export const usagesContract = (name: string, open: () => Usages): void => {
  describe(`${name} keeps usages`, () => {
    test('what nobody has written is nothing, and has no version', async () => {
      expect(await open().read('2026-03-02', 'nobody')).toEqual(NONE);
    });

    test('what was written is read as it was, by day and caller', async () => {
      const usages = open();
      const { isOwn, entry } = await usages.write('2026-03-02', 'key:Q2xpcF9-_3', SOME, undefined);
      expect([isOwn, entry]).toEqual([true, { ...SOME, etag: entry.etag }]);
      expect(entry.etag).toBeTruthy();
      expect(await usages.read('2026-03-02', 'key:Q2xpcF9-_3')).toEqual(entry);
      expect(await usages.read('2026-03-03', 'key:Q2xpcF9-_3')).toEqual(NONE);
      expect(await usages.read('2026-03-02', 'key:another')).toEqual(NONE);
    });

    test('of two that write at one version, the second writes nothing and learns what is there', async () => {
      const usages = open();
      const first = await usages.write('2026-03-02', 'payroll', SOME, undefined);
      expect(await usages.write('2026-03-02', 'payroll', MORE, undefined)).toEqual({
        ...first,
        isOwn: false,
      });
      const next = await usages.write('2026-03-02', 'payroll', MORE, first.entry.etag);
      expect(next).toMatchObject({ isOwn: true, entry: MORE });
      expect(await usages.write('2026-03-02', 'payroll', SOME, first.entry.etag)).toEqual({
        ...next,
        isOwn: false,
      });
    });

    test('those of days before another are deleted', async () => {
      const usages = open();
      for (const day of ['2025-12-31', '2026-01-01', '2026-01-02'])
        await usages.write(day, 'erp', SOME, undefined);
      await usages.expire('2026-01-02');
      const left = ['2025-12-31', '2026-01-01', '2026-01-02'].map(
        async (day) => (await usages.read(day, 'erp')).taken.mails,
      );
      expect(await Promise.all(left)).toEqual([0, 0, 3]);
      await usages.expire('2026-01-02');
    });
  });
};
