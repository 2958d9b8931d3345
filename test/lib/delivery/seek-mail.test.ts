import { describe, expect, test } from 'vitest';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { sweepLost, sweepOverdue } from '../../../src/lib/delivery/sweep-open.ts';
import { cancelMail } from '../../../src/lib/desk/cancel-mail.ts';
import { closeMail } from '../../../src/lib/desk/close-mail.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { newMailId } from '../../../src/lib/ledger/mail-id.ts';
import { type Envelope, toQueueText } from '../../../src/lib/ledger/queue-message.ts';
import { claimNew, queueNew, recordRejected, replay } from '../../../src/lib/ledger/transitions.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';
import { aRun, DAY_MS } from './sweep-for-tests.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const RESTORED = new Date(NOW.getTime() + HOUR_MS);
const gap = { until: RESTORED, repeatsUntil: new Date(RESTORED.getTime() + 90 * DAY_MS) };

/** A relay that has just started again with a restored ledger, in which there is perhaps a row. */
const restored = (row?: LedgerRow, afterMs = HOUR_MS) => {
  const world = inMemoryPorts();
  if (row !== undefined) world.ledger.create(row);
  world.pass(afterMs);
  const needs = { ...world.needs, readIdentity: async () => ({ ...IDENTITY, gap }) };
  const deliver = async (envelope: Envelope) => {
    const message = { text: toQueueText(envelope, IDENTITY), insertedAt: NOW, caller: 'queue' };
    await deliverMail({ ...needs, sending: needs }, { ...message, redelivered: false });
  };
  /** Delivers what is put on the queue, when its time comes, until nothing is left. */
  const settle = async () => {
    for (let message = world.messages.shift(); message !== undefined; message = world.messages.shift()) {
      world.pass(message.delayMs);
      const facts = { text: message.text, insertedAt: NOW, caller: 'queue', redelivered: false };
      await deliverMail({ ...needs, sending: needs }, facts);
    }
  };
  return { ...world, needs, deliver, settle };
};

const { mailId, envelope, stored, rows } = aDelivery();

describe('a message of before the ledger was restored', () => {
  test.each<[string, LedgerRow | undefined, Partial<Envelope>]>([
    ['without a row', undefined, {}],
    ['without a row, written after an attempt', undefined, { turn: 2 }],
    ['without a row, to look for its email', undefined, { turn: 1, phase: 'look-up' }],
    ['of a row that waits', rows.queued, {}],
    ['of a row that waits, written after an attempt', rows.queued, { turn: 1, phase: 'look-up' }],
    ['of a row that waited', rows.deferred, { turn: 1 }],
    [
      'of a row that is unknown, looked for to the last',
      rows.unknown,
      { turn: 1, phase: 'look-up', lookUps: 3 },
    ],
    ['of an attempt that ended, as it says', rows.sending, { turn: 1 }],
    ['of an attempt that was lost', rows.sending, {}],
    ['of a replay', rows.held, { turn: 1 }],
  ])('%s: the email is found and not sent', async (_case, row, message) => {
    const { deliver, settle, show, plans, row: read } = restored(row);
    show({ kind: 'found' });
    await deliver({ ...envelope, ...message });
    expect(plans).toHaveLength(0);
    await settle();
    expect(plans).toHaveLength(0);
    expect(read(mailId)).toMatchObject({ state: 'sent', verified: true });
  });

  test('is looked for four times before it is sent, as its copy can be late', async () => {
    const { deliver, settle, looked, plans, row } = restored(rows.queued);
    await deliver(envelope);
    expect(row(mailId)).toMatchObject({ state: 'unknown', turn: 1, soughtAt: RESTORED.toISOString() });
    await settle();
    expect([looked.length, plans.length]).toEqual([4, 1]);
    expect(row(mailId)).toMatchObject({ state: 'sent', verified: false });
  });

  test('is looked for once, where every copy has had its time', async () => {
    const { deliver, settle, looked, plans } = restored(rows.queued, 2 * HOUR_MS);
    await deliver(envelope);
    await settle();
    expect([looked.length, plans.length]).toEqual([1, 1]);
  });

  test('is not given up for the time that the relay was away', async () => {
    const { deliver, settle, plans } = restored(rows.queued, 3 * DAY_MS);
    await deliver(envelope);
    await settle();
    expect(plans).toHaveLength(1);
  });

  test('is looked for once more after the next restore, and not before', async () => {
    const { deliver, settle, looked, messages } = restored(rows.queued, 2 * HOUR_MS);
    await deliver(envelope);
    await deliver({ ...envelope, turn: 1, phase: 'look-up', lookUps: 3 });
    expect(looked).toHaveLength(1);
    expect(messages.length).toBeGreaterThan(0);
    await settle();
    expect(looked).toHaveLength(1);
  });

  test.each<[string, Record<string, unknown>]>([
    ['that leaves no copy', { saveToSentItems: false }],
    [
      'whose outcome is always to be held, where it is not found',
      { saveToSentItems: false, onUnknown: 'hold' },
    ],
  ])('%s is held with the reason, and its content', async (_case, override) => {
    const delivery = aDelivery(aMail(override));
    const { deliver, settle, plans, row, records } = restored(delivery.rows.queued);
    await deliver(delivery.envelope);
    await settle();
    expect(plans).toHaveLength(0);
    expect(row(mailId)).toMatchObject({
      state: 'held',
      why: 'doubt',
      reason: {
        code: 'OUTCOME_UNKNOWN',
        detail: expect.stringMatching(/restored from a backup.*may have been canceled or closed/),
      },
    });
    expect(records.get(mailId)?.original).toEqual(delivery.content);
  });

  test('that goes as MIME is held where it is not found: Exchange can have removed what it is found by', async () => {
    const mail = aMail({ headers: { 'Reply-By': 'tomorrow' } });
    const delivery = aDelivery(mail);
    const { deliver, settle, plans, row, marks } = restored(delivery.rows.queued);
    await deliver(delivery.envelope);
    await settle();
    expect(marks[0]).toMatchObject({ by: 'header' });
    expect([plans.length, row(mailId)?.state]).toEqual([0, 'held']);
  });

  test('whose content is gone, as it is after an email was sent, is looked for all the same', async () => {
    const { deliver, settle, show, row, records } = restored(rows.queued);
    show({ kind: 'found' });
    await deliver(stored);
    await settle();
    expect([row(mailId)?.state, records.size]).toEqual(['sent', 0]);
  });

  test('whose content is gone is held in doubt where it is not found', async () => {
    const { deliver, settle, row } = restored(rows.queued);
    await deliver(stored);
    await settle();
    expect(row(mailId)).toMatchObject({ state: 'held', why: 'doubt' });
  });

  test('of an email that ended before the backup changes nothing', async () => {
    const { deliver, messages, looked, plans } = restored(rows.sent);
    await deliver(envelope);
    expect([messages.length, looked.length, plans.length]).toEqual([0, 0, 0]);
  });
});

describe('a request after the ledger was restored', () => {
  const post = (world: ReturnType<typeof restored>, idempotencyKey?: string) =>
    sendMail(world.needs, {
      input: aMail(),
      caller: aCaller('key:test'),
      respondAsync: false,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    });

  test('with a key that the ledger does not know is queued and looked for: it can be repeated', async () => {
    const world = restored();
    world.show({ kind: 'found' });
    const { row } = await post(world, 'payslip-1042');
    expect([row.fate.state, world.plans.length]).toEqual(['queued', 0]);
    await world.settle();
    expect(world.plans).toHaveLength(0);
    expect(world.row(row.facts.mailId)).toMatchObject({ state: 'sent', verified: true });
  });

  test('with a key that nobody used is sent once it was not found', async () => {
    const world = restored();
    const { row } = await post(world, 'payslip-1042');
    await world.settle();
    expect([world.plans.length, world.row(row.facts.mailId)?.state]).toEqual([1, 'sent']);
    const again = await post(world, 'payslip-1042');
    expect([again.repeated, world.plans.length]).toEqual([true, 1]);
  });

  test('that was rejected before the backup can have been accepted since: it is queued and looked for', async () => {
    const { facts } = aDelivery(aMail(), 'key:test');
    const known = { ...facts, mailId: IDENTITY.mailIdOfKey('key:test', 'payslip-1042') };
    const attempt = { at: NOW.toISOString(), outcome: 'rejected', code: 'MAILBOX_NOT_FOUND' } as const;
    const rejected = recordRejected(claimNew(known, false, NOW), attempt, { code: 'MAILBOX_NOT_FOUND' }, NOW);
    const world = restored(rejected);
    world.show({ kind: 'found' });
    expect((await post(world, 'payslip-1042')).row.fate.state).toBe('queued');
    await world.settle();
    expect(world.plans).toHaveLength(0);
    expect(world.row(known.mailId)).toMatchObject({ state: 'sent', verified: true });
  });

  test('without a key is sent immediately: no request before it can have been the same email', async () => {
    const world = restored();
    expect((await post(world)).row.fate.state).toBe('sent');
    expect(world.looked).toHaveLength(0);
  });

  test('with a key is sent immediately when nobody repeats any more', async () => {
    const world = restored(undefined, HOUR_MS + 91 * DAY_MS);
    expect((await post(world, 'payslip-1042')).row.fate.state).toBe('sent');
  });
});

describe('what nothing continues', () => {
  const newest = (world: ReturnType<typeof restored>) => world.rows()[0];
  const HOUR_OF_MAIL = Number.parseInt(mailId.slice(-2), 16) % 24;

  test('is found by the sweep where it was sent, and is not taken for lost', async () => {
    const world = restored(rows.queued, 2 * DAY_MS);
    world.show({ kind: 'found' });
    const run = aRun(() => false, HOUR_OF_MAIL);
    await sweepOverdue(world.needs, run);
    expect(newest(world)).toMatchObject({ state: 'sent', verified: true });
    expect(run.counts.lost).toBe(1);
  });

  test('is looked for once a day', async () => {
    const world = restored(rows.queued, 2 * DAY_MS);
    for (let hour = 0; hour < 24; hour += 1)
      await sweepOverdue(
        world.needs,
        aRun(() => false, hour),
      );
    expect(world.looked).toHaveLength(1);
  });

  test('is held in doubt in the end, so that nobody sends it again without looking', async () => {
    const world = restored(rows.queued, 9 * DAY_MS);
    await sweepOverdue(world.needs, aRun());
    expect(newest(world)).toMatchObject({ state: 'held', why: 'doubt', reason: { code: 'OUTCOME_UNKNOWN' } });
  });

  test('as an attempt of a draft that had not been sent can have been sent since: its draft stays', async () => {
    const draft = { mailbox: 'noreply@contoso.example', id: 'd', isSubmitted: false };
    const begun = claimNew(queueNew(aDelivery().facts, NOW).facts, false, NOW, 'draft');
    const world = restored({ ...begun, progress: { ...begun.progress, draft } }, 2 * HOUR_MS);
    await sweepLost(world.needs, aRun());
    expect(newest(world)).toMatchObject({ state: 'held', why: 'doubt' });
    expect(world.effects.filter((effect) => effect.startsWith('drafts.remove'))).toEqual([]);
  });
});

test('an operator who replays what was held before the backup sends nothing twice', async () => {
  const replayed = replay(rows.held, rows.held.facts.bodyHash, RESTORED);
  const { deliver, settle, show, plans, row } = restored(replayed);
  show({ kind: 'found' });
  await deliver({ ...envelope, turn: replayed.progress.turn });
  await settle();
  expect([plans.length, row(mailId)?.state]).toEqual([0, 'sent']);
});

test('an email that may have been sent cannot be canceled, and one whose time has not come can', async () => {
  const caller = aCaller('queue');
  const due = restored(rows.queued);
  await expect(cancelMail(due.needs, mailId, caller)).rejects.toMatchObject({ code: 'MAIL_NOT_WAITING' });
  const sendAt = new Date(NOW.getTime() + 5 * DAY_MS).toISOString();
  const later = restored({ ...rows.queued, facts: { ...rows.queued.facts, sendAt } });
  expect(await cancelMail(later.needs, mailId, caller)).toMatchObject({ state: 'canceled' });
});

describe('an operator who closes an email whose row the restored ledger has lost', () => {
  const NOTE = 'canceled before the restore';
  const MADE = NOW.toISOString();
  const lost = newMailId(NOW);

  test('has a row of it: what is known, the note, and that it may have been sent', async () => {
    const { needs, row, effects, announced, logged } = restored();
    expect(await closeMail(needs, lost.toUpperCase(), NOTE)).toMatchObject({
      ...{ id: lost, state: 'closed', note: NOTE, sender: '', recipients: 0, acceptedAt: MADE },
      reason: {
        code: 'CLOSED_WHILE_WAITING',
        detail: expect.stringContaining('restored from a backup'),
        remedy: expect.stringContaining('Look in the Sent Items'),
      },
    });
    expect(row(lost)).toMatchObject({ state: 'closed', acceptedAt: MADE });
    expect(effects).toEqual([
      'ledger.create closed',
      'events.put',
      'ledger.replace closed',
      'log MailClosed',
    ]);
    expect(announced).toMatchObject([{ eventType: 'GraphMailRelay.Mail.Closed' }]);
    expect(logged).toEqual([{ event: 'MailClosed', mailId: lost }]);
  });

  test.each<[string, Partial<Envelope>]>([
    ['its first one', {}],
    ['one after an attempt', { turn: 2 }],
    ['one that looks for it', { turn: 1, phase: 'look-up' }],
    ['one of another caller than the queue', { caller: 'payroll' }],
  ])('has its message dropped when it comes, and nothing sent or held: %s', async (_case, message) => {
    const { needs, deliver, settle, plans, rows: all, looked } = restored();
    await closeMail(needs, lost, NOTE);
    await deliver({ ...envelope, mailId: lost, ...message });
    await settle();
    expect([plans.length, looked.length]).toEqual([0, 0]);
    expect(all()).toMatchObject([{ mailId: lost, state: 'closed' }]);
  });

  test('has a message of an application dropped, which has the same key', async () => {
    const mail = { ...aMail(), idempotencyKey: 'invoice-7' };
    const id = IDENTITY.mailIdOfKey('queue', 'invoice-7');
    const { needs, plans, rows: all } = restored();
    expect(await closeMail(needs, id, NOTE)).toMatchObject({ acceptedAt: RESTORED.toISOString() });
    const message = { text: JSON.stringify(mail), messageId: 'a message', insertedAt: NOW, caller: 'queue' };
    await deliverMail({ ...needs, sending: needs }, { ...message, redelivered: false });
    expect(plans).toHaveLength(0);
    expect(all()).toMatchObject([{ mailId: id, state: 'closed' }]);
  });

  test('has its application told so, when it repeats its request', async () => {
    const { needs, plans } = restored();
    const caller = aCaller('payroll');
    await closeMail(needs, IDENTITY.mailIdOfKey('payroll', 'slip-1'), NOTE);
    const request = { input: aMail(), idempotencyKey: 'slip-1', caller, respondAsync: false } as const;
    expect(await sendMail(needs, request)).toMatchObject({
      repeated: true,
      row: { fate: { state: 'closed' } },
    });
    expect(plans).toHaveLength(0);
  });

  test('is refused where its message was faster', async () => {
    const { needs, meanwhile, ledger } = restored();
    const sending = claimNew({ ...rows.sending.facts, mailId: lost }, true, NOW);
    meanwhile('ledger.create', () => ledger.create(sending));
    await expect(closeMail(needs, lost, NOTE)).rejects.toMatchObject({ code: 'MAIL_NOT_HELD' });
  });

  test.each([
    ['of an email that was received since the restore', newMailId(new Date(RESTORED.getTime() + 1000))],
    ['that the relay does not make', '6fa459ea-ee8a-4ca4-894e-db77e160355e'],
    ['that is none', 'invoice-7'],
  ])('is told that there is none for an id %s', async (_case, id) => {
    const { needs, rows: all } = restored();
    await expect(closeMail(needs, id, NOTE)).rejects.toMatchObject({ code: 'MAIL_NOT_FOUND' });
    expect(all()).toEqual([]);
  });

  test('is told that there is none, where the ledger was never restored', async () => {
    const { needs } = inMemoryPorts();
    await expect(closeMail(needs, lost, NOTE)).rejects.toMatchObject({ code: 'MAIL_NOT_FOUND' });
  });
});
