import { describe, expect, test } from 'vitest';
import { showMail } from '../../../src/lib/desk/show-mail.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const { mailId, rows } = aDelivery();
const HELD_AT = '2026-03-02T08:00:00.000Z';

const aHeldMail = (original: unknown) => {
  const { needs, ledger, records, logged } = inMemoryPorts();
  ledger.create(rows.held);
  const reason = { code: 'GIVEN_UP', title: '', remedy: '' } as const;
  if (original !== undefined)
    records.set(rows.held.fate.record, { mailId, heldAt: HELD_AT, reason, original });
  return { needs, logged };
};

describe('any mail, for those who may see all', () => {
  test('is shown with its record where it is held, and without one otherwise', async () => {
    for (const row of Object.values(rows)) {
      const { needs, ledger } = inMemoryPorts();
      ledger.create(row);
      const shown = await showMail(needs, mailId);
      expect(shown.state).toBe(row.fate.state);
      expect(shown.record).toBe(row === rows.held ? mailId : undefined);
    }
  });

  test('that is not there is not found', async () => {
    await expect(showMail(inMemoryPorts().needs, mailId)).rejects.toMatchObject({ code: 'MAIL_NOT_FOUND' });
  });
});

describe('subject and recipients of a held mail', () => {
  const original = aMail({
    subject: 'Your payslip',
    to: ['ann@fabrikam.example'],
    cc: ['bob@fabrikam.example'],
  });

  test('are shown only if they are asked for, and the log says that they were read and not what they are', async () => {
    const { needs, logged } = aHeldMail(original);
    expect(await showMail(needs, mailId)).not.toHaveProperty('content');
    expect(logged).toEqual([]);
    expect((await showMail(needs, mailId, true)).content).toEqual({
      subject: 'Your payslip',
      to: ['ann@fabrikam.example'],
      cc: ['bob@fabrikam.example'],
      bcc: [],
    });
    expect(logged).toEqual([{ event: 'MailContentShown', mailId }]);
  });

  test('are left out where only the application had the email', async () => {
    const { needs, logged } = aHeldMail(undefined);
    expect(await showMail(needs, mailId, true)).toMatchObject({ state: 'held' });
    expect(await showMail(needs, mailId, true)).not.toHaveProperty('content');
    expect(logged).toEqual([]);
  });
});
