import { describe, expect, test } from 'vitest';
import { type DeliveryFacts, deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { holdPoisonMessage } from '../../../src/lib/delivery/hold-poison-message.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { readQueueMessage, toQueueText } from '../../../src/lib/ledger/queue-message.ts';
import { queueNew } from '../../../src/lib/ledger/transitions.ts';
import { writeJson } from '../../../src/lib/mail/json-bytes.ts';
import type { Callers } from '../../../src/lib/ports.ts';
import { aDeclaredCaller, knowing } from '../../support/a-caller.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW, type World } from '../../support/in-memory-ports.ts';

const MESSAGE_ID = '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61';
const OTHER_ID = '0a1b2c3d-5b3a-4c1d-9a55-5c4f2f8a7b61';

const payroll = aDeclaredCaller('payroll', {
  rules: { senders: ['payroll@contoso.example'] },
  functionKeys: ['key:before'],
});
const helpdesk = aDeclaredCaller('helpdesk', { rules: { senders: ['helpdesk@contoso.example'] } });

/** A relay with two callers that have queues of their own, and what each queue was given back. */
const aRelay = (callers: Callers = knowing(payroll, helpdesk)) => {
  const world = inMemoryPorts();
  const putBack: Record<string, string[]> = {};
  const queueOf = (name: string) => ({
    put: async (text: string) => {
      putBack[name] = [...(putBack[name] ?? []), text];
    },
    count: async () => putBack[name]?.length ?? 0,
  });
  const accept = {
    ...world.needs.accept,
    senderPolicy: {
      defaultSender: { address: 'noreply@contoso.example' },
      allowedSenders: ['*@contoso.example'],
    },
  };
  const needs = { ...world.needs, accept, callers };
  const factsOf = (
    caller: string,
    message: string | object,
    more: Partial<DeliveryFacts>,
  ): DeliveryFacts => ({
    text: typeof message === 'string' ? message : JSON.stringify(message),
    messageId: MESSAGE_ID,
    insertedAt: NOW,
    redelivered: false,
    caller,
    ...more,
  });
  return {
    ...world,
    putBack,
    deliver: (
      caller: string,
      message: string | object,
      {
        sending = needs,
        ...more
      }: Partial<DeliveryFacts> & { sending?: typeof needs | { blocked: 'MAIL_DISABLED' } } = {},
    ) =>
      deliverMail(
        { ...needs, arrivalQueue: queueOf(`mail-${caller}`), sending },
        factsOf(caller, message, more),
      ),
    giveUp: (caller: string, message: string | object, more: Partial<DeliveryFacts> = {}) =>
      holdPoisonMessage(
        { ...needs, poisonQueue: queueOf(`mail-${caller}-poison`) },
        factsOf(caller, message, more),
      ),
    post: (name: string, input: object) => {
      const caller = makeCaller(name);
      return sendMail(needs, { input, caller, respondAsync: false });
    },
    needs,
  };
};
type Relay = ReturnType<typeof aRelay>;

const makeCaller = (name: string) => ({
  ...(name === 'payroll' ? payroll : helpdesk),
  name,
  earlierNames: name === 'payroll' ? payroll.functionKeys : [],
  knownAs: name,
});

/** Delivers what waits on `mail`, as the relay's own messages, until nothing does. */
const drain = async ({ messages, deliver }: Relay): Promise<void> => {
  for (const { text } of messages.splice(0)) await deliver('queue', text, { messageId: OTHER_ID });
};

const states = ({ rows }: Pick<World, 'rows'>) =>
  rows().map(({ caller, state, ...row }) => [
    caller,
    state,
    'reason' in row ? (row.reason as { code: string }).code : undefined,
  ]);

describe('an email on the queue of a caller', () => {
  test('is sent as that caller, from its default sender', async () => {
    const relay = aRelay();
    await relay.deliver('payroll', aMail());
    expect(relay.rows()).toMatchObject([
      { caller: 'payroll', state: 'sent', sender: 'payroll@contoso.example' },
    ]);
  });

  test.each(['payroll', 'helpdesk'])('of %s is held where it has the sender of the other', async (caller) => {
    const relay = aRelay();
    const from = caller === 'payroll' ? 'helpdesk@contoso.example' : 'payroll@contoso.example';
    await relay.deliver(caller, aMail({ from }));
    expect(states(relay)).toEqual([[caller, 'held', 'SENDER_NOT_ALLOWED']]);
    expect(relay.plans).toEqual([]);
  });

  test.each([
    ['of a caller that nobody declared', knowing(helpdesk), 'CALLER_REMOVED'],
    [
      'of a caller that is switched off',
      knowing(aDeclaredCaller('payroll', { rules: { isDisabled: true } })),
      'CALLER_DISABLED',
    ],
    [
      'of a caller that may not send by queue',
      knowing(aDeclaredCaller('payroll', { rules: { doors: ['http'] } })),
      'DOOR_NOT_ALLOWED',
    ],
  ])('%s is held with its content, and not sent', async (_case, callers, code) => {
    const relay = aRelay(callers);
    await relay.deliver('payroll', aMail());
    expect(states(relay)).toEqual([['payroll', 'held', code]]);
    expect([...relay.records.values()]).toMatchObject([{ original: aMail() }]);
    expect(relay.plans).toEqual([]);
  });

  test('is judged by its way also where it had to wait before anybody could judge it', async () => {
    const relay = aRelay(knowing(aDeclaredCaller('payroll', { rules: { doors: ['http'] } })));
    await relay.deliver('payroll', aMail(), { sending: { blocked: 'MAIL_DISABLED' } });
    expect([relay.rows(), relay.queued()]).toMatchObject([[], [{ caller: 'payroll' }]]);
    await drain(relay);
    expect(states(relay)).toEqual([['payroll', 'held', 'DOOR_NOT_ALLOWED']]);
  });

  test('that came by HTTP and waits on a queue is not asked by which way it came', async () => {
    const relay = aRelay(knowing(aDeclaredCaller('payroll', { rules: { doors: ['http'] } })));
    const { envelope } = aDelivery(aMail(), 'payroll');
    await relay.deliver('queue', toQueueText(envelope, IDENTITY));
    expect(states(relay)).toEqual([['payroll', 'sent', undefined]]);
  });

  test('that has to wait does so on the queue of the relay, as an email of its caller', async () => {
    const relay = aRelay();
    relay.answer({ kind: 'answered', status: 429, retryAfter: '30' });
    await relay.deliver('payroll', aMail());
    expect([states(relay), relay.putBack]).toEqual([[['payroll', 'deferred', 'GRAPH_THROTTLED']], {}]);
    expect(relay.queued()).toMatchObject([{ kind: 'envelope', caller: 'payroll' }]);
    relay.answer({ kind: 'answered', status: 202 });
    relay.pass(10 * 60_000);
    await drain(relay);
    expect(states(relay)).toEqual([['payroll', 'sent', undefined]]);
  });

  test('that nobody could read goes back to the queue that says whose it is', async () => {
    const relay = aRelay();
    relay.fail('readIdentity');
    await relay.deliver('payroll', aMail());
    expect(relay.putBack).toEqual({ 'mail-payroll': [JSON.stringify(aMail())] });
    expect(relay.messages).toEqual([]);
  });
});

describe('what the host gave up on', () => {
  test('is held under the caller of its queue, an email or not', async () => {
    const relay = aRelay();
    await relay.giveUp('payroll', aMail());
    await relay.giveUp('helpdesk', 'hello', { messageId: OTHER_ID });
    expect(states(relay).sort()).toEqual([
      ['helpdesk', 'held', 'HOST_GAVE_UP'],
      ['payroll', 'held', 'HOST_GAVE_UP'],
    ]);
  });

  test('goes back to where it came from while it cannot be held, and keeps its caller', async () => {
    const relay = aRelay();
    relay.fail('records.store');
    await relay.giveUp('payroll', aMail());
    await relay.giveUp('helpdesk', 'hello', { messageId: OTHER_ID });
    const [own] = relay.putBack['mail-payroll-poison'] ?? [];
    expect(relay.putBack['mail-helpdesk-poison']).toEqual(['hello']);
    relay.mend();
    // Wherever an envelope is then: it says whose it is.
    await relay.giveUp('helpdesk', own ?? '', { messageId: OTHER_ID });
    expect(states(relay)).toEqual([['payroll', 'held', 'HOST_GAVE_UP']]);
  });

  test('is held beside an email with its key that its caller was told is rejected', async () => {
    const relay = aRelay();
    relay.answer({ kind: 'answered', status: 400, upstreamCode: 'ErrorInvalidRecipients' });
    const keyed = aMail({ idempotencyKey: 'k' });
    await relay.post('payroll', keyed).catch(() => undefined);
    await relay.giveUp('payroll', keyed);
    expect(relay.rows().map(({ state }) => state)).toEqual(['rejected', 'held']);
  });
});

describe('whoever may write to the queue of a caller', () => {
  const victim = aDelivery(aMail({ subject: 'of the help desk' }), 'helpdesk');
  const forged = (override: object = {}, content: object = { mail: aMail() }) => ({
    relay: {
      mailId: victim.mailId,
      acceptedAt: NOW.toISOString(),
      caller: 'helpdesk',
      turn: 0,
      phase: 'send',
      ...override,
    },
    ...content,
  });

  test.each<[string, object]>([
    ['with the name of another', forged()],
    ['with a tag that is none', forged({ tag: 'x'.repeat(43), contentHash: victim.facts.bodyHash })],
    ['as a look-up', forged({ turn: 1, phase: 'look-up' })],
    ['of an email whose content is stored', forged({}, {})],
    ['with the very content of another', forged({}, { mail: victim.content })],
    ['as a message of the caller itself', forged({ caller: 'payroll', mailId: MESSAGE_ID })],
  ])(
    'cannot write a message of the relay %s: it is held as its own, and touches no other',
    async (_case, text) => {
      const relay = aRelay();
      const row = queueNew(victim.facts, NOW);
      relay.ledger.create(row);
      await relay.needs.payloads.put(victim.mailId, victim.facts.bodyHash, writeJson(victim.content));
      await relay.deliver('payroll', text);
      expect(relay.ledger.find(victim.mailId)?.row).toEqual(row);
      expect(states(relay)).toEqual([
        ['helpdesk', 'queued', undefined],
        ['payroll', 'held', 'MESSAGE_UNREADABLE'],
      ]);
      expect([relay.plans, relay.messages, relay.payloads.size]).toEqual([[], [], 1]);
    },
  );

  test('cannot name its caller in the email', async () => {
    const relay = aRelay();
    await relay.deliver('payroll', { ...aMail(), caller: 'helpdesk' });
    expect(states(relay)).toEqual([['payroll', 'held', 'FIELD_UNKNOWN']]);
  });

  test('can copy a message of the relay, which sends nothing twice', async () => {
    const relay = aRelay();
    const own = toQueueText(victim.envelope, IDENTITY);
    for (const _ of [1, 2]) await relay.deliver('payroll', own);
    expect(states(relay)).toEqual([['helpdesk', 'sent', undefined]]);
    expect(relay.plans).toHaveLength(1);
  });

  test('does not meet the emails of others by an idempotency key', async () => {
    const relay = aRelay();
    const keyed = aMail({ idempotencyKey: 'invoice-1' });
    await relay.deliver('payroll', keyed);
    await relay.deliver('helpdesk', keyed, { messageId: OTHER_ID });
    expect(states(relay)).toEqual([
      ['payroll', 'sent', undefined],
      ['helpdesk', 'sent', undefined],
    ]);
    expect(relay.plans).toHaveLength(2);
  });
});

describe('the same key of one caller, by HTTP and by its queue', () => {
  const keyed = aMail({ idempotencyKey: 'invoice-1' });

  test('is one email', async () => {
    const relay = aRelay();
    await relay.post('payroll', keyed);
    await relay.deliver('payroll', keyed);
    expect(states(relay)).toEqual([['payroll', 'sent', undefined]]);
    const { repeated } = await relay.post('payroll', keyed);
    expect([repeated, relay.plans.length]).toEqual([true, 1]);
  });

  test('is one email also with one that it sent before it was declared, by a function key that is its own now', async () => {
    const relay = aRelay();
    const bodyHash = IDENTITY.hashOfContent(keyed);
    const mailId = IDENTITY.mailIdOfKey('key:before', 'invoice-1');
    const { facts } = aDelivery(keyed, 'key:before');
    relay.ledger.create(queueNew({ ...facts, mailId, bodyHash, sender: 'payroll@contoso.example' }, NOW));
    await relay.deliver('payroll', keyed);
    expect(relay.rows()).toMatchObject([{ mailId, caller: 'key:before', state: 'sent' }]);
  });

  test('with another content is held, and the first is left alone', async () => {
    const relay = aRelay();
    await relay.post('payroll', keyed);
    await relay.deliver('payroll', { ...keyed, subject: 'another' });
    expect(states(relay)).toEqual([
      ['payroll', 'sent', undefined],
      ['payroll', 'held', 'IDEMPOTENCY_KEY_REUSED'],
    ]);
  });

  test('is tried once more after HTTP rejected it: the message is not dropped as a copy', async () => {
    const relay = aRelay();
    relay.answer({ kind: 'answered', status: 404, upstreamCode: 'MailboxNotEnabledForRESTAPI' });
    await expect(relay.post('payroll', keyed)).rejects.toThrow(AppError);
    expect(relay.rows()).toMatchObject([{ state: 'rejected' }]);
    relay.answer({ kind: 'answered', status: 202 });
    await relay.deliver('payroll', keyed);
    expect(states(relay)).toEqual([['payroll', 'sent', undefined]]);
  });

  test('is tried once more after HTTP could not store it, whatever else of it is still on a queue', async () => {
    const relay = aRelay();
    relay.loseAnswer('mailQueue.put');
    await expect(
      sendMail(relay.needs, { input: keyed, caller: makeCaller('payroll'), respondAsync: true }),
    ).rejects.toMatchObject({ code: 'MAIL_NOT_STORED' });
    relay.mend();
    expect([relay.rows(), relay.messages.length]).toMatchObject([[{ state: 'rejected', turn: 2 }], 1]);
    await relay.deliver('payroll', keyed);
    await drain(relay);
    expect(states(relay)).toEqual([['payroll', 'sent', undefined]]);
    expect(relay.plans).toHaveLength(1);
  });

  test('is continued after a crash in that attempt', async () => {
    const relay = aRelay();
    relay.loseAnswer('mailQueue.put');
    await sendMail(relay.needs, { input: keyed, caller: makeCaller('payroll'), respondAsync: true }).catch(
      () => undefined,
    );
    relay.mend();
    relay.messages.length = 0;
    await relay.deliver('payroll', keyed);
    const [{ text } = { text: '' }] = relay.messages;
    relay.fail('mailboxes.send', new Error('the process ended'));
    await expect(relay.deliver('queue', text)).rejects.toThrow();
    expect(relay.rows()).toMatchObject([{ state: 'sending', turn: 2 }]);
    relay.mend();
    await relay.deliver('queue', text, { redelivered: true });
    expect(relay.queued()).toContainEqual(expect.objectContaining({ turn: 2, caller: 'payroll' }));
  });

  test('is held beside what was rejected, where it may not be sent by queue', async () => {
    const relay = aRelay(knowing(aDeclaredCaller('payroll', { rules: { doors: ['http'] } })));
    relay.answer({ kind: 'answered', status: 404, upstreamCode: 'MailboxNotEnabledForRESTAPI' });
    await relay.post('payroll', { ...keyed, from: 'payroll@contoso.example' }).catch(() => undefined);
    for (const _ of [1, 2]) await relay.deliver('payroll', { ...keyed, from: 'payroll@contoso.example' });
    expect(states(relay)).toEqual([
      ['payroll', 'rejected', expect.any(String)],
      ['payroll', 'held', 'DOOR_NOT_ALLOWED'],
    ]);
  });
});

test('a message of the relay cannot lose that its email was not judged yet', () => {
  const { envelope } = aDelivery(aMail(), 'payroll');
  const text = toQueueText({ ...envelope, unjudged: true }, IDENTITY);
  expect(readQueueMessage(text, IDENTITY)).toEqual({ kind: 'envelope', ...envelope, unjudged: true });
  const { relay, mail } = JSON.parse(atob(text));
  const { unjudged: _, ...without } = relay;
  expect(readQueueMessage(JSON.stringify({ relay: without, mail }), IDENTITY).kind).toBe('unproven');
});
