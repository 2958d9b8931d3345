import { describe, expect, test } from 'vitest';
import type { RunClaim, ToldWarning, WarningState } from '../../src/lib/ports.ts';

const told = (changes: Partial<ToldWarning> = {}): ToldWarning => ({
  key: 'expiry!secret!graph-client-secret!0f3a',
  mark: '2027-05-31T00:00:00.000Z',
  toldOn: new Date('2027-05-01T07:00:00Z'),
  daysLeft: 30,
  channels: ['mail', 'webhook'],
  reached: ['mail', 'webhook'],
  mails: [
    {
      mailId: '0199aaaa-bbbb-8ccc-8ddd-000000000000',
      queuedOn: new Date('2027-05-01T07:00:00Z'),
      to: 'recipients',
      state: 'waits',
    },
  ],
  ...changes,
});

const CLAIM: RunClaim = { id: 'one', startedAt: new Date('2027-05-01T07:00:00Z'), state: 'running' };

/** What every store of warnings does, whatever it is made of. Each `open` begins with nothing. */
export const warningStateContract = (name: string, open: () => Promise<WarningState>): void => {
  describe(`${name} keeps what people were told`, () => {
    test('of each credential the last time, until it is forgotten', async () => {
      const state = await open();
      const undated = told({ key: 'no-date!secret!a!1', mark: '', mails: [], reached: [] });
      await state.write(told({ daysLeft: 60 }));
      await state.write(undated);
      await state.write(told());
      const byKey = (one: ToldWarning, other: ToldWarning) => (one.key < other.key ? -1 : 1);
      expect((await state.list()).toSorted(byKey)).toEqual([told(), undated]);
      await state.forget(undated.key);
      await state.forget(undated.key);
      expect(await state.list()).toEqual([told()]);
    });

    test('of two runs that claim at the same version, the second learns of the first', async () => {
      const state = await open();
      expect(await state.readClaim()).toEqual({});
      const first = await state.writeClaim(CLAIM, undefined);
      expect(first).toMatchObject({ isOwn: true, entry: { claim: CLAIM } });
      expect(await state.readClaim()).toEqual(first.entry);
      const other = { ...CLAIM, id: 'two' };
      expect(await state.writeClaim(other, undefined)).toEqual({ isOwn: false, entry: first.entry });
      const second = await state.writeClaim(other, first.entry.etag);
      expect(second).toMatchObject({ isOwn: true, entry: { claim: other } });
      expect(await state.writeClaim(CLAIM, first.entry.etag)).toEqual({
        isOwn: false,
        entry: second.entry,
      });
    });

    test('the last run that ended is known also while another one runs', async () => {
      const state = await open();
      expect(await state.lastRun()).toBeUndefined();
      const lastRun = {
        startedAt: new Date('2027-05-01T07:00:00Z'),
        endedAt: new Date('2027-05-01T07:00:09Z'),
        secrets: 4,
        warnings: 2,
        told: 1,
        undelivered: 0,
        unproven: [{ connection: 'fabrikam', since: new Date('2027-04-30T07:00:09Z') }],
      };
      const { entry } = await state.writeClaim({ ...CLAIM, state: 'over', lastRun }, undefined);
      await state.writeClaim({ ...CLAIM, id: 'two', lastRun }, entry.etag);
      expect(await state.lastRun()).toEqual(lastRun);
      expect(await state.list(), 'a run is no warning').toEqual([]);
    });
  });
};
