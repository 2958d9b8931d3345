import { describe, expect, test } from 'vitest';
import { sweepDrafts } from '../../../src/lib/delivery/sweep-drafts.ts';
import type { InState, LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import {
  claim,
  recordDeferred,
  recordDraft,
  recordHeld,
  recordSent,
} from '../../../src/lib/ledger/transitions.ts';
import { DRAFT_MAILBOX } from '../../support/a-draft-plan.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';
import { aRun, DAY_MS, queued } from './sweep-for-tests.ts';

const AN_HOUR_MORE = new Date(NOW.getTime() - DAY_MS - 3_600_000);
const ATTEMPT = { at: NOW.toISOString(), outcome: 'not-sent' } as const;
const HOLDING = {
  why: 'refused',
  reason: { code: 'GRAPH_REFUSED' },
  record: 'a',
  hasContent: true,
} as const;

const sending = claim(queued(), NOW, 'draft');
const withDraft = (id: string, isSubmitted: boolean): InState<'sending'> =>
  recordDraft(sending, { id, mailbox: DRAFT_MAILBOX, isSubmitted }, NOW);
const held = (row: InState<'sending'>) => recordHeld(row, HOLDING, NOW);
const sent = (row: InState<'sending'>) => recordSent(row, ATTEMPT, NOW);

const sweep = async (row: LedgerRow | undefined, createdAt = AN_HOUR_MORE) => {
  const world = inMemoryPorts();
  if (row !== undefined) world.ledger.create(row);
  world.exchange.put({ id: 'd', mailId: row?.facts.mailId ?? 'another', createdAt });
  const run = aRun();
  await sweepDrafts(world.needs, run);
  return { ...world, run, state: world.exchange.drafts[0]?.state };
};

describe('a draft of more than a day', () => {
  test.each<[string, LedgerRow]>([
    ['of an email that is held', held(withDraft('d', false))],
    ['of an email that was sent by another draft', sent(withDraft('other', true))],
    [
      'of an email that waits for its next attempt',
      recordDeferred(
        withDraft('d', false),
        ATTEMPT,
        { reason: { code: 'DRAFT_UNFINISHED' }, until: NOW, isResend: false },
        NOW,
      ),
    ],
  ])('%s is removed', async (_case, row) => {
    const { state, run } = await sweep(row);
    expect([state, run.counts.drafts]).toEqual(['removed', 1]);
  });

  test.each<[string, LedgerRow | undefined]>([
    ['of an email that is sent, and which transport has not taken yet', sent(withDraft('d', true))],
    ['of an email in doubt, which may be sent by it', held(withDraft('d', true))],
    ['of an attempt in progress', withDraft('d', false)],
    ['that Exchange made of an email in one request', held(claim(queued(), NOW, 'json'))],
    ['of an email that this ledger does not know', undefined],
  ])('%s stays', async (_case, row) => {
    const { state, run } = await sweep(row);
    expect([state, run.counts.drafts]).toEqual(['draft', 0]);
  });
});

test('a draft of less than a day stays', async () => {
  const { state } = await sweep(held(withDraft('d', false)), new Date(NOW.getTime() - DAY_MS + 1));
  expect(state).toBe('draft');
});

test('nobody is asked where settings let the relay make no drafts', async () => {
  const { needs, effects } = inMemoryPorts();
  await sweepDrafts({ ...needs, draftMailboxes: [] }, aRun());
  expect(effects).toEqual([]);
});

test('a draft that cannot be removed is told, and the sweep goes on', async () => {
  const world = inMemoryPorts();
  const row = held(withDraft('d', false));
  const { mailId } = row.facts;
  world.ledger.create(row);
  for (const id of ['a', 'b']) world.exchange.put({ id, mailId, createdAt: AN_HOUR_MORE });
  world.exchange.fault('drafts.remove', { report: { kind: 'answered', status: 503 } });
  const run = aRun();
  await sweepDrafts(world.needs, run);
  expect(world.logged).toEqual([{ event: 'DraftLeft', mailId }]);
  expect(world.exchange.drafts.map(({ state }) => state)).toEqual(['draft', 'removed']);
  expect(run.counts.drafts).toBe(1);
});
