import { describe, expect, test } from 'vitest';
import { removeUnsent, sightMail } from '../../../src/lib/delivery/sight-mail.ts';
import type { Progress } from '../../../src/lib/ledger/ledger-row.ts';
import type { MailMark } from '../../../src/lib/ports.ts';
import type { Sighting } from '../../../src/lib/sending/look-up-plan.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { DRAFT_MAILBOX } from '../../support/a-draft-plan.ts';
import { inMemoryPorts, type World } from '../../support/in-memory-ports.ts';

const { rows } = aDelivery();
const DRAFT = { id: 'd', mailbox: DRAFT_MAILBOX, isSubmitted: true };

const rowWith = (progress: Partial<Progress>) => ({
  ...rows.unknown,
  progress: { ...rows.unknown.progress, ...progress },
});

describe('an email is looked for as its last attempt went:', () => {
  test.each<[string, Partial<Progress>, MailMark]>([
    ['without a word of the way', {}, { by: 'property', inDrafts: true }],
    ['in JSON', { way: 'json' }, { by: 'property', inDrafts: true }],
    ['in JSON, after drafts', { way: 'json', madeDrafts: true }, { by: 'property', inDrafts: false }],
    ['as MIME', { way: 'mime' }, { by: 'header', inDrafts: true }],
  ])('%s', async (_case, progress, mark) => {
    const { needs, marks, effects } = inMemoryPorts();
    expect(await sightMail(needs, rowWith(progress))).toEqual({ kind: 'absent' });
    expect([marks, effects]).toEqual([[mark], ['mailboxes.find']]);
  });

  test.each<[string, Partial<Progress>]>([
    ['a draft that nobody wrote down', { way: 'draft' }],
    ['a draft that was not to be sent yet', { way: 'draft', draft: { ...DRAFT, isSubmitted: false } }],
  ])('%s was never sent, which nobody has to ask for', async (_case, progress) => {
    const { needs, effects } = inMemoryPorts();
    expect(await sightMail(needs, rowWith(progress))).toEqual({ kind: 'never-sent' });
    expect(effects).toEqual([]);
  });

  test.each<Sighting['kind']>(['draft', 'found'])('a draft by its id: %s', async (kind) => {
    const { needs, effects, exchange } = inMemoryPorts();
    exchange.put({ id: 'd', state: kind === 'found' ? 'sent' : 'draft' });
    expect(await sightMail(needs, rowWith({ way: 'draft', draft: DRAFT }))).toEqual({ kind });
    expect(effects).toEqual(['drafts.look']);
  });

  test('a draft that is gone by its property, everywhere but in Drafts', async () => {
    const { needs, marks, show } = inMemoryPorts();
    show({ kind: 'found', internetMessageId: '<a@b>' });
    expect(await sightMail(needs, rowWith({ way: 'draft', draft: DRAFT }))).toEqual({
      kind: 'found',
      internetMessageId: '<a@b>',
    });
    expect(marks).toEqual([{ by: 'property', inDrafts: false }]);
  });
});

describe('a draft that was not sent in its time', () => {
  const remove = async (prepare: (world: World) => void = () => undefined) => {
    const world = inMemoryPorts();
    world.exchange.put({ id: 'd' });
    prepare(world);
    return { ...world, seen: await removeUnsent(world.needs, rowWith({ way: 'draft', draft: DRAFT })) };
  };

  test('is looked for on its way, removed, and looked at once more: only then it was never sent', async () => {
    const { seen, effects } = await remove();
    expect(seen).toEqual({ kind: 'never-sent' });
    expect(effects).toEqual(['mailboxes.find', 'drafts.remove', 'drafts.look']);
  });

  test.each<[string, (world: World) => void, Sighting['kind'], boolean]>([
    ['is in the Outbox', ({ show }) => show({ kind: 'found' }), 'found', false],
    ['may be on its way, as nobody can look', ({ show }) => show({ kind: 'not-now' }), 'not-now', false],
    [
      'cannot be removed',
      ({ exchange }) => exchange.fault('drafts.remove', { report: { kind: 'lost', why: 'timeout' } }),
      'not-now',
      true,
    ],
    [
      'was sent at the moment of its removal',
      ({ exchange, meanwhile }) => meanwhile('drafts.remove', () => exchange.show({ kind: 'found' })),
      'found',
      true,
    ],
    [
      'cannot be looked at after its removal',
      ({ exchange, meanwhile }) => meanwhile('drafts.remove', () => exchange.show({ kind: 'not-now' })),
      'not-now',
      true,
    ],
    [
      'is gone at the moment of its removal',
      ({ exchange }) => exchange.fault('drafts.remove', { report: { kind: 'answered', status: 404 } }),
      'absent',
      true,
    ],
  ])('that %s is not taken for one that was never sent', async (_case, prepare, kind, asked) => {
    const { seen, effects } = await remove(prepare);
    expect(seen.kind).toBe(kind);
    expect(effects.includes('drafts.remove')).toBe(asked);
  });
});
