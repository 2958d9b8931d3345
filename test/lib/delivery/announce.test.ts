import { describe, expect, test } from 'vitest';
import { announce } from '../../../src/lib/delivery/announce.ts';
import { close } from '../../../src/lib/ledger/transitions.ts';
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
    await expect(announce({}, sent)).resolves.toBeUndefined();
  });

  test('that is told twice has one id, so that a receiver can tell', async () => {
    const { needs, announced } = inMemoryPorts();
    await announce(needs, sent);
    await announce(needs, sent);
    expect(announced[0]?.id).toBe(announced[1]?.id);
  });
});
