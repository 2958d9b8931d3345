import { describe, expect, test } from 'vitest';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { holdPoisonMessage } from '../../../src/lib/delivery/hold-poison-message.ts';
import { earlierHashOfContent, earlierIdOfKey } from '../../../src/lib/ledger/earlier-identity.ts';
import type { MailFacts } from '../../../src/lib/ledger/ledger-row.ts';
import { toQueueText } from '../../../src/lib/ledger/queue-message.ts';
import { claimNew, holdNew, queueNew } from '../../../src/lib/ledger/transitions.ts';
import { writeJson } from '../../../src/lib/mail/json-bytes.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW, type World } from '../../support/in-memory-ports.ts';

const MESSAGE_ID = '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61';
const VICTIM = '0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee';
const HOLDING = {
  why: 'refused',
  reason: { code: 'MAILBOX_NOT_FOUND' },
  record: 'record',
  hasContent: true,
} as const;
const paySlip = aMail({ subject: 'Pay slip of the victim' });
const attack = aMail({ to: 'attacker@evil.example', subject: 'attack' });

const newMail = (override: Partial<MailFacts> = {}): MailFacts => ({
  mailId: VICTIM,
  caller: 'key:payroll',
  sender: 'noreply@contoso.example',
  recipients: 1,
  tags: [],
  bodyHash: IDENTITY.hashOfContent(paySlip),
  leavesCopy: true,
  acceptedAt: NOW.toISOString(),
  ...override,
});

const factsOf = (message: unknown) => ({
  text: typeof message === 'string' ? message : JSON.stringify(message),
  insertedAt: NOW,
  caller: 'queue',
  redelivered: false,
});

/** Without the id of the message where it could have written itself what the host says of it. */
const deliver = (world: World, message: unknown, known: { messageId?: string } = { messageId: MESSAGE_ID }) =>
  deliverMail({ ...world.needs, sending: world.needs }, { ...factsOf(message), ...known });

const forged = (override: Record<string, unknown> = {}, content: object = { mail: attack }) => ({
  relay: {
    mailId: VICTIM,
    acceptedAt: NOW.toISOString(),
    caller: 'key:payroll',
    turn: 0,
    phase: 'send',
    ...override,
  },
  ...content,
});

/** What became of the victim's mail, and of the message of the attacker. */
const outcome = (world: World) => {
  const victim = world.row(VICTIM);
  const others = world.rows().filter(({ mailId }) => mailId !== VICTIM);
  return {
    victim,
    others,
    sent: world.plans.map(({ body }) => JSON.parse(String(body)).message.subject as string),
  };
};

describe('whoever may put messages into the queue', () => {
  test.each([
    ['a higher turn', { turn: 5 }],
    ['the same turn', {}],
    ['a look-up', { phase: 'look-up', turn: 1 }],
    ['a tag of somebody else', { turn: 1, tag: 'x'.repeat(43), contentHash: IDENTITY.hashOfContent(attack) }],
    ['an id in upper case', { turn: 1, mailId: VICTIM.toUpperCase() }],
    ['times in 2031', { turn: 1, acceptedAt: '2031-01-01T00:00:00Z', dueAt: '2031-01-01T00:00:00Z' }],
  ])('cannot take the place of a mail that waits, by %s', async (_case, override) => {
    const world = inMemoryPorts();
    world.ledger.create(queueNew(newMail(), NOW));
    await deliver(world, forged(override));
    const { victim, others, sent } = outcome(world);
    expect([victim?.state, sent]).toEqual(['queued', []]);
    expect(others).toMatchObject([{ state: 'held', reason: { code: 'MESSAGE_UNREADABLE' } }]);
  });

  test('cannot destroy, bury or end a mail with an empty one', async () => {
    for (const row of [
      queueNew(newMail(), NOW),
      claimNew(newMail(), true, NOW),
      holdNew(newMail(), HOLDING, NOW),
    ]) {
      const world = inMemoryPorts();
      world.ledger.create(row);
      for (const mail of [{}, attack]) await deliver(world, forged({ turn: 9 }, { mail }));
      expect(world.ledger.find(VICTIM)?.row).toEqual(row);
    }
  });

  test('cannot have anything read or deleted by its name', async () => {
    const world = inMemoryPorts();
    const asked: string[] = [];
    const spy = async (...names: string[]) => void asked.push(...names);
    const payloads = { ...world.needs.payloads, read: spy as never, delete: spy, keep: spy };
    const needs = { ...world.needs, payloads };
    const spied: World = { ...world, needs };
    world.ledger.create(queueNew(newMail(), NOW));
    await deliver(spied, forged({}, { payload: '../azure-webjobs-secrets/host.json' }));
    await deliver(spied, forged({ mailId: VICTIM.replace('0', '1') }, { payload: 'x' }));
    for (const name of asked) expect([VICTIM, IDENTITY.hashOfContent(paySlip)]).toContain(name);
    expect(outcome(world).victim?.state).toBe('queued');
  });

  test('cannot be another caller, nor make a row that a request of theirs would meet', async () => {
    const world = inMemoryPorts();
    await deliver(world, forged({ mailId: IDENTITY.mailIdOfKey('key:payroll', 'payslip-1') }));
    const rows = world.rows();
    expect(rows.map(({ caller }) => caller)).toEqual(['queue']);
    expect(rows.map(({ mailId }) => mailId)).toEqual([IDENTITY.mailIdOfMessage(MESSAGE_ID)]);
  });

  test('a message of theirs that is refused is listed with its own content, whatever id it names', async () => {
    const world = inMemoryPorts();
    await deliver(world, paySlip);
    for (const subject of ['one', 'two']) await deliver(world, aMail({ subject, id: MESSAGE_ID }), {});
    expect(
      [...world.records.values()].map(({ original }) => (original as { subject: string }).subject),
    ).toEqual(['one', 'two']);
    expect(world.rows().map(({ state }) => state)).toEqual(['sent', 'held', 'held']);
  });
});

describe('a message that an earlier version of the relay wrote, without a tag', () => {
  const earlier = (row: Partial<MailFacts> = {}) =>
    newMail({ bodyHash: earlierHashOfContent(paySlip), ...row });

  test('is delivered, as the ledger has its mail with this caller and content', async () => {
    const world = inMemoryPorts();
    world.ledger.create(queueNew(earlier(), NOW));
    await deliver(world, forged({}, { mail: paySlip }));
    expect(outcome(world)).toMatchObject({ victim: { state: 'sent' }, sent: [paySlip.subject] });
  });

  test('is delivered from stored content too', async () => {
    const world = inMemoryPorts();
    world.ledger.create(queueNew(earlier(), NOW));
    await world.needs.payloads.put(VICTIM, earlierHashOfContent(paySlip), writeJson(paySlip));
    await deliver(world, forged({}, { payload: `${VICTIM}.json` }));
    expect(outcome(world)).toMatchObject({ victim: { state: 'sent' }, sent: [paySlip.subject] });
    expect(world.payloads.size).toBe(0);
  });

  test('says no more than the ledger: a mail under way is not sent beside the attempt', async () => {
    const world = inMemoryPorts();
    world.ledger.create(claimNew(earlier(), true, NOW));
    await deliver(world, forged({ turn: 7 }, { mail: paySlip }));
    expect(outcome(world)).toMatchObject({ victim: { state: 'sending', turn: 0 }, sent: [] });
    expect(world.messages).toMatchObject([{ delayMs: 30_000 }]);
  });

  test('of a mail that was not in the ledger, as sending was off, is an application mail', async () => {
    const world = inMemoryPorts();
    await deliver(world, forged({ caller: 'queue' }, { mail: paySlip }));
    expect(world.rows()).toMatchObject([{ state: 'sent', caller: 'queue' }]);
  });

  test('with an idempotency key that was used then meets its row', async () => {
    const world = inMemoryPorts();
    const keyed = aMail({ idempotencyKey: 'k' });
    const mailId = earlierIdOfKey('queue', 'k') ?? '';
    world.ledger.create(
      queueNew(newMail({ mailId, caller: 'queue', bodyHash: earlierHashOfContent(keyed) }), NOW),
    );
    const needs = { ...world.needs, readIdentity: async () => ({ ...IDENTITY, hasEarlierRows: true }) };
    await deliver({ ...world, needs } as World, keyed);
    expect(world.rows()).toMatchObject([{ mailId, state: 'sent' }]);
  });
});

test('content that is not what its message speaks of is not sent', async () => {
  const world = inMemoryPorts();
  world.ledger.create(queueNew(newMail(), NOW));
  const contentHash = IDENTITY.hashOfContent(paySlip);
  await world.needs.payloads.put(VICTIM, contentHash, writeJson(attack));
  const envelope = {
    mailId: VICTIM,
    acceptedAt: NOW,
    caller: 'key:payroll',
    turn: 0,
    phase: 'send',
    lookUps: 0,
    contentHash,
    content: 'stored',
  } as const;
  await deliver(world, toQueueText(envelope, IDENTITY));
  expect(outcome(world)).toMatchObject({
    victim: { state: 'held', reason: { code: 'PAYLOAD_MISSING' } },
    sent: [],
  });
});

describe('whatever bytes arrive, they end as a mail or as a record with a reason', () => {
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  const messages: readonly [string, string][] = [
    [
      'half a character as a key',
      '{"to":"a@example.com","subject":"x","text":"x","idempotencyKey":"\\ud800"}',
    ],
    ['5,000 lists in a text', `{"to":"a@example.com","subject":"x","text":${deep(5000)}}`],
    ['30,000 lists', deep(30_000)],
    ['objects in objects', `${'{"a":'.repeat(6000)}1${'}'.repeat(6000)}`],
    ['base64 of lists in lists', Buffer.from(`{"text":${deep(5000)}}`).toString('base64')],
    ['a prototype', '{"__proto__":{"to":"a@example.com"}}'],
    ['nothing', ''],
    ['control characters', '\u0001\u0002'],
    ['a field relay of any kind', '{"relay":null}'],
    ['a key of 60 KB', JSON.stringify(aMail({ idempotencyKey: 'k'.repeat(60_000) }))],
  ];

  test.each(messages)('%s, delivered', async (_case, text) => {
    const world = inMemoryPorts();
    await deliver(world, text);
    expect(world.rows()).toMatchObject([{ state: 'held' }]);
    expect([...world.records.values()]).toHaveLength(1);
  });

  test.each(messages)('%s, given up by the host', async (_case, text) => {
    const world = inMemoryPorts();
    await holdPoisonMessage(world.needs, { ...factsOf(text), messageId: MESSAGE_ID });
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'HOST_GAVE_UP' } }]);
    expect([...world.records.values()]).toHaveLength(1);
  });

  test('also where everything but storage fails', async () => {
    const world = inMemoryPorts();
    world.fail('ledger.find', new RangeError('canary'));
    await holdPoisonMessage(world.needs, { ...factsOf(attack), messageId: MESSAGE_ID });
    expect([...world.records.values()]).toMatchObject([{ original: JSON.stringify(attack) }]);
    expect(world.logged.map(({ event }) => event)).toEqual(['Unexpected', 'MailHeld']);
    expect(JSON.stringify(world.logged)).not.toContain('canary');
  });
});
