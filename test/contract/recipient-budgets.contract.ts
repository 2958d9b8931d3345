import { describe, expect, test } from 'vitest';
import type { RecipientBudgets } from '../../src/lib/ports.ts';

const SOME = { hours: { '493000': 3 }, warnedAt: 1_774_800_000_000 };
const MORE = { hours: { '493000': 3, '493001': 40 } };

/** What every store of budgets does, whatever it is made of. Budgets of other tests may stand in it. */
export const recipientBudgetsContract = (name: string, open: () => RecipientBudgets): void => {
  describe(`${name} keeps budgets of recipients`, () => {
    test('of one that nobody has written, nothing is taken, and it has no version', async () => {
      expect(await open().read('global/nobody.example', 'tenant')).toEqual({ budget: { hours: {} } });
    });

    test('what was written is read as it was, by tenant and kind', async () => {
      const budgets = open();
      const tenant = 'global/a tenant/with#signs?';
      const { isOwn, entry } = await budgets.write(tenant, 'tenant', SOME, undefined);
      expect([isOwn, entry]).toEqual([true, { budget: SOME, etag: entry.etag }]);
      expect(entry.etag).toBeTruthy();
      expect(await budgets.read(tenant, 'tenant')).toEqual(entry);
      expect(await budgets.read(tenant, 'onmicrosoft')).toEqual({ budget: { hours: {} } });
      expect(await budgets.read('global/another', 'tenant')).toEqual({ budget: { hours: {} } });
    });

    test('of two that write at one version, the second writes nothing and learns what is there', async () => {
      const budgets = open();
      const of = ['global/contoso.example', 'onmicrosoft'] as const;
      const first = await budgets.write(...of, SOME, undefined);
      expect(await budgets.write(...of, MORE, undefined)).toEqual({ ...first, isOwn: false });
      const next = await budgets.write(...of, MORE, first.entry.etag);
      expect(next).toMatchObject({ isOwn: true, entry: { budget: MORE } });
      expect(await budgets.write(...of, SOME, first.entry.etag)).toEqual({ ...next, isOwn: false });
    });
  });
};
