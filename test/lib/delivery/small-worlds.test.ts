import { describe, expect, test } from 'vitest';
import { transitions } from '../../../src/lib/ledger/transitions.ts';
import { explore } from '../../support/explore.ts';
import { STEPS, type StepName } from './protocol.ts';
import { type Coverage, makeSmallWorld } from './small-world.ts';
import { SMALL_WORLDS } from './small-worlds.ts';
// What is loaded at its first use would not be there when the first world goes on.
import '../../../src/lib/inbox/captured-summary.ts';

/** Steps that no small world comes to, and where they are tested instead. */
const ELSEWHERE: Partial<Record<StepName, string>> = {
  'arrivalQueue.put': 'deliver-mail.test.ts, and the random walks of delivery-model.test.ts',
  'poisonQueue.put': 'hold-poison-message.test.ts, and the random walks',
  'drafts.look': 'send-by-draft.test.ts, and the random walks',
  'drafts.remove': 'send-by-draft.test.ts, and the random walks',
  'drafts.listOf': 'send-by-draft.test.ts, and the random walks',
  'drafts.mark':
    'only for MIME above 3 MB: it stands where attach does, and send-by-draft.test.ts has its failures',
  'recipientBudgets.read': 'budgets.test.ts and day-limits.test.ts',
  'recipientBudgets.write': 'budgets.test.ts and day-limits.test.ts',
};
/** Moves after a backup was restored, which restored-ledger.test.ts walks. */
const AFTER_A_RESTORE = ['queued -> unknown', 'deferred -> unknown', 'rejected -> unknown'];
/** Moves that need something to go wrong beside: the random walks of delivery-model.test.ts come to them, and more troubles do. */
const IN_TROUBLE = [
  ...['queued -> rejected', 'queued -> held', 'queued -> captured', 'deferred -> held'],
  ...['unknown -> held', 'rejected -> queued', 'held -> unknown'],
];

const coverage: Coverage = { steps: new Set(), moves: new Set() };

describe('whatever order things happen in, with up to as many troubles as its world has, every email ends as promised', () => {
  test.each(SMALL_WORLDS)('$name', async (world) => {
    const bounds = { troubles: world.inSuite ?? 0, copies: 0 };
    const found = await explore(() => makeSmallWorld(world, bounds, coverage));
    expect(found.ends).toBeGreaterThan(0);
  });
});

describe('the small worlds together', () => {
  test('take every step of the protocol', () => {
    const missing = [...STEPS.keys()].filter((step) => !coverage.steps.has(step) && !(step in ELSEWHERE));
    expect(missing).toEqual([]);
  });

  test('make every move of the diagram', () => {
    const moves = Object.entries(transitions).flatMap(([from, states]) =>
      states.map((to) => `${from} -> ${to}`),
    );
    const missing = moves.filter(
      (move) => !coverage.moves.has(move) && ![...AFTER_A_RESTORE, ...IN_TROUBLE].includes(move),
    );
    expect(missing).toEqual([]);
  });
});
