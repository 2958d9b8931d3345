import { describe, expect, test } from 'vitest';
import { arrive } from '../../../src/lib/delivery/arrive.ts';
import {
  earlierHashOfContent,
  earlierIdOfKey,
  earlierIdOfMessage,
} from '../../../src/lib/ledger/earlier-identity.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { toQueueText } from '../../../src/lib/ledger/queue-message.ts';
import { queueNew, recordHeld } from '../../../src/lib/ledger/transitions.ts';
import { writeJson } from '../../../src/lib/mail/json-bytes.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const MESSAGE_ID = '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61';
const { mailId, content, envelope, rows } = aDelivery();

type Given = { readonly row?: LedgerRow; readonly stored?: object; readonly hasEarlierRows?: boolean };

const arriveAs = async (text: string | object, { row, stored, hasEarlierRows = false }: Given = {}) => {
  const world = inMemoryPorts();
  if (row !== undefined) world.ledger.create(row);
  if (row !== undefined && stored !== undefined)
    await world.needs.payloads.put(row.facts.mailId, row.facts.bodyHash, writeJson(stored));
  const asked: string[] = [];
  const ledger = {
    ...world.needs.ledger,
    find: (id: string) => {
      asked.push(id);
      return world.needs.ledger.find(id);
    },
  };
  const readIdentity = async () => ({ ...IDENTITY, hasEarlierRows });
  const facts = {
    text: typeof text === 'string' ? text : JSON.stringify(text),
    messageId: MESSAGE_ID,
    insertedAt: NOW,
    caller: 'queue',
  };
  const arrived = await arrive({ ...world.needs, ledger, readIdentity }, facts);
  return { arrived, asked };
};

describe('whose email a message is', () => {
  test('the message of the relay says itself, and a bare one too: the ledger is not asked', async () => {
    const own = await arriveAs(toQueueText(envelope, IDENTITY));
    expect(own).toMatchObject({
      arrived: { kind: 'arrived', arrival: { envelope, isBare: false } },
      asked: [],
    });
    const bare = await arriveAs(content);
    expect(bare).toMatchObject({ arrived: { arrival: { isBare: true } }, asked: [] });
  });

  test('of what cannot be read nobody knows', async () => {
    expect((await arriveAs('hello')).arrived).toMatchObject({
      kind: 'unreadable',
      mailId: IDENTITY.mailIdOfMessage(MESSAGE_ID),
      reason: { code: 'MESSAGE_UNREADABLE' },
    });
  });
});

describe('a bare message, where the ledger may hold rows of an earlier version', () => {
  const keyed = aMail({ idempotencyKey: 'k' });
  const earlierRow = (id: string, mail: object) =>
    queueNew(aNewMail(NOW, { mailId: id, caller: 'queue', bodyHash: earlierHashOfContent(mail) }), NOW);

  test.each([
    ['of its key', keyed, earlierRow(earlierIdOfKey('queue', 'k') ?? '', keyed)],
    ['of its message', content, earlierRow(earlierIdOfMessage(MESSAGE_ID), content)],
  ])('is the email under the earlier id %s, with the hash of then', async (_case, mail, row) => {
    const { arrived } = await arriveAs(mail, { row, hasEarlierRows: true });
    const { mailId: id, bodyHash } = row.facts;
    expect(arrived).toMatchObject({
      arrival: { envelope: { mailId: id, contentHash: bodyHash }, isBare: true },
    });
  });

  test('keeps its own hash where that row is of another email', async () => {
    const row = earlierRow(earlierIdOfKey('queue', 'k') ?? '', aMail({ subject: 'other' }));
    const { arrived } = await arriveAs(keyed, { row, hasEarlierRows: true });
    expect(arrived).toMatchObject({ arrival: { envelope: { contentHash: IDENTITY.hashOfContent(keyed) } } });
  });

  test('is a new email without such a row', async () => {
    const { arrived, asked } = await arriveAs(keyed, { hasEarlierRows: true });
    expect(arrived).toMatchObject({ arrival: { envelope: { mailId: IDENTITY.mailIdOfKey('queue', 'k') } } });
    expect(asked).toHaveLength(1);
  });
});

describe('an envelope without a tag', () => {
  const claim = (override: object = {}, mail: object | undefined = content) => ({
    relay: { mailId, acceptedAt: NOW.toISOString(), caller: 'queue', turn: 7, phase: 'send', ...override },
    ...(mail === undefined ? {} : { mail }),
  });
  const untold = { relay: claim().relay };

  test('is a reminder of the email that the ledger has with this caller and content: the row says the rest', async () => {
    const { arrived } = await arriveAs(claim(), { row: rows.unknown });
    expect(arrived).toMatchObject({
      arrival: { isBare: false, envelope: { mailId, turn: 1, phase: 'look-up', content: { mail: content } } },
    });
  });

  test('is one by the stored content too', async () => {
    const { arrived } = await arriveAs(untold, { row: rows.queued, stored: content });
    expect(arrived).toMatchObject({ arrival: { envelope: { mailId, content: 'stored' } } });
  });

  test('is a bare message without a row, as an earlier version wrapped those while sending was off', async () => {
    const { arrived } = await arriveAs(claim());
    expect(arrived).toMatchObject({
      arrival: { isBare: true, envelope: { mailId: IDENTITY.mailIdOfMessage(MESSAGE_ID), caller: 'queue' } },
    });
  });

  test.each<[string, object, Given]>([
    ['it has no content and the ledger no row', untold, {}],
    ['its content is another', claim({}, aMail({ subject: 'other' })), { row: rows.queued }],
    ['its caller is another', claim({ caller: 'key:other' }), { row: rows.queued }],
    ['nothing is stored for it', untold, { row: rows.queued }],
    ['what is stored is another', untold, { row: rows.queued, stored: aMail({ subject: 'other' }) }],
    ['it has a tag that is not ours', claim({ tag: 'x' }), { row: rows.queued }],
  ])('is held as not ours where %s', async (_case, message, given) => {
    const { arrived } = await arriveAs(message, given);
    expect(arrived).toMatchObject({ kind: 'unreadable', reason: { code: 'MESSAGE_UNREADABLE' } });
  });

  test('of an email that is final reminds of it as it is', async () => {
    const holding = {
      why: 'doubt',
      reason: { code: 'OUTCOME_UNKNOWN' },
      record: 'r',
      hasContent: true,
    } as const;
    const { arrived } = await arriveAs(claim(), { row: recordHeld(rows.queued, holding, NOW) });
    expect(arrived).toMatchObject({ arrival: { envelope: { turn: 0, phase: 'send' } } });
  });
});
