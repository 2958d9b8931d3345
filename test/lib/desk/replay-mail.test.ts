import { describe, expect, test } from 'vitest';
import { closeMail } from '../../../src/lib/desk/close-mail.ts';
import { replayMail } from '../../../src/lib/desk/replay-mail.ts';
import { reportOf } from '../../../src/lib/errors.ts';
import { factsOfUnreadable } from '../../../src/lib/ledger/arrived-message.ts';
import { holdNew } from '../../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW, type PortCall } from '../../support/in-memory-ports.ts';

const { mailId, content, facts, rows } = aDelivery();
const HOUR_MS = 3_600_000;

/** A held email whose record has this. */
const replaying = (recorded: { readonly original: unknown } = { original: content }, row = rows.held) => {
  const world = inMemoryPorts();
  world.ledger.create(row);
  const { reason, record } = row.fate;
  world.records.set(record, { mailId, heldAt: NOW.toISOString(), reason: reportOf(reason), ...recorded });
  world.pass(48 * HOUR_MS);
  return { ...world, replay: () => replayMail(world.needs, mailId) };
};

describe('an operator who replays a held email', () => {
  test('has it on the queue before the ledger says so, and its record deleted after that', async () => {
    const { replay, effects, queued, logged } = replaying();
    expect(await replay()).toMatchObject({ id: mailId, state: 'queued' });
    expect(effects).toEqual(['mailQueue.put', 'ledger.replace queued', 'records.delete', 'log MailReplayed']);
    expect(queued()).toMatchObject([
      { mailId, turn: 1, phase: 'send', delayMs: 0, content: { mail: content } },
    ]);
    expect(logged).toEqual([{ event: 'MailReplayed', mailId }]);
  });

  test('begins its time anew: it is not given up for its age', async () => {
    const { replay, row, queued } = replaying();
    await replay();
    const now = new Date(NOW.getTime() + 48 * HOUR_MS);
    expect(row(mailId)).toMatchObject({ replayedAt: now.toISOString(), acceptedAt: facts.acceptedAt });
    expect(queued()).toMatchObject([{ acceptedAt: now }]);
  });

  test('that could not be read sends it with the hash of what it holds now', async () => {
    const holding = {
      why: 'refused',
      reason: { code: 'HOST_GAVE_UP' },
      record: mailId,
      hasContent: true,
    } as const;
    const unread = holdNew(factsOfUnreadable({ mailId, caller: 'queue', acceptedAt: NOW }), holding, NOW);
    const { replay, row, queued } = replaying({ original: aMail({ subject: 'corrected' }) }, unread);
    await replay();
    const bodyHash = IDENTITY.hashOfContent(aMail({ subject: 'corrected' }));
    expect(row(mailId)).toMatchObject({ bodyHash });
    expect(queued()).toMatchObject([{ kind: 'envelope', contentHash: bodyHash }]);
  });

  test.each([
    ['its content is gone', undefined, 'PAYLOAD_MISSING'],
    ['it was never an email', 'hello', 'MESSAGE_UNREADABLE'],
    ['it is nothing', null, 'MESSAGE_UNREADABLE'],
  ])('is told where %s, and it stays held', async (_case, original, code) => {
    const { replay, ledger, messages } = replaying({ original });
    await expect(replay()).rejects.toMatchObject({ code });
    expect([ledger.rows(), messages]).toEqual([[rows.held], []]);
  });

  test('whose record is gone is told that the content is', async () => {
    const { replay, records } = replaying();
    records.clear();
    await expect(replay()).rejects.toMatchObject({ code: 'PAYLOAD_MISSING' });
  });

  test('a second time is told that it is no longer held, and no second message exists', async () => {
    const { replay, messages } = replaying();
    await replay();
    await expect(replay()).rejects.toMatchObject({ code: 'MAIL_NOT_HELD' });
    expect(messages).toHaveLength(1);
  });

  test('while another replays it is told what became of it', async () => {
    const { replay, meanwhile } = replaying();
    meanwhile('ledger.replace', replay);
    expect(await replay()).toMatchObject({ state: 'queued' });
  });

  test('while another closes it is told that it is not held', async () => {
    const { replay, meanwhile, needs } = replaying();
    meanwhile('ledger.replace', () => closeMail(needs, mailId, 'sent by hand'));
    await expect(replay()).rejects.toMatchObject({
      code: 'MAIL_NOT_HELD',
      facts: { detail: expect.stringContaining('closed') },
    });
  });

  test.each<PortCall>(['mailQueue.put', 'ledger.replace'])(
    'has its record still where storage fails at %s',
    async (call) => {
      const { replay, fail, records, ledger } = replaying();
      fail(call);
      await expect(replay()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      expect([records.size, ledger.rows()]).toEqual([1, [rows.held]]);
    },
  );
});

describe('an email that was refused before it had its key', () => {
  const keyed = aMail({ idempotencyKey: 'k-1' });
  const keyId = IDENTITY.mailIdOfKey(facts.caller, 'k-1');
  const known = (bodyHash = IDENTITY.hashOfContent(keyed)) => {
    const world = replaying({ original: keyed });
    world.ledger.create({ ...rows.sent, facts: { ...facts, mailId: keyId, bodyHash } });
    return world;
  };

  test('is not replayed where the same email has been sent with it since, and the other is named', async () => {
    const { replay, effects } = known();
    await expect(replay()).rejects.toMatchObject({
      code: 'MAIL_KEY_IN_USE',
      facts: { detail: expect.stringContaining(keyId) },
    });
    expect(effects).toEqual([]);
  });

  test('is replayed where the key belongs to another content, or to nothing', async () => {
    expect(await known('of another').replay()).toMatchObject({ state: 'queued' });
    expect(await replaying({ original: keyed }).replay()).toMatchObject({ state: 'queued' });
  });
});
