import { describe, expect, test } from 'vitest';
import { announce } from '../../../src/lib/delivery/announce.ts';
import { close, recordUntold } from '../../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const { rows } = aDelivery();
const { sent, rejected, held, queued, sending, deferred, unknown } = rows;

describe('an event', () => {
  test.each([sent, rejected, held, close(held, 'found', NOW)])(
    'tells of an email that is $fate.state',
    async (row) => {
      const { needs, announced } = inMemoryPorts();
      await announce(needs, row);
      expect(announced).toMatchObject([{ data: { mailId: row.facts.mailId, state: row.fate.state } }]);
    },
  );

  test.each([queued, sending, deferred, unknown])(
    'does not tell of one that is $fate.state, as it has not ended',
    async (row) => {
      const { needs, announced } = inMemoryPorts();
      await announce(needs, row);
      expect(announced).toEqual([]);
    },
  );

  test('is not missed where none are wanted', async () => {
    await expect(announce({ log: () => undefined }, sent)).resolves.toEqual(sent);
  });

  test('that is told twice has one id, so that a receiver can tell', async () => {
    const { needs, announced } = inMemoryPorts();
    await announce(needs, sent);
    await announce(needs, sent);
    expect(announced[0]?.id).toBe(announced[1]?.id);
  });

  test('that cannot be told does not keep the outcome from being written, and is said in the log', async () => {
    const { needs, fail, logged } = inMemoryPorts();
    fail('events.put');
    expect(await announce(needs, sent)).toEqual(recordUntold(sent));
    expect(logged).toEqual([
      {
        event: 'EventUntold',
        mailId: sent.facts.mailId,
        type: 'GraphMailRelay.Mail.Sent',
        eventId: expect.stringContaining(sent.facts.mailId),
        name: 'STORAGE_UNAVAILABLE',
      },
    ]);
  });
});
