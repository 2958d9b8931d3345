import { describe, expect, test } from 'vitest';
import type { RelaySample } from '../../src/lib/metrics/relay-sample.ts';
import type { Samples } from '../../src/lib/ports.ts';

const share = (number: number) => ({
  address: `mailbox-${number}@contoso.example`,
  minute: 0.5,
  day: 0.01,
  sentLastDay: 100,
  recipientsLastDay: 100,
  pausedUntil: '2026-03-02T08:05:00.000Z',
  pausesLastDay: 2,
});

const sampleAt = (at: string): RelaySample => ({
  at,
  queues: [{ queue: 'mail', messages: 3, waitingSince: '2026-03-02T07:00:00.000Z' }, { queue: 'mail-erp' }],
  poisonMessages: 0,
  held: { count: 5, hasMore: false },
  credentials: {
    readAt: '2026-03-02T07:00:00.000Z',
    all: [{ credential: 'graph-client-secret', kind: 'secret', expiresOn: '2026-05-01T00:00:00.000Z' }],
  },
  mailboxes: Array.from({ length: 50 }, (_, number) => share(number)),
  totals: { accepted: 9, sent: 8, rejected: 0, held: 1, graphRequests: 12, graphWasted: 3 },
});

/** What every store of samples does, whatever it is made of. `open` gives an empty one. */
export const samplesContract = (name: string, open: () => Promise<Samples>): void => {
  describe(`${name} keeps samples`, () => {
    test('the newest one is read as it was written', async () => {
      const samples = await open();
      expect(await samples.newest()).toBeUndefined();
      await samples.write(sampleAt('2026-03-02T08:00:00.000Z'));
      await samples.write(sampleAt('2026-03-02T07:55:00.000Z'));
      expect(await samples.newest()).toEqual(sampleAt('2026-03-02T08:00:00.000Z'));
    });

    test('those of the last 24 hours are read newest first, without their mailboxes', async () => {
      const samples = await open();
      const times = ['2026-03-01T07:59:59.000Z', '2026-03-01T08:00:00.000Z', '2026-03-02T08:00:00.000Z'];
      for (const at of [...times, '2026-03-02T08:00:01.000Z']) await samples.write(sampleAt(at));
      const { mailboxes: _, ...newest } = sampleAt('2026-03-02T08:00:00.000Z');
      const read = await samples.lastDay(new Date('2026-03-02T08:00:00Z'));
      expect(read.map(({ at }) => at)).toEqual(['2026-03-02T08:00:00.000Z', '2026-03-01T08:00:00.000Z']);
      expect(read[0]).toEqual(newest);
    });

    test('those of before a time are deleted', async () => {
      const samples = await open();
      for (const at of ['2026-02-28T07:55:00.000Z', '2026-02-28T08:00:00.000Z', '2026-03-01T08:05:00.000Z'])
        await samples.write(sampleAt(at));
      await samples.expire(new Date('2026-02-28T08:00:00Z'));
      const left = [
        ...(await samples.lastDay(new Date('2026-03-01T08:05:00Z'))),
        ...(await samples.lastDay(new Date('2026-02-28T08:00:00Z'))),
      ];
      expect(left.map(({ at }) => at)).toEqual(['2026-03-01T08:05:00.000Z', '2026-02-28T08:00:00.000Z']);
    });
  });
};
