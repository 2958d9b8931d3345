import { describe, expect, test } from 'vitest';
import { lookUpMail } from '../../../src/lib/delivery/look-up-mail.ts';
import type { MailMark } from '../../../src/lib/ports.ts';
import type { Sighting } from '../../../src/lib/sending/look-up-plan.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const { mailId, content, facts, rows, envelope } = aDelivery();
const HOUR_MS = 3_600_000;

const lookUp = async (sighting: Sighting, lookUps = 0, afterMs = 0, isBeaten = false) => {
  const world = inMemoryPorts();
  world.show(sighting);
  const entry = world.ledger.create(rows.unknown)!;
  world.pass(afterMs);
  if (isBeaten)
    world.meanwhile('ledger.replace', () =>
      world.ledger.replace(rows.unknown, world.ledger.find(mailId)!.etag),
    );
  const asked: unknown[] = [];
  const find = (mailbox: string, id: string, mark: MailMark) => {
    asked.push([mailbox, id]);
    return world.needs.mailboxes.find(mailbox, id, mark);
  };
  const needs = { ...world.needs, mailboxes: { ...world.needs.mailboxes, find } };
  const unknown = {
    ...entry,
    envelope: { ...envelope, turn: 1, lookUps },
    readOriginal: async () => content,
  };
  return { ...world, asked, came: await lookUpMail(needs, unknown) };
};

describe('an email whose outcome is unknown', () => {
  test('is looked for in the mailbox of its sender, and the log says what was seen, how often', async () => {
    const { asked, logged } = await lookUp({ kind: 'absent' }, 1);
    expect(asked).toEqual([[facts.sender, mailId]]);
    expect(logged).toEqual([{ event: 'MailLookedUp', mailId, result: 'absent', lookUps: 2 }]);
  });

  test.each<[string, Sighting, number, number, string, string]>([
    ['found', { kind: 'found' }, 0, 0, 'done', 'sent'],
    ['not there yet', { kind: 'absent' }, 0, 0, 'done', 'unknown'],
    ['absent each time', { kind: 'absent' }, 3, 0, 'send now', 'unknown'],
    ['absent each time, and out of time', { kind: 'absent' }, 3, 25 * HOUR_MS, 'done', 'held'],
    ['where the relay may not look', { kind: 'cannot-tell' }, 0, 0, 'done', 'held'],
    ['in a mailbox that is closed now', { kind: 'not-now' }, 3, 0, 'done', 'unknown'],
  ])('and %s', async (_case, sighting, lookUps, afterMs, came, state) => {
    const looked = await lookUp(sighting, lookUps, afterMs);
    expect([looked.came, looked.row(mailId)?.state]).toEqual([came, state]);
    // Whatever waits has exactly one message.
    expect(looked.messages).toHaveLength(came === 'done' && state === 'unknown' ? 1 : 0);
  });

  test('and absent each time is left for its caller to send: nothing is written or queued', async () => {
    const { effects } = await lookUp({ kind: 'absent' }, 3);
    expect(effects).toEqual(['mailboxes.find', 'log MailLookedUp']);
  });

  test.each<Sighting>([{ kind: 'found' }, { kind: 'cannot-tell' }])(
    'is the matter of another invocation that has changed the row: $kind',
    async (sighting) => {
      expect((await lookUp(sighting, 0, 0, true)).came).toBe('beaten');
    },
  );
});
