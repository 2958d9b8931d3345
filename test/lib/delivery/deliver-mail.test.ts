import { describe, expect, test } from 'vitest';
import { type DeliveryFacts, deliverMail, holdUnreadable } from '../../../src/lib/delivery/deliver-mail.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { toQueueText } from '../../../src/lib/ledger/queue-message.ts';
import { writeJson } from '../../../src/lib/mail/json-bytes.ts';
import { WINDOW_MS } from '../../../src/lib/sending/mailbox-lane.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { aPacer } from '../../support/a-pacer.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW, type World } from '../../support/in-memory-ports.ts';

const MESSAGE_ID = '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61';
const MAIL_ID = IDENTITY.mailIdOfMessage(MESSAGE_ID);

const factsOf = (message: string | object, more: Partial<DeliveryFacts> = {}): DeliveryFacts => ({
  text: typeof message === 'string' ? message : JSON.stringify(message),
  messageId: MESSAGE_ID,
  insertedAt: new Date(NOW.getTime() - 60_000),
  caller: 'queue',
  redelivered: false,
  ...more,
});

const deliver = async (
  message: string | object | undefined,
  world: World = inMemoryPorts(),
  more: Partial<DeliveryFacts> = {},
) => {
  if (message === undefined) throw new Error('expected a message on the queue, but there is none');
  await deliverMail({ ...world.needs, sending: world.needs }, factsOf(message, more));
  return world;
};

/** Delivers while nothing may be sent. */
const deliverBlocked = (message: string | object, world: World, more: Partial<DeliveryFacts> = {}) =>
  deliverMail({ ...world.needs, sending: { blocked: 'MAIL_DISABLED' } }, factsOf(message, more));

const eventsOf = ({ logged }: World) => logged.map(({ event }) => event);

describe('a message on the queue', () => {
  test('a mail for which its mailbox has no time to give waits without one, and is sent when it has', async () => {
    const usual = inMemoryPorts();
    const pacer = aPacer({ clock: usual.needs.clock, perMinute: 1, bookAheadMs: WINDOW_MS });
    const world = { ...usual, needs: { ...usual.needs, pacer } };
    const id = (mail: number) => MESSAGE_ID.replace('8', String(mail));
    for (const mail of [0, 1, 2])
      await deliver(aMail({ subject: `mail ${mail}` }), world, { messageId: id(mail) });
    const dueAt = world.messages.map(({ text }) => JSON.parse(atob(text)).relay.dueAt);
    expect(dueAt).toEqual([expect.any(String), undefined]);
    expect(world.rows().map(({ state }) => state)).toEqual(['sent', 'queued', 'queued']);

    const [booked, unbooked] = world.messages.splice(0);
    world.pass(2 * 61_000);
    await deliver(booked?.text, world);
    await deliver(unbooked?.text, world);
    world.pass(2 * 61_000);
    await deliver(world.messages.pop()?.text, world);
    expect(world.rows().map(({ state }) => state)).toEqual(['sent', 'sent', 'sent']);
  });

  test('a mail for which Graph answers Retry-After: 0 again and again is tried ever more rarely', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 429, retryAfter: '0' });
    const calls: number[] = [];
    let message: string | object | undefined = aMail();
    let waited = 0;
    while (waited < 3_600_000) {
      const before = world.plans.length;
      await deliver(message, world);
      if (world.plans.length > before) calls.push(waited);
      const next = world.messages.pop();
      message = next?.text;
      waited += next?.delayMs ?? 0;
      world.pass(next?.delayMs ?? 0);
    }
    expect(calls.filter((ms) => ms <= 20_000)).toHaveLength(3);
    expect(calls.length).toBeLessThan(12);
  });

  test('a message that is delivered again goes back to the queue as what it is, and is not sent again', async () => {
    const world = inMemoryPorts();
    await deliver(aMail(), world);
    await deliver(aMail(), world, { redelivered: true });
    const [envelope] = world.messages;
    await deliver(envelope?.text, world);
    expect(world.plans).toHaveLength(1);
    expect(eventsOf(world)).toEqual(['MailSent', 'MailRepeated']);
    expect(world.messages).toHaveLength(1);
  });

  test('of two mails with one key that waited while sending was off, the second is held, not dropped', async () => {
    const world = inMemoryPorts();
    await deliverBlocked(aMail({ idempotencyKey: 'k', subject: 'first' }), world);
    await deliverBlocked(aMail({ idempotencyKey: 'k', subject: 'other' }), world, {
      messageId: MESSAGE_ID.replace('8', '9'),
    });
    for (const { text } of [...world.messages]) await deliver(text, world);
    expect(world.plans).toHaveLength(1);
    const reasons = world.rows().map((row) => ('reason' in row ? row.reason.code : row.state));
    expect(reasons.sort()).toEqual(['IDEMPOTENCY_KEY_REUSED', 'sent']);
    expect([...world.records.values()]).toMatchObject([{ original: { subject: 'other' } }]);
    // What is known of it helps to find who sent it.
    expect(world.rows()).toContainEqual(
      expect.objectContaining({ state: 'held', sender: 'noreply@contoso.example', recipients: 1 }),
    );
  });

  test.each([' ', 'a b', 'clé', 'k'.repeat(256)])(
    'two mails with the key %j, which is none, are each held for that and under its own id',
    async (idempotencyKey) => {
      const world = inMemoryPorts();
      const ids = [MESSAGE_ID, MESSAGE_ID.replace('8', '9')];
      for (const id of ids) await deliver(aMail({ idempotencyKey, subject: id }), world, { messageId: id });
      expect(world.plans).toEqual([]);
      expect(world.rows()).toMatchObject(
        ids.map((id) => ({
          mailId: IDENTITY.mailIdOfMessage(id),
          state: 'held',
          reason: { code: 'IDEMPOTENCY_KEY_INVALID' },
        })),
      );
      expect(world.records.size).toBe(2);
    },
  );

  test('bytes as Python prints them are held with what they look like', async () => {
    const { rows } = await deliver(`b'${JSON.stringify(aMail())}'`);
    expect(rows()).toMatchObject([
      {
        state: 'held',
        reason: { code: 'MESSAGE_UNREADABLE', detail: expect.stringContaining('as Python prints bytes') },
      },
    ]);
  });

  test('that is no email is held as it came, and the message may be deleted', async () => {
    const world = await deliver('canary, hello');
    expect([...world.records.values()]).toMatchObject([{ mailId: MAIL_ID, original: 'canary, hello' }]);
    expect(eventsOf(world)).toEqual(['MailHeld']);
    expect(JSON.stringify(world.logged)).not.toContain('canary');
  });

  test('whose storage fails waits on the queue with its id, and does not use up its attempts', async () => {
    const world = inMemoryPorts();
    world.fail('ledger.create');
    await deliver(aMail(), world);
    expect([world.plans, eventsOf(world)]).toEqual([[], ['StorageAwaited']]);
    const [waiting] = world.messages;
    expect(waiting?.delayMs).toBe(60_000);
    world.mend();
    await deliver(waiting?.text, world);
    expect(world.rows()).toMatchObject([{ mailId: MAIL_ID, state: 'sent' }]);
  });

  test('that cannot even be read then is put back as it is, unless it may have been claimed before', async () => {
    const world = inMemoryPorts();
    world.fail('readIdentity');
    await deliver(aMail(), world);
    expect(world.messages).toEqual([{ text: JSON.stringify(aMail()), delayMs: 60_000 }]);
    await expect(deliver(aMail(), world, { redelivered: true })).rejects.toThrow();
    expect(world.messages).toHaveLength(1);
  });

  test('is left to the host only where storage takes no message either', async () => {
    const world = inMemoryPorts();
    world.fail('ledger.create');
    world.fail('mailQueue.put');
    await expect(deliver(aMail(), world)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(world.logged).toEqual([]);
  });

  test('a mail older than the ledger remembers is held, as it may be a copy of one that was sent', async () => {
    const world = inMemoryPorts();
    await deliver(aMail(), world, { insertedAt: new Date('2025-11-30T00:00:00Z') });
    expect(world.plans).toEqual([]);
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'GIVEN_UP' }, recipients: 1 }]);
  });

  test('that meets a fault of ours is left to the host, and nothing was sent', async () => {
    const world = inMemoryPorts();
    world.fail('ledger.create', new Error('a fault'));
    await expect(deliver(aMail(), world)).rejects.toThrow('a fault');
    expect([world.plans, world.messages]).toEqual([[], []]);
  });
});

describe('an email that can be large waits until there is memory for it', () => {
  const MB = 1_000_000;
  const small = aDelivery();

  /** The bytes with which it asks to enter. */
  const asked = async (text: string, world: World) => {
    const entered: number[] = [];
    const admission = {
      ...world.needs.admission,
      enter: (bytes: number, patience: () => Promise<unknown>) => {
        entered.push(bytes);
        return world.needs.admission.enter(bytes, patience);
      },
    };
    await deliverMail(
      { ...world.needs, admission, sending: world.needs },
      { ...factsOf(text), redelivered: false },
    );
    return entered;
  };
  const storedAs = async (content: object) => {
    const world = inMemoryPorts();
    const { mailId, stored } = aDelivery(content as ReturnType<typeof aMail>);
    await world.needs.payloads.put(mailId, stored.contentHash, writeJson(content));
    return { world, text: toQueueText(stored, IDENTITY), bytes: JSON.stringify(content).length };
  };

  test('with the size of its stored content, and at least that of one request to Graph', async () => {
    const large = await storedAs(aMail({ text: 'x'.repeat(5 * MB) }));
    expect(await asked(large.text, large.world)).toEqual([large.bytes]);
    const less = await storedAs(aMail({ text: 'x'.repeat(60_000) }));
    expect(await asked(less.text, less.world)).toEqual([4 * MB]);
  });

  test('with one request to Graph where it names files', async () => {
    const world = inMemoryPorts();
    world.blobs.set('a.txt', { content: Buffer.from('a'), etag: '"1"' });
    expect(await asked(JSON.stringify(aMail({ attachments: [{ blob: 'a.txt' }] })), world)).toEqual([4 * MB]);
    expect(world.rows()).toMatchObject([{ state: 'sent' }]);
  });

  test('and goes back to the queue before the host would end its invocation', async () => {
    const { world, text } = await storedAs(aMail({ text: 'x'.repeat(5 * MB) }));
    world.needs.admission.open().grow(15 * MB);
    await asked(text, world);
    expect([world.rows(), world.plans]).toEqual([[], []]);
    expect(world.queued()).toMatchObject([{ delayMs: 30_000, kind: 'envelope', content: 'stored' }]);
  });

  test('and any other does not', async () => {
    expect(await asked(toQueueText(small.envelope, IDENTITY), inMemoryPorts())).toEqual([]);
  });
});

describe('an email that names a file', () => {
  const naming = aMail({ attachments: [{ blob: 'gone.pdf' }] });

  test('that is not there is held with the reason', async () => {
    const world = inMemoryPorts();
    await deliver(naming, world);
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'ATTACHMENT_NOT_FOUND' } }]);
  });

  test('waits where storage cannot say whether it is there', async () => {
    const world = inMemoryPorts();
    world.fail('attachments.find');
    await deliver(naming, world);
    expect([world.rows(), world.messages.length]).toEqual([[], 1]);
  });
});

describe('while sending is switched off', () => {
  const { mailId, envelope, stored } = aDelivery();

  test('an email waits on the queue, and the log says why; nothing is claimed', async () => {
    const world = inMemoryPorts();
    await deliverBlocked(aMail(), world);
    expect(world.queued()).toMatchObject([{ delayMs: 120_000, mailId: MAIL_ID }]);
    expect(world.logged).toEqual([{ event: 'SendBlocked', mailId: MAIL_ID, code: 'MAIL_DISABLED' }]);
    expect(world.rows()).toEqual([]);
  });

  test('the message of the relay goes back as it is', async () => {
    const world = inMemoryPorts();
    const waiting = { ...envelope, turn: 3, lookUps: 2, phase: 'look-up' } as const;
    await deliverBlocked(toQueueText(waiting, IDENTITY), world);
    expect(world.queued()).toEqual([{ kind: 'envelope', delayMs: 120_000, ...waiting }]);
  });

  test('stored content stays young, so that the sweep does not take it for needless', async () => {
    const world = inMemoryPorts();
    await world.needs.payloads.put(mailId, stored.contentHash, writeJson({}));
    world.pass(3_600_000);
    await deliverBlocked(toQueueText(stored, IDENTITY), world);
    expect([...world.payloads.values()]).toMatchObject([{ writtenAt: world.needs.clock.now() }]);
  });

  test('what is no email is held nevertheless, as that needs storage alone', async () => {
    const world = inMemoryPorts();
    await deliverBlocked('hello', world);
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'MESSAGE_UNREADABLE' } }]);
  });
});

test('a message that is delivered again keeps its id as an envelope, which a keyed one has by its key', async () => {
  const world = inMemoryPorts();
  await deliver(aMail({ idempotencyKey: 'k' }), world, { redelivered: true });
  expect([world.plans.length, world.messages.length]).toEqual([1, 0]);
  await deliver(aMail(), world, { redelivered: true });
  expect(world.plans).toHaveLength(1);
  expect(world.queued()).toMatchObject([{ mailId: MAIL_ID, delayMs: 0 }]);
});

test('what cannot be read is held as text, with its reason and when it came', async () => {
  const world = inMemoryPorts();
  const reason = new AppError('MESSAGE_UNREADABLE');
  await holdUnreadable(world.needs, { kind: 'unreadable', mailId: MAIL_ID, reason }, factsOf('hello'));
  expect(world.rows()).toMatchObject([
    { mailId: MAIL_ID, caller: 'queue', sender: '', acceptedAt: '2026-03-02T07:59:00.000Z', why: 'refused' },
  ]);
  expect([...world.records.values()]).toMatchObject([{ original: 'hello' }]);
});
