import { describe, expect, test } from 'vitest';
import { closeMail } from '../../../src/lib/desk/close-mail.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { replay } from '../../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const { mailId, rows } = aDelivery();

const closing = () => {
  const world = inMemoryPorts();
  world.ledger.create(rows.held);
  return { ...world, close: () => closeMail(world.needs, mailId, 'found in Sent Items') };
};

describe('an operator who closes an email that waits', () => {
  const waiting = (row: LedgerRow = rows.queued) => {
    const world = inMemoryPorts();
    world.ledger.create(row);
    return { ...world, close: () => closeMail(world.needs, mailId, 'a mistake') };
  };

  test.each([rows.queued, rows.deferred])(
    'has it ended, told and its content deleted: $fate.state',
    async (row) => {
      const { close, effects, announced } = waiting(row);
      expect(await close()).toMatchObject({
        state: 'closed',
        note: 'a mistake',
        reason: { code: 'CLOSED_WHILE_WAITING' },
      });
      expect(effects).toEqual([
        ...['ledger.replace closed', 'events.put', 'ledger.replace closed'],
        ...['payloads.delete', 'log MailClosed'],
      ]);
      expect(announced).toMatchObject([{ eventType: 'GraphMailRelay.Mail.Closed' }]);
    },
  );

  test('is refused where an attempt was faster, and nobody hears of an end', async () => {
    const { close, meanwhile, ledger, announced } = waiting();
    meanwhile('ledger.replace', () => ledger.replace(rows.sending, ledger.find(mailId)!.etag));
    await expect(close()).rejects.toMatchObject({ code: 'MAIL_NOT_HELD' });
    expect(announced).toEqual([]);
  });

  test.each([rows.sending, rows.unknown, rows.sent])(
    'is refused while it may be sent: $fate.state',
    async (row) => {
      await expect(waiting(row).close()).rejects.toMatchObject({ code: 'MAIL_NOT_HELD' });
    },
  );
});

describe('an operator who closes a held email', () => {
  test('has it told, recorded with the note and its reason, and its record deleted, in this order', async () => {
    const { close, effects, rows: all, logged } = closing();
    expect(await close()).toMatchObject({ id: mailId, state: 'closed', note: 'found in Sent Items' });
    expect(effects).toEqual(['events.put', 'ledger.replace closed', 'records.delete', 'log MailClosed']);
    expect(all()).toMatchObject([{ state: 'closed', reason: { code: 'MAILBOX_NOT_FOUND' } }]);
    expect(logged).toEqual([{ event: 'MailClosed', mailId }]);
  });

  test('a second time is told that it is no longer held', async () => {
    const { close } = closing();
    await close();
    await expect(close()).rejects.toMatchObject({ code: 'MAIL_NOT_HELD' });
  });

  test('after another has replayed it meanwhile is told that too, and its record is kept', async () => {
    const { close, meanwhile, ledger, effects } = closing();
    meanwhile('ledger.replace', () =>
      ledger.replace(replay(rows.held, 'hash', NOW), ledger.find(mailId)!.etag),
    );
    await expect(close()).rejects.toMatchObject({ code: 'MAIL_NOT_HELD' });
    expect(effects).not.toContain('records.delete');
  });

  test('has it still held where storage fails', async () => {
    const { close, fail, ledger } = closing();
    fail('ledger.replace');
    await expect(close()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(ledger.rows()).toEqual([rows.held]);
  });

  test('has it closed also where the event cannot be told, which the sweep then tells', async () => {
    const { close, fail, rows: all } = closing();
    fail('events.put');
    expect(await close()).toMatchObject({ state: 'closed' });
    expect(all()).toMatchObject([{ state: 'closed', untold: true }]);
  });
});
