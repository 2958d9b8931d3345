import { expect, test } from 'vitest';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { eventOf } from '../../../src/lib/ledger/mail-event.ts';
import { close, recordSent } from '../../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { NOW } from '../../support/in-memory-ports.ts';

const { mailId, rows } = aDelivery();

test('the event of a sent email has the shape of Event Grid, and names no sender, recipient or content', () => {
  const attempt = { at: NOW.toISOString(), outcome: 'accepted', graphRequestId: 'r-1' } as const;
  expect(eventOf(recordSent(rows.sending, attempt, NOW))).toEqual({
    id: `${mailId}/0/sent`,
    eventType: 'GraphMailRelay.Mail.Sent',
    subject: `mail/${mailId}`,
    eventTime: NOW.toISOString(),
    dataVersion: '1',
    data: { mailId, state: 'sent', caller: 'queue', tags: [], graphRequestId: 'r-1' },
  });
});

test.each<[LedgerRow, string]>([
  [rows.rejected, 'Rejected'],
  [rows.held, 'Held'],
  [close(rows.held, 'n', NOW), 'Closed'],
])('an email that is $fate.state tells why, by the code', (row, type) => {
  expect(eventOf(row)).toMatchObject({
    eventType: `GraphMailRelay.Mail.${type}`,
    data: { state: row.fate.state, code: 'MAILBOX_NOT_FOUND' },
  });
});

test.each([rows.queued, rows.sending, rows.deferred, rows.unknown])(
  'an email that is $fate.state has none yet',
  (row) => {
    expect(eventOf(row)).toBeUndefined();
  },
);

test('held, replayed and held again is two events, each with one id however often it is told', () => {
  const again = { ...rows.held, progress: { ...rows.held.progress, turn: 2 } };
  expect(eventOf(again)?.id).not.toBe(eventOf(rows.held)?.id);
  expect(eventOf(rows.held)?.id).toBe(eventOf(rows.held)?.id);
});
