import { describe, expect, test } from 'vitest';
import { sweepLost, sweepOverdue } from '../../../src/lib/delivery/sweep-open.ts';
import type { LedgerRow, Progress } from '../../../src/lib/ledger/ledger-row.ts';
import {
  cancel,
  claim,
  claimNew,
  queueNew,
  recordUnknown,
  recordUntold,
  requeue,
} from '../../../src/lib/ledger/transitions.ts';
import { writeJson } from '../../../src/lib/mail/json-bytes.ts';
import type { Sighting } from '../../../src/lib/sending/look-up-plan.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';
import { aRun, awaited, DAY_MS, HOUR_MS, newMail, queued, sent } from './sweep-for-tests.ts';

/** The time an attempt may take, and the time Sent Items are given. */
const LOST_AFTER_MS = (6 + 15) * 60_000;
const later = (ms: number): Date => new Date(NOW.getTime() + ms);

describe('an attempt whose caller got no answer', () => {
  const lose = async (row: LedgerRow, sighting: Sighting = { kind: 'absent' }, afterMs = HOUR_MS) => {
    const world = inMemoryPorts();
    world.ledger.create(row);
    world.show(sighting);
    world.pass(afterMs);
    const run = aRun();
    await sweepLost(world.needs, run);
    return { ...world, counts: run.counts };
  };

  test('is looked for, and held when it is not there: its caller alone has the content', async () => {
    const row = awaited();
    const { looked, rows, counts, records } = await lose(row);
    expect(looked).toEqual([row.facts.mailId]);
    expect(rows()).toMatchObject([
      { state: 'held', why: 'lost-message', reason: { code: 'MAIL_LOST' }, hasContent: false },
    ]);
    expect([...records.values()]).toMatchObject([{ original: undefined }]);
    expect(counts.lost).toBe(1);
  });

  test('that is found is told and recorded as sent, with the attempt that nobody recorded', async () => {
    const { effects, rows, counts } = await lose(awaited(), { kind: 'found' });
    expect(effects.slice(1)).toEqual(['events.put', 'ledger.replace sent']);
    expect(rows()).toMatchObject([
      { state: 'sent', verified: true, attempts: [{ outcome: 'unknown', code: 'OUTCOME_UNKNOWN' }] },
    ]);
    expect(counts.lost).toBe(1);
  });

  test.each<[string, Sighting, boolean]>([
    ['the relay may not look', { kind: 'cannot-tell' }, true],
    ['it leaves no copy', { kind: 'absent' }, false],
  ])('is held in doubt where %s', async (_case, sighting, leavesCopy) => {
    const { rows } = await lose(awaited({ leavesCopy }), sighting);
    expect(rows()).toMatchObject([{ state: 'held', why: 'doubt', reason: { code: 'OUTCOME_UNKNOWN' } }]);
  });

  test.each<[string, Partial<Progress>, 'lost-message' | 'doubt']>([
    ['a draft that was not to be sent yet', { way: 'draft' }, 'lost-message'],
    ['MIME, which can be sent and not be found', { way: 'mime' }, 'doubt'],
    [
      'a draft that is gone',
      { way: 'draft', draft: { id: 'gone', mailbox: 'noreply@contoso.example', isSubmitted: true } },
      'doubt',
    ],
  ])('as %s and is not found', async (_case, progress, why) => {
    const row = awaited();
    const { rows } = await lose({ ...row, progress: { ...row.progress, ...progress } });
    expect(rows()).toMatchObject([{ state: 'held', why }]);
  });

  test('as a draft that was not to be sent yet leaves none in its mailbox, whoever may send from that', async () => {
    const row = awaited();
    const world = inMemoryPorts();
    world.exchange.put({ id: 'd', mailbox: 'anybody@contoso.example' });
    const draft = { id: 'd', mailbox: 'anybody@contoso.example', isSubmitted: false };
    world.ledger.create({ ...row, progress: { ...row.progress, way: 'draft', draft } });
    world.pass(HOUR_MS);
    await sweepLost(world.needs, aRun());
    expect(world.rows()).toMatchObject([{ state: 'held', why: 'lost-message' }]);
    expect(world.exchange.drafts).toMatchObject([{ state: 'removed' }]);
  });

  test('as a draft that still is one is removed before it counts as not sent', async () => {
    const world = inMemoryPorts();
    const row = awaited();
    const draft = { id: 'd', mailbox: 'noreply@contoso.example', isSubmitted: true };
    world.ledger.create({ ...row, progress: { ...row.progress, way: 'draft', draft } });
    world.exchange.put({ id: 'd' });
    world.pass(HOUR_MS);
    await sweepLost(world.needs, aRun());
    expect(world.exchange.drafts).toMatchObject([{ state: 'removed' }]);
    expect(world.rows()).toMatchObject([
      { state: 'held', why: 'lost-message', reason: { code: 'MAIL_LOST' } },
    ]);
  });

  test('waits for the next sweep where the mailbox cannot be read now', async () => {
    const row = awaited();
    const { ledger, counts } = await lose(row, { kind: 'not-now' });
    expect([ledger.rows(), counts.lost]).toEqual([[row], 0]);
  });

  test.each<[string, LedgerRow, number]>([
    ['that may still be under way, or not shown in Sent Items yet', awaited(), LOST_AFTER_MS],
    ['whose message will bring it back', claimNew(newMail(), true, NOW), HOUR_MS],
    ['that began anew since', claimNew(newMail(), false, later(HOUR_MS)), HOUR_MS],
  ])('is left alone: one %s', async (_case, row, afterMs) => {
    const { looked, ledger } = await lose(row, { kind: 'absent' }, afterMs);
    expect([looked, ledger.rows()]).toEqual([[], [row]]);
  });

  test('is lost a moment after that', async () => {
    expect((await lose(awaited(), { kind: 'absent' }, LOST_AFTER_MS + 1)).counts.lost).toBe(1);
  });

  test.each<Sighting>([{ kind: 'found' }, { kind: 'absent' }])(
    'is not counted where another invocation wrote the row first: $kind',
    async (sighting) => {
      const world = inMemoryPorts();
      const row = awaited();
      world.ledger.create(row);
      world.show(sighting);
      world.pass(HOUR_MS);
      const attempt = { at: NOW.toISOString(), outcome: 'unknown' } as const;
      const other = recordUnknown(row, attempt, { code: 'OUTCOME_UNKNOWN' }, NOW);
      world.meanwhile('ledger.replace', () =>
        world.ledger.replace(other, world.ledger.find(row.facts.mailId)!.etag),
      );
      const run = aRun();
      await sweepLost(world.needs, run);
      expect([run.counts.lost, world.ledger.rows()]).toEqual([0, [other]]);
    },
  );
});

describe('an email that waits', () => {
  const waiting = (row: LedgerRow) => {
    const world = inMemoryPorts();
    world.ledger.create(row);
    const sweep = async () => {
      const run = aRun();
      await sweepOverdue(world.needs, run);
      return run.counts.overdue;
    };
    return { ...world, sweep };
  };
  const attempt = { at: NOW.toISOString(), outcome: 'unknown' } as const;

  test('for longer than it should is told of, and left as it is', async () => {
    const row = queued();
    const { sweep, pass, logged, ledger } = waiting(row);
    pass(DAY_MS);
    expect(await sweep()).toBe(0);
    pass(1);
    expect(await sweep()).toBe(1);
    expect(logged).toEqual([{ event: 'MailOverdue', mailId: row.facts.mailId, state: 'queued' }]);
    expect(ledger.rows()).toEqual([row]);
  });

  test.each<[string, LedgerRow, string, string]>([
    ['was certainly not sent, as its message is lost', queued(), 'lost-message', 'MAIL_LOST'],
    [
      'is looked for, as its attempt is lost',
      recordUnknown(claim(queued(), NOW), attempt, { code: 'OUTCOME_UNKNOWN' }, NOW),
      'lost-attempt',
      'ATTEMPT_LOST',
    ],
    ['is being sent, as its attempt is lost', claimNew(newMail(), true, NOW), 'lost-attempt', 'ATTEMPT_LOST'],
  ])('for a week is held: one that %s', async (_case, row, why, code) => {
    const { sweep, pass, rows } = waiting(row);
    pass(7 * DAY_MS);
    await sweep();
    expect(rows()).toMatchObject([{ state: row.fate.state }]);
    pass(1);
    await sweep();
    expect(rows()).toMatchObject([{ state: 'held', why, reason: { code } }]);
  });

  test.each([true, false])('and is held keeps the content that is stored: %s', async (isStored) => {
    const row = queued();
    const { sweep, pass, needs, rows, records } = waiting(row);
    if (isStored) await needs.payloads.put(row.facts.mailId, row.facts.bodyHash, writeJson({ subject: 's' }));
    pass(7 * DAY_MS + 1);
    await sweep();
    expect(rows()).toMatchObject([{ state: 'held', hasContent: isStored }]);
    expect([...records.values()][0]?.original).toEqual(isStored ? { subject: 's' } : undefined);
  });

  test('is not overdue while its row changes', async () => {
    const row = queued();
    const { sweep, pass, ledger } = waiting(row);
    ledger.replace(requeue(row, later(2 * DAY_MS)), ledger.find(row.facts.mailId)!.etag);
    pass(3 * DAY_MS);
    expect(await sweep()).toBe(0);
  });
});

describe('an email whose event could not be told', () => {
  test('is told of by the next sweep also where it was canceled long before its time', async () => {
    const world = inMemoryPorts();
    const { facts } = sent();
    const sendAt = new Date(NOW.getTime() + 30 * DAY_MS).toISOString();
    world.ledger.create(recordUntold(cancel(queueNew({ ...facts, sendAt }, NOW), NOW)));
    world.pass(HOUR_MS);
    await sweepLost(world.needs, aRun());
    expect(world.announced).toMatchObject([{ eventType: 'GraphMailRelay.Mail.Canceled' }]);
  });

  const untold = (afterMs: number) => {
    const world = inMemoryPorts();
    world.ledger.create(recordUntold(sent()));
    world.pass(afterMs);
    return { ...world, sweep: () => sweepLost(world.needs, aRun()) };
  };

  test('is told of by the sweep, once', async () => {
    const { sweep, announced, rows } = untold(HOUR_MS);
    await sweep();
    await sweep();
    expect(announced).toMatchObject([{ eventType: 'GraphMailRelay.Mail.Sent' }]);
    expect(rows()[0]).not.toHaveProperty('untold');
  });

  test('is tried again by the next sweep where that fails, and after seven days said to be lost', async () => {
    const { sweep, fail, pass, logged, rows } = untold(HOUR_MS);
    fail('events.put');
    await sweep();
    expect(rows()).toMatchObject([{ state: 'sent', untold: true }]);
    expect(logged.map(({ event }) => event)).toEqual(['EventUntold']);
    pass(7 * DAY_MS);
    await sweep();
    expect(logged.at(-1)).toMatchObject({ event: 'EventLost', state: 'sent' });
    expect(rows()[0]).not.toHaveProperty('untold');
  });
});
