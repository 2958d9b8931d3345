import { describe, expect, test } from 'vitest';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { cancelMail } from '../../../src/lib/desk/cancel-mail.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { toQueueText } from '../../../src/lib/ledger/queue-message.ts';
import {
  cancel,
  claim,
  close,
  queueNew,
  recordDeferred,
  recordSent,
} from '../../../src/lib/ledger/transitions.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const { mailId, rows, facts, envelope } = aDelivery();
const unknown = { at: NOW.toISOString(), outcome: 'unknown', code: 'OUTCOME_UNKNOWN' } as const;
const resent = recordDeferred(
  rows.sending,
  unknown,
  { reason: { code: 'OUTCOME_UNKNOWN' }, until: NOW, isResend: true },
  NOW,
);

const canceling = (row: LedgerRow = rows.queued) => {
  const world = inMemoryPorts();
  world.ledger.create(row);
  const deliver = () =>
    deliverMail(
      { ...world.needs, sending: world.needs },
      { text: toQueueText(envelope, IDENTITY), insertedAt: NOW, caller: 'queue', redelivered: false },
    );
  return {
    ...world,
    deliver,
    cancel: (caller = 'queue') => cancelMail(world.needs, mailId, aCaller(caller)),
  };
};

describe('a caller who cancels an email that waits', () => {
  test.each([rows.queued, rows.deferred])('has it canceled and told: $fate.state', async (row) => {
    const { cancel: canceled, effects, row: read, announced, logged } = canceling(row);
    expect(await canceled()).toMatchObject({
      id: mailId,
      state: 'canceled',
      timeline: expect.arrayContaining([{ at: NOW.toISOString(), event: 'canceled' }]),
    });
    // Told after it is written: an attempt may be faster, and the email is sent.
    expect(effects).toEqual([
      ...['ledger.replace canceled', 'events.put', 'ledger.replace canceled'],
      ...['payloads.delete', 'log MailCanceled'],
    ]);
    expect(read(mailId)).toMatchObject({ state: 'canceled' });
    expect(announced).toMatchObject([{ eventType: 'GraphMailRelay.Mail.Canceled' }]);
    expect(logged).toEqual([{ event: 'MailCanceled', mailId }]);
  });

  test('gets the same answer each time, and the event again, which has the same id', async () => {
    const { cancel: canceled, effects, announced } = canceling();
    const first = await canceled();
    const done = effects.length;
    expect(await canceled()).toEqual(first);
    expect(effects.slice(done)).toEqual(['events.put']);
    expect(announced[1]).toEqual(announced[0]);
  });

  test('lets the mailbox know, as starts that are kept for canceled emails are used by nobody', async () => {
    const { needs } = canceling();
    const told: string[] = [];
    const pacer = { canceled: (mailbox: string) => told.push(mailbox) };
    await cancelMail({ ...needs, pacer }, mailId, aCaller('queue'));
    await cancelMail({ ...needs, pacer }, mailId, aCaller('queue'));
    expect(told).toEqual([facts.sender.toLowerCase()]);
  });

  test('is told of nothing canceled where an attempt was faster', async () => {
    const { cancel: canceled, ledger, meanwhile, announced } = canceling();
    meanwhile('ledger.replace', () => ledger.replace(claim(rows.queued, NOW), ledger.find(mailId)!.etag));
    await expect(canceled()).rejects.toMatchObject({ code: 'MAIL_UNDER_WAY' });
    expect(announced).toEqual([]);
  });

  test('has its stored content deleted, also where that needs the message to be dropped', async () => {
    const { cancel: canceled, deliver, fail, mend, payloads, plans, needs } = canceling();
    await needs.payloads.put(mailId, facts.bodyHash, [Buffer.from(JSON.stringify(aMail()))]);
    fail('payloads.delete');
    expect(await canceled()).toMatchObject({ state: 'canceled' });
    mend();
    await deliver();
    expect(plans).toEqual([]);
    await deliverMail(
      { ...needs, sending: needs },
      {
        text: toQueueText({ ...envelope, content: 'stored' }, IDENTITY),
        insertedAt: NOW,
        caller: 'queue',
        redelivered: false,
      },
    );
    expect([plans, [...payloads]]).toEqual([[], []]);
  });

  test.each<[LedgerRow, string, RegExp]>([
    [rows.sending, 'MAIL_UNDER_WAY', /Repeat this request/],
    [rows.unknown, 'MAIL_NOT_WAITING', /state unknown/],
    [rows.sent, 'MAIL_NOT_WAITING', /state sent/],
    [rows.rejected, 'MAIL_NOT_WAITING', /state rejected/],
    [rows.held, 'MAIL_NOT_WAITING', /state held/],
    [close(rows.held, 'note', NOW), 'MAIL_NOT_WAITING', /state closed/],
    [resent, 'MAIL_NOT_WAITING', /may have sent/],
  ])('is told that it is too late, and nothing changes: $fate.state', async (row, code, detail) => {
    const { cancel: canceled, effects } = canceling(row);
    await expect(canceled()).rejects.toMatchObject({
      code,
      facts: { mailId, detail: expect.stringMatching(detail) },
    });
    expect(effects).toEqual([]);
  });

  test('is told that it is not found where it is of another caller', async () => {
    const { cancel: canceled, effects } = canceling();
    await expect(canceled('key:other')).rejects.toMatchObject({ code: 'MAIL_NOT_FOUND', facts: {} });
    expect(effects).toEqual([]);
  });

  test('is told that storage failed, and cancels by repeating', async () => {
    const { cancel: canceled, fail, mend, row, announced } = canceling();
    fail('ledger.replace');
    await expect(canceled()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(row(mailId)).toMatchObject({ state: 'queued' });
    mend();
    expect(await canceled()).toMatchObject({ state: 'canceled' });
    expect(announced).toMatchObject([{ eventType: 'GraphMailRelay.Mail.Canceled' }]);
  });

  test('has it canceled where the event cannot be told; by repeating, or by the sweep, it is', async () => {
    const { cancel: canceled, fail, mend, row, announced } = canceling();
    fail('events.put');
    expect(await canceled()).toMatchObject({ state: 'canceled' });
    expect(row(mailId)).toMatchObject({ state: 'canceled', untold: true });
    mend();
    await canceled();
    expect(row(mailId)).not.toHaveProperty('untold');
    expect(announced).toMatchObject([{ eventType: 'GraphMailRelay.Mail.Canceled' }]);
  });
});

describe('of a delivery and a cancellation of one email only one succeeds', () => {
  test('the delivery, where it claims the row first', async () => {
    const { cancel: canceled, meanwhile, ledger } = canceling();
    meanwhile('ledger.replace', () => ledger.replace(claim(rows.queued, NOW), ledger.find(mailId)!.etag));
    await expect(canceled()).rejects.toMatchObject({ code: 'MAIL_UNDER_WAY' });
  });

  test('the delivery, where it was sent meanwhile', async () => {
    const { cancel: canceled, meanwhile, ledger } = canceling();
    const sent = recordSent(rows.sending, { at: NOW.toISOString(), outcome: 'accepted' }, NOW);
    meanwhile('ledger.replace', () => ledger.replace(sent, ledger.find(mailId)!.etag));
    await expect(canceled()).rejects.toMatchObject({ code: 'MAIL_NOT_WAITING' });
  });

  test('the cancellation, where it is first: the delivery sends nothing and drops the message', async () => {
    const { deliver, meanwhile, ledger, plans, messages, row } = canceling(queueNew(facts, NOW));
    meanwhile('ledger.replace', () => ledger.replace(cancel(rows.queued, NOW), ledger.find(mailId)!.etag));
    await deliver();
    expect([plans, messages]).toEqual([[], []]);
    expect(row(mailId)).toMatchObject({ state: 'canceled' });
  });
});
