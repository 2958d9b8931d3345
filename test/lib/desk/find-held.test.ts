import { describe, expect, test } from 'vitest';
import { findHeld, stateDetail } from '../../../src/lib/desk/find-held.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const { mailId, rows } = aDelivery();
const { held, ...others } = rows;

describe('an email that an operator moves', () => {
  test('is found with the version at which it was read', async () => {
    const { needs, ledger } = inMemoryPorts();
    const entry = ledger.create(held);
    expect(await findHeld(needs, mailId.toUpperCase())).toEqual(entry);
  });

  test.each(Object.values(others))(
    'must be held; one that is $fate.state is said to be that',
    async (row) => {
      const { needs, ledger } = inMemoryPorts();
      ledger.create(row);
      await expect(findHeld(needs, mailId)).rejects.toMatchObject({
        code: 'MAIL_NOT_HELD',
        facts: { detail: stateDetail(row) },
      });
      expect(stateDetail(row)).toContain(row.fate.state);
    },
  );

  test.each([mailId, 'x', ''])('must be in the ledger: %j', async (id) => {
    await expect(findHeld(inMemoryPorts().needs, id)).rejects.toMatchObject({ code: 'MAIL_NOT_FOUND' });
  });
});
