import { describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../src/lib/callers/caller-audit.ts';
import { readCaller } from '../../src/lib/callers/caller-definition.ts';
import { makeKey } from '../../src/lib/callers/caller-key.ts';
import type { StoredCaller } from '../../src/lib/callers/stored-caller.ts';
import type { CallerStore } from '../../src/lib/ports.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const later = (ms: number) => new Date(NOW.getTime() + ms).toISOString();

const aStoredCaller = (name: string, more: object = {}): StoredCaller => ({
  name,
  declaration: readCaller({
    name,
    senders: ['陳@contoso.example'],
    functionKeys: ['key:Zk3fT0a9Qe'],
    ...more,
  }).declaration!,
  isDisabled: false,
  keys: [makeKey(NOW).record],
  createdAt: NOW.toISOString(),
  updatedAt: NOW.toISOString(),
});

const anEntry = (caller: string, at = NOW.toISOString()): AuditEntry => ({
  at,
  with: 'master key',
  by: '陳大文',
  caller,
  action: 'changed',
  changes: [{ field: 'mailsPerDay', from: 5, to: 7 }],
});

/** What keeps callers, whatever it is made of; each test has one of its own. */
export const callerStoreContract = (name: string, open: () => Promise<CallerStore>): void => {
  describe(`${name} keeps callers`, () => {
    test('at first there are none, and nothing was changed', async () => {
      const store = await open();
      expect(await store.read()).toEqual({ callers: [], unreadable: [] });
      expect(await store.audit(undefined, undefined)).toEqual({ entries: [] });
    });

    test('what is written is read as it was, by name, and can be changed and removed', async () => {
      const store = await open();
      const [payroll, erp] = [aStoredCaller('payroll'), aStoredCaller('erp')];
      const { version } = await store.readForChange();
      expect(await store.write({ caller: payroll }, anEntry('payroll'), version)).toBe(true);
      const second = await store.readForChange();
      expect(second.callers).toEqual([payroll]);
      await store.write({ caller: erp }, anEntry('erp'), second.version);
      expect((await store.read()).callers).toEqual([erp, payroll]);

      const changed = { ...erp, isDisabled: true, keys: [] };
      await store.write({ caller: changed }, anEntry('erp'), (await store.readForChange()).version);
      await store.write({ removed: 'payroll' }, anEntry('payroll'), (await store.readForChange()).version);
      expect((await store.read()).callers).toEqual([changed]);
    });

    test('one of the settings is kept without rules', async () => {
      const store = await open();
      const { declaration: _, ...keysOnly } = aStoredCaller('payroll');
      await store.write({ caller: keysOnly }, anEntry('payroll'), (await store.readForChange()).version);
      expect((await store.read()).callers).toEqual([keysOnly]);
    });

    test('the largest definition is kept as it is', async () => {
      const store = await open();
      const address = (at: number) => `${'\u{20bb7}'.repeat(30)}${at}@${'x'.repeat(60)}.example`;
      const senders = Array.from({ length: 100 }, (_, at) => address(at));
      const large = aStoredCaller('payroll', { senders, recipients: senders });
      const entry = { ...anEntry('payroll'), changes: [{ field: 'senders', from: senders, to: senders }] };
      await store.write({ caller: large }, entry, (await store.readForChange()).version);
      expect((await store.read()).callers).toEqual([large]);
      expect((await store.audit(undefined, undefined)).entries).toEqual([entry]);
    });

    test('of several who change callers at the same time exactly one is first, whichever callers these are', async () => {
      const store = await open();
      for (const _round of ['the first change of all', 'a later one']) {
        const { version } = await store.readForChange();
        const writes = ['payroll', 'erp', 'helpdesk', 'erp'].map((caller) =>
          store.write({ caller: aStoredCaller(caller) }, anEntry(caller), version),
        );
        expect((await Promise.all(writes)).filter(Boolean)).toHaveLength(1);
      }
      expect((await store.audit(undefined, undefined)).entries).toHaveLength(2);
    });

    test('a change that was refused leaves nothing, in the trail neither', async () => {
      const store = await open();
      const { version } = await store.readForChange();
      await store.write({ caller: aStoredCaller('payroll') }, anEntry('payroll'), version);
      const before = [await store.read(), await store.audit(undefined, undefined)];
      expect(await store.write({ removed: 'payroll' }, anEntry('payroll', later(1)), version)).toBe(false);
      expect([await store.read(), await store.audit(undefined, undefined)]).toEqual(before);
    });

    test('the trail is newest first, of all callers or of one, a page at a time', async () => {
      const store = await open();
      for (let at = 0; at < 103; at += 1) {
        const caller = at === 50 ? 'erp' : 'payroll';
        const { version } = await store.readForChange();
        await store.write({ caller: aStoredCaller(caller) }, anEntry(caller, later(at)), version);
      }
      const first = await store.audit(undefined, undefined);
      const last = await store.audit(undefined, first.next);
      expect([first.entries.length, last.entries.length, last.next]).toEqual([100, 3, undefined]);
      const times = [...first.entries, ...last.entries].map(({ at }) => at);
      expect(times).toEqual(Array.from({ length: 103 }, (_, at) => later(102 - at)));
      expect(await store.audit('erp', undefined)).toEqual({ entries: [anEntry('erp', later(50))] });
    });
  });
};
