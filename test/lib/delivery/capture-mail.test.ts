import { describe, expect, test } from 'vitest';
import { toMailAnswer } from '../../../src/functions/mail-answer.ts';
import { deliverArrival } from '../../../src/lib/delivery/deliver-arrival.ts';
import { dryRunMail } from '../../../src/lib/delivery/dry-run.ts';
import { type SendMailRequest, sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { closeMail } from '../../../src/lib/desk/close-mail.ts';
import { toStatus } from '../../../src/lib/desk/mail-status.ts';
import { replayMail } from '../../../src/lib/desk/replay-mail.ts';
import type { Arrival } from '../../../src/lib/ledger/arrived-message.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { eventOf } from '../../../src/lib/ledger/mail-event.ts';
import type { Envelope } from '../../../src/lib/ledger/queue-message.ts';
import { claim, recordDeferred, recordDraft } from '../../../src/lib/ledger/transitions.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aFile, aMail, base64Of } from '../../support/a-mail.ts';
import { inMemoryPorts, NOW, type World } from '../../support/in-memory-ports.ts';

const CAPTURE = { capture: true, otherRecipients: 'refuse' } as const;
const STRAY = '0199aaaa-bbbb-8ccc-8ddd-00000000000b';

const capturing = (world: World, more: object = {}) => ({
  ...world.needs,
  accept: { ...world.needs.accept, safety: CAPTURE, ...more },
});
const send = (world: World, request: Partial<SendMailRequest> = {}, more: object = {}) =>
  sendMail(capturing(world, more), {
    input: aMail(),
    caller: aCaller('key:test'),
    respondAsync: false,
    ...request,
  });

const { mailId, envelope, stored, rows } = aDelivery();
const arrivalOf = (message: Envelope): Arrival => ({
  envelope: message,
  isBare: false,
  isKnownByMessage: false,
  refusedId: mailId,
  strayId: STRAY,
});
const deliver = async (world: World, row: LedgerRow | undefined, message: Envelope = envelope) => {
  if (row !== undefined) world.ledger.create(row);
  await deliverArrival(capturing(world), arrivalOf(message));
};

/** Nobody was asked to send or find anything. */
const nothingWasAsked = ({ effects, plans }: World) => {
  expect(plans).toEqual([]);
  expect(effects.filter((one) => /^(mailboxes|drafts|upload)\./.test(one))).toEqual([]);
};

test('that an email is captured, or will be, is told in every answer, also before it is', async () => {
  const world = inMemoryPorts();
  const request = { input: aMail(), caller: aCaller('key:test') };
  const kept = await send(world);
  const queued = await send(world, { respondAsync: true });
  const later = await send(world, { input: aMail({ sendAt: '2026-03-02T12:00:00Z' }) });
  for (const answer of [kept, queued, later]) {
    expect(toMailAnswer(answer, 'https://relay.example').body).toMatchObject({ captured: true });
    expect(toStatus(answer.row)).toMatchObject({ captured: true });
  }
  expect(eventOf(kept.row)?.data).toMatchObject({ state: 'captured', captured: true });
  expect(await dryRunMail(capturing(world), request.caller, request)).toMatchObject({ captured: true });
  const usual = inMemoryPorts();
  const sent = await sendMail(usual.needs, { ...request, respondAsync: true });
  for (const told of [
    toMailAnswer(sent, 'https://relay.example').body,
    toStatus(sent.row),
    await dryRunMail(usual.needs, request.caller, request),
  ])
    expect(told).not.toHaveProperty('captured');
});

describe('an email of a caller who waits, where everything is captured,', () => {
  test('is kept, told and recorded, in this order, and nothing is asked of Graph', async () => {
    const world = inMemoryPorts();
    const { row, repeated } = await send(world);
    expect(world.effects).toEqual([
      'captured.store',
      'events.put',
      'ledger.create captured',
      'log MailCaptured',
    ]);
    expect([row.fate, row.progress.attempts, repeated]).toEqual([{ state: 'captured' }, [], false]);
    nothingWasAsked(world);
    expect(world.announced).toMatchObject([{ eventType: 'GraphMailRelay.Mail.Captured' }]);
  });

  test('is kept as Graph would have received it, with its caller and tags', async () => {
    const world = inMemoryPorts();
    const { row } = await send(world, { input: aMail({ bcc: 'b@contoso.example', tags: ['pay'] }) });
    const [{ record, summary } = {}] = world.captured();
    expect(record).toMatchObject({
      mailId: row.facts.mailId,
      caller: 'key:test',
      tags: ['pay'],
      dueFrom: NOW.toISOString(),
      capturedAt: NOW.toISOString(),
      mailbox: 'noreply@contoso.example',
      way: 'json',
      message: {
        contentType: 'application/json',
        body: {
          message: {
            subject: 'Pay slip',
            bccRecipients: [{ emailAddress: { address: 'b@contoso.example' } }],
          },
        },
      },
      files: [],
    });
    expect(summary).toMatchObject({ ID: row.facts.mailId, Subject: 'Pay slip', Tags: ['pay'] });
  });

  test('has the same answer for its key again, and is kept once', async () => {
    const world = inMemoryPorts();
    const first = await send(world, { idempotencyKey: 'order-1' });
    world.pass(60_000);
    const second = await send(world, { idempotencyKey: 'order-1' });
    expect([second.row, second.repeated]).toEqual([first.row, true]);
    expect(world.captured()).toHaveLength(1);
  });

  test('that comes twice at one time is kept once', async () => {
    const world = inMemoryPorts();
    const twin: { row?: LedgerRow } = {};
    world.meanwhile('captured.store', async () => {
      world.pass(1000);
      twin.row = (await send(world, { idempotencyKey: 'order-1' })).row;
    });
    const { row, repeated } = await send(world, { idempotencyKey: 'order-1' });
    expect([row, repeated]).toEqual([twin.row, true]);
    expect(world.captured().map(({ record }) => record.dueFrom)).toEqual([row.facts.acceptedAt]);
  });

  test('that was rejected before the setting was changed is kept when its key comes again', async () => {
    const world = inMemoryPorts({
      kind: 'answered',
      status: 403,
      upstreamCode: 'Authorization_RequestDenied',
    });
    const { accept } = world.needs;
    await expect(send(world, { idempotencyKey: 'k' }, { safety: accept.safety })).rejects.toThrow();
    const sent = world.plans.length;
    expect(world.rows()).toMatchObject([{ state: 'rejected' }]);
    expect((await send(world, { idempotencyKey: 'k' })).row.fate.state).toBe('captured');
    expect(world.rows()).toHaveLength(1);
    expect(world.plans).toHaveLength(sent);
  });

  test('that wants to wait, or whose time has not come, is queued first as elsewhere', async () => {
    const world = inMemoryPorts();
    expect((await send(world, { respondAsync: true })).row.fate.state).toBe('queued');
    const input = aMail({ sendAt: new Date(NOW.getTime() + 3_600_000).toISOString() });
    expect((await send(world, { input })).row.fate.state).toBe('queued');
    expect(world.captured()).toEqual([]);
  });

  test('is not accepted where it cannot be kept: the caller sends it again', async () => {
    const world = inMemoryPorts();
    world.fail('captured.store');
    await expect(send(world)).rejects.toMatchObject({ code: 'MAIL_NOT_STORED' });
    expect(world.rows()).toEqual([]);
  });

  test('is judged as one that is sent: an address that is none is refused', async () => {
    await expect(send(inMemoryPorts(), { input: aMail({ to: 'nobody' }) })).rejects.toMatchObject({
      code: 'ADDRESS_INVALID',
    });
  });
});

describe('what is kept of an email', () => {
  const drafts = { plan: { largeAttachments: true, delivery: 'standard' } };

  test('as MIME is the message in base64, and its list entry says what is in it', async () => {
    const world = inMemoryPorts();
    await send(world, { input: aMail({ subject: '薪資單', text: '您好', html: '<p>您好</p>' }) });
    const [{ record, summary } = {}] = world.captured();
    expect(record?.way).toBe('mime');
    const mime = Buffer.from(String(record?.message.body), 'base64').toString();
    expect(mime).toContain('MIME-Version: 1.0');
    expect(summary).toMatchObject({ Subject: '薪資單', Snippet: '您好' });
  });

  test('with large files has those up to 10 MB, and the names and sizes of the others', async () => {
    const world = inMemoryPorts();
    const file = (filename: string, bytes: number) => aFile({ filename, content: base64Of(bytes) });
    const attachments = [file('a.bin', 4_000_000), file('b.bin', 7_000_000), file('c.bin', 100)];
    await send(world, { input: aMail({ attachments }) }, drafts);
    const [{ record } = {}] = world.captured();
    expect(record?.way).toBe('draft');
    expect(record?.files.map(({ filename, bytes, content }) => [filename, bytes, content?.length])).toEqual([
      ['a.bin', 4_000_000, 5_333_336],
      ['b.bin', 7_000_000, undefined],
      ['c.bin', 100, 136],
    ]);
    nothingWasAsked(world);
  });

  test('names the blobs that it has files in, and does not read them', async () => {
    const world = inMemoryPorts();
    world.blobs.set('in/big.pdf', { content: Buffer.alloc(5_000_000), etag: '1' });
    const attachments = [{ filename: 'big.pdf', blob: 'in/big.pdf' }];
    await send(world, { input: aMail({ attachments }) }, drafts);
    const [{ record } = {}] = world.captured();
    expect(record?.files).toMatchObject([{ filename: 'big.pdf', bytes: 5_000_000, blob: 'in/big.pdf' }]);
    expect(record?.files[0]).not.toHaveProperty('content');
  });
});

describe('an email from the queue, where everything is captured,', () => {
  const captured = ['captured.store', 'events.put', 'ledger.replace captured', 'log MailCaptured'];

  test.each<[string, LedgerRow | undefined, Envelope, readonly string[]]>([
    ['a new one', undefined, envelope, [...captured.with(2, 'ledger.create captured')]],
    ['one that waited', rows.queued, envelope, captured],
    ['one that certainly was not sent', rows.deferred, { ...envelope, turn: 1 }, captured],
  ])('%s is kept', async (_case, row, message, effects) => {
    const world = inMemoryPorts();
    await deliver(world, row, message);
    expect(world.effects).toEqual(effects);
    nothingWasAsked(world);
  });

  test('its stored content is deleted afterwards', async () => {
    const world = inMemoryPorts();
    const json = JSON.stringify(aMail());
    await world.needs.payloads.put(mailId, envelope.contentHash, [Buffer.from(json)]);
    await deliver(world, rows.queued, stored);
    expect(world.row(mailId)?.state).toBe('captured');
    expect([...world.payloads]).toEqual([]);
  });

  test('in doubt is looked up first: found, it was sent; not found, it is kept', async () => {
    const lookUp = { ...envelope, turn: 1, phase: 'look-up', lookUps: 3 } as const;
    const found = inMemoryPorts();
    found.show({ kind: 'found' });
    await deliver(found, rows.unknown, lookUp);
    expect([found.row(mailId)?.state, found.captured()]).toEqual(['sent', []]);

    const absent = inMemoryPorts();
    absent.pass(16 * 60_000);
    await deliver(absent, rows.unknown, lookUp);
    expect(absent.effects[0]).toBe('mailboxes.find');
    expect([absent.row(mailId)?.state, absent.plans]).toEqual(['captured', []]);
  });

  const attempt = { at: NOW.toISOString(), outcome: 'not-sent', code: 'GRAPH_THROTTLED' } as const;
  const draft = { mailbox: 'noreply@contoso.example', id: 'd', isSubmitted: true };
  const deferred = { reason: { code: 'GRAPH_THROTTLED' }, until: NOW, isResend: false } as const;
  test.each<[string, LedgerRow]>([
    [
      'that is sent once more by choice',
      recordDeferred(rows.sending, { ...attempt, outcome: 'unknown' }, { ...deferred, isResend: true }, NOW),
    ],
    [
      'whose draft was submitted',
      recordDeferred(recordDraft(claim(rows.queued, NOW, 'draft'), draft, NOW), attempt, deferred, NOW),
    ],
  ])('%s is held, as nobody can say that it was not sent', async (_case, row) => {
    const world = inMemoryPorts();
    await deliver(world, row, { ...envelope, turn: row.progress.turn });
    expect(world.row(mailId)).toMatchObject({ state: 'held', why: 'doubt', hasContent: true });
    expect(world.captured()).toEqual([]);
  });

  test('delivered once more after its row was written is dropped', async () => {
    const world = inMemoryPorts();
    await deliver(world, rows.queued);
    await deliver(world, undefined);
    expect(world.captured()).toHaveLength(1);
    expect(world.logged.at(-1)).toMatchObject({ event: 'MailRepeated', state: 'captured' });
  });

  test('whose row could not be written is kept once more under the same name, and recorded', async () => {
    const world = inMemoryPorts();
    world.fail('ledger.replace');
    await expect(deliver(world, rows.queued)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    world.mend();
    world.pass(5000);
    await deliver(world, undefined);
    expect([world.row(mailId)?.state, world.captured().length]).toEqual(['captured', 1]);
  });

  test('that another invocation took meanwhile is left to it', async () => {
    const world = inMemoryPorts();
    world.meanwhile('captured.store', () => {
      const entry = world.ledger.find(mailId);
      if (entry !== undefined) world.ledger.replace(claim(rows.queued, NOW), entry.etag);
    });
    await deliver(world, rows.queued);
    expect(world.row(mailId)?.state).toBe('sending');
    // It will be sent, so the page must not say that it was captured.
    expect(world.captured()).toEqual([]);
    expect(world.logged).toContainEqual({ event: 'LedgerBehind', mailId, state: 'captured' });
  });
});

test('an operator hears that a captured email can neither be replayed nor closed', async () => {
  const world = inMemoryPorts();
  await deliver(world, rows.queued);
  const detail = 'The email is in the state captured.';
  await expect(replayMail(world.needs, mailId)).rejects.toMatchObject({
    code: 'MAIL_NOT_HELD',
    facts: { detail },
  });
  await expect(closeMail(world.needs, mailId, 'why')).rejects.toMatchObject({
    code: 'MAIL_NOT_HELD',
    facts: { detail },
  });
});
