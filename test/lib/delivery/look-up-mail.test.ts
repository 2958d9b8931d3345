import { describe, expect, test } from 'vitest';
import { lookUpMail } from '../../../src/lib/delivery/look-up-mail.ts';
import type { MailMark } from '../../../src/lib/ports.ts';
import type { Sighting } from '../../../src/lib/sending/look-up-plan.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const { mailId, content, facts, rows, envelope } = aDelivery();
const HOUR_MS = 3_600_000;

const shortly = (came: Awaited<ReturnType<typeof lookUpMail>>): string =>
  typeof came === 'string' ? came : 'send now';

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
  return { ...world, asked, came: shortly(await lookUpMail(needs, unknown)) };
};

describe('an email whose outcome is unknown', () => {
  test('is looked for in the mailbox of its sender, and the log says what was seen, how often', async () => {
    const { asked, logged } = await lookUp({ kind: 'absent' }, 1);
    expect(asked).toEqual([[facts.sender, mailId]]);
    expect(logged).toEqual([{ event: 'MailLookedUp', mailId, result: 'absent', lookUps: 2 }]);
  });

  test('in a mailbox that cannot be read: the log says what Graph answered', async () => {
    const answer = { status: 404, upstreamCode: 'ErrorInvalidUser' };
    const { logged } = await lookUp({ kind: 'not-now', ...answer }, 0);
    expect(logged).toEqual([{ event: 'MailLookedUp', mailId, result: 'not-now', lookUps: 1, ...answer }]);
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

  test.each<[string, Sighting, number, number]>([
    ['found the third time', { kind: 'found' }, 2, 3],
    ['not where the relay may look', { kind: 'cannot-tell' }, 1, 1],
  ])('has in its row how often it was looked for: %s', async (_case, sighting, lookUps, times) => {
    const { row } = await lookUp(sighting, lookUps);
    expect(row(mailId)?.lookedFor).toEqual([{ at: NOW.toISOString(), times, seen: sighting.kind }]);
  });

  test('has that also where it is sent once more, written with the claim of that attempt', async () => {
    const world = inMemoryPorts();
    world.show({ kind: 'absent' });
    const entry = world.ledger.create(rows.unknown)!;
    const message = { ...envelope, turn: 1, lookUps: 3 };
    const came = await lookUpMail(world.needs, {
      ...entry,
      envelope: message,
      readOriginal: async () => content,
    });
    expect(came).toMatchObject({ progress: { lookedFor: [{ times: 4, seen: 'absent' }] } });
  });

  test.each<Sighting>([{ kind: 'found' }, { kind: 'cannot-tell' }])(
    'is the matter of another invocation that has changed the row: $kind',
    async (sighting) => {
      expect((await lookUp(sighting, 0, 0, true)).came).toBe('beaten');
    },
  );
});

describe('a draft whose sending may have begun', () => {
  const DRAFT = { id: 'd', mailbox: facts.sender, isSubmitted: true };
  const submitted = {
    ...rows.unknown,
    progress: { ...rows.unknown.progress, way: 'draft', draft: DRAFT },
  } as const;

  const lookAt = async (
    state: 'draft' | 'sent' | 'removed',
    lookUps: number,
    prepare: (world: ReturnType<typeof inMemoryPorts>) => void = () => undefined,
  ) => {
    const world = inMemoryPorts();
    world.exchange.put({ id: 'd', mailId, state });
    const entry = world.ledger.create(submitted)!;
    prepare(world);
    const looked = {
      ...entry,
      envelope: { ...envelope, turn: 1, lookUps },
      readOriginal: async () => content,
    };
    const came = await lookUpMail(world.needs, looked);
    return { ...world, came, draft: world.exchange.drafts[0]?.state };
  };

  test('is sent as soon as it is no draft any more', async () => {
    const { came, row } = await lookAt('sent', 0);
    expect([came, row(mailId)?.state]).toEqual(['done', 'sent']);
  });

  test('is looked at again while it is still a draft: transport may not have taken it yet', async () => {
    const { came, draft, queued } = await lookAt('draft', 2);
    expect([came, draft]).toEqual(['done', 'draft']);
    expect(queued()).toMatchObject([{ phase: 'look-up', lookUps: 3 }]);
  });

  test('is removed after all that time, and the ledger says so before anything is sent', async () => {
    const { came, draft, row, effects, needs, ledger } = await lookAt('draft', 3);
    expect([came, draft, row(mailId)?.state]).toEqual(['beaten', 'removed', 'unknown']);
    expect(row(mailId)).not.toHaveProperty('draft');
    expect(effects.filter((effect) => !effect.startsWith('log'))).toEqual([
      'drafts.look',
      'mailboxes.find',
      'drafts.remove',
      'drafts.look',
      'ledger.replace unknown',
    ]);
    const entry = ledger.find(mailId)! as Parameters<typeof lookUpMail>[1];
    const looked = {
      ...entry,
      envelope: { ...envelope, turn: 1, lookUps: 3 },
      readOriginal: async () => content,
    };
    expect(shortly(await lookUpMail(needs, looked))).toBe('send now');
  });

  test('is sent where it is found at the moment of its removal', async () => {
    const { came, row } = await lookAt('draft', 3, ({ meanwhile, exchange }) =>
      meanwhile('drafts.remove', () => exchange.show({ kind: 'found' })),
    );
    expect([came, row(mailId)?.state]).toEqual(['done', 'sent']);
  });

  test('waits where it cannot be removed', async () => {
    const { came, draft, queued } = await lookAt('draft', 3, ({ exchange }) =>
      exchange.fault('drafts.remove', { report: { kind: 'answered', status: 503 } }),
    );
    expect([came, draft]).toEqual(['done', 'draft']);
    expect(queued()).toMatchObject([{ phase: 'look-up', lookUps: 3 }]);
  });

  test('is held in doubt where it is gone and no copy is there: it is never sent again by itself', async () => {
    const { came, row } = await lookAt('removed', 3);
    expect([came, row(mailId)]).toMatchObject([
      'done',
      {
        state: 'held',
        why: 'doubt',
        reason: { code: 'OUTCOME_UNKNOWN', detail: expect.stringContaining('draft') },
      },
    ]);
  });
});

test('an email that went as MIME and is not found is held in doubt: its header may have been removed', async () => {
  const world = inMemoryPorts();
  const asMime = { ...rows.unknown, progress: { ...rows.unknown.progress, way: 'mime' } } as const;
  const entry = world.ledger.create(asMime)!;
  const looked = {
    ...entry,
    envelope: { ...envelope, turn: 1, lookUps: 3 },
    readOriginal: async () => content,
  };
  expect(await lookUpMail(world.needs, looked)).toBe('done');
  expect(world.row(mailId)).toMatchObject({
    state: 'held',
    why: 'doubt',
    reason: { code: 'OUTCOME_UNKNOWN', detail: expect.stringContaining('MIME') },
  });
});
