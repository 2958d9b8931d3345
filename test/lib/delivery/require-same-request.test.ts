import { describe, expect, test } from 'vitest';
import { requireSameRequest } from '../../../src/lib/delivery/require-same-request.ts';
import { sendBatch } from '../../../src/lib/delivery/send-batch.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const CALLER = aCaller('payroll');
const KEYS = ['k', 'k-1', 'k-2'];
const accept = async (whole: string) => {
  const world = inMemoryPorts();
  const inputs = [{ ...aMail(), idempotencyKey: 'k-1' }];
  await sendBatch(world.needs, { inputs, caller: CALLER, respondAsync: true, whole });
  return world;
};

describe('a key for emails that are accepted one by one', () => {
  test('can be repeated with the same request', async () => {
    const { needs } = await accept('one');
    await expect(requireSameRequest(needs, CALLER, 'one', KEYS)).resolves.toBeUndefined();
  });

  test('is of no other request, whichever of its emails was accepted', async () => {
    const { needs } = await accept('one');
    await expect(requireSameRequest(needs, CALLER, 'other', KEYS)).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  test('says nothing of a request of another caller', async () => {
    const { needs } = await accept('one');
    await expect(requireSameRequest(needs, aCaller('crm'), 'other', KEYS)).resolves.toBeUndefined();
  });

  test('lets nothing be accepted where storage does not say what has it', async () => {
    const world = await accept('one');
    world.fail('ledger.find');
    await expect(requireSameRequest(world.needs, CALLER, 'one', KEYS)).rejects.toMatchObject({
      code: 'MAIL_NOT_STORED',
    });
  });
});
