import { describe, expect, test } from 'vitest';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import {
  sweepEarlier,
  sweepExpired,
  sweepPayloads,
  sweepPoison,
  sweepRecords,
  sweepUsages,
} from '../../../src/lib/delivery/sweep-leftovers.ts';
import type { SweepNeeds } from '../../../src/lib/delivery/sweep-run.ts';
import { listHeld } from '../../../src/lib/desk/list-held.ts';
import { replayMail } from '../../../src/lib/desk/replay-mail.ts';
import { AppError, reportOf } from '../../../src/lib/errors.ts';
import type { LedgerRow, MailFacts } from '../../../src/lib/ledger/ledger-row.ts';
import { close, holdNew, queueNew } from '../../../src/lib/ledger/transitions.ts';
import type { RecordPage } from '../../../src/lib/ports.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';
import { aRun, DAY_MS, HOUR_MS, newMail, queued, sent } from './sweep-for-tests.ts';

const reason = { code: 'GIVEN_UP' } as const;
const held = (facts: MailFacts, record = 'its-record') =>
  holdNew(facts, { why: 'refused', reason, record, hasContent: true }, NOW);

describe('stored content', () => {
  test('of a mail that is done is deleted once it is a day old, of one that no ledger knows after the time of its message', async () => {
    const { needs, ledger, pass, payloads } = inMemoryPorts();
    const [waiting, done, unknown] = [queued(), sent(), newMail()];
    for (const row of [waiting, done]) ledger.create(row);
    for (const { mailId } of [waiting.facts, done.facts, unknown])
      await needs.payloads.put(mailId, 'hash', [Buffer.from('{}')]);

    const run = aRun();
    pass(DAY_MS);
    await sweepPayloads(needs, run);
    expect(run.counts.payloads).toBe(0);
    pass(1);
    await sweepPayloads(needs, run);
    expect(run.counts.payloads).toBe(1);
    expect(payloads.has(`${unknown.mailId} hash`)).toBe(true);
    pass(7 * DAY_MS);
    await sweepPayloads(needs, run);
    expect(run.counts.payloads).toBe(2);
    expect([...payloads.keys()]).toEqual([`${waiting.facts.mailId} hash`]);
  });

  test('that cannot be deleted is told of by its mail, and the others are', async () => {
    const { needs, pass, logged } = inMemoryPorts();
    const [bad, good] = [newMail(), newMail()];
    for (const { mailId } of [bad, good]) await needs.payloads.put(mailId, 'hash', [Buffer.from('{}')]);
    pass(8 * DAY_MS + 1);
    const remove = (mailId: string, hash: string) =>
      mailId === bad.mailId ? Promise.reject(new TypeError('canary')) : needs.payloads.delete(mailId, hash);
    const run = aRun();
    await sweepPayloads({ ...needs, payloads: { ...needs.payloads, delete: remove } }, run);
    expect(run.counts).toMatchObject({ payloads: 1, failed: 1 });
    expect(logged).toEqual([{ event: 'SweepFailed', mailId: bad.mailId, name: 'TypeError' }]);
  });
});

describe('the record of a mail', () => {
  const recorded = async (
    row: LedgerRow | undefined,
    { names = ['its-record'], afterMs = DAY_MS + 1 } = {},
  ) => {
    const { needs, ledger, pass, records } = inMemoryPorts();
    const facts = row?.facts ?? newMail();
    if (row !== undefined) ledger.create(row);
    for (const name of names)
      records.set(name, {
        mailId: facts.mailId,
        heldAt: NOW.toISOString(),
        reason: reportOf(reason),
        original: {},
      });
    pass(afterMs);
    return { kept: () => [...records.keys()], deleted: await sweepsOfADay(needs) };
  };

  /** Each record is looked at by one of them. Gives how many were deleted. */
  const sweepsOfADay = async (needs: SweepNeeds): Promise<number> => {
    let deleted = 0;
    for (let turn = 0; turn < 24; turn += 1) {
      const run = aRun(() => false, turn);
      await sweepRecords(needs, run);
      deleted += run.counts.records;
    }
    return deleted;
  };

  test('is looked at once a day', async () => {
    const { needs, ledger, records, pass } = inMemoryPorts();
    const row = held(newMail());
    ledger.create(row);
    const reported = { heldAt: NOW.toISOString(), reason: reportOf(reason), original: {} };
    records.set('its-record', { mailId: row.facts.mailId, ...reported });
    pass(DAY_MS + 1);
    let found = 0;
    const find = (mailId: string) => {
      found += 1;
      return needs.ledger.find(mailId);
    };
    await sweepsOfADay({ ...needs, ledger: { ...needs.ledger, find } });
    expect(found).toBe(1);
  });

  test('that was held again since, under another name, is deleted', async () => {
    const { kept, deleted } = await recorded(held(newMail()), { names: ['its-record', 'another'] });
    expect([kept(), deleted]).toEqual([['its-record'], 1]);
  });

  test.each<[string, LedgerRow | undefined, number, boolean]>([
    ['that turned out well is deleted', sent(), DAY_MS + 1, true],
    ['that is closed is deleted', close(held(newMail()), 'n', NOW), DAY_MS + 1, true],
    ['that is a day old is kept, as its row may not be written yet', sent(), DAY_MS, false],
    ['that is held is kept', held(newMail()), DAY_MS + 1, false],
    ['that goes on is kept', queueNew(newMail(), NOW), DAY_MS + 1, false],
    ['that the ledger does not know is kept', undefined, DAY_MS + 1, false],
  ])('%s', async (_case, row, afterMs, isDeleted) => {
    const { kept, deleted } = await recorded(row, { afterMs });
    expect([kept().length, deleted]).toEqual(isDeleted ? [0, 1] : [1, 0]);
  });

  describe('whose row a restored ledger has lost', () => {
    const HELD_AT = NOW.toISOString();
    const lost = (recordedFacts: MailFacts | undefined, restoredAfterMs = 1, sweptAfterMs = HOUR_MS) => {
      const world = inMemoryPorts();
      const facts = recordedFacts ?? newMail();
      const kept = recordedFacts === undefined ? {} : { facts };
      const record = { mailId: facts.mailId, heldAt: HELD_AT, reason: reportOf(reason), original: aMail() };
      world.records.set(facts.mailId, { ...record, ...kept });
      world.pass(sweptAfterMs);
      const until = new Date(NOW.getTime() + restoredAfterMs);
      const gap = { until, repeatsUntil: new Date(until.getTime() + 90 * DAY_MS) };
      const needs = { ...world.needs, readIdentity: async () => ({ ...IDENTITY, gap }) };
      return { ...world, needs };
    };
    /** The hour of the day at which its record is looked at is another one. */
    const facts = newMail({
      mailId: '0199aaaa-bbbb-7ccc-8ddd-000000000005',
      tags: ['pay-slip'],
      bodyHash: IDENTITY.hashOfContent(aMail()),
    });

    test('has its email held once more within the hour, with what is known, so that the desk lists it', async () => {
      const { needs, ledger, logged } = lost(facts);
      await sweepRecords(needs, aRun());
      const detail = `It was held at ${HELD_AT} (GIVEN_UP), and may have been replayed`;
      expect(ledger.find(facts.mailId)?.row).toMatchObject({
        facts,
        fate: {
          ...{ state: 'held', why: 'doubt', hasContent: true },
          reason: { code: 'OUTCOME_UNKNOWN', detail: expect.stringContaining(detail) },
        },
      });
      expect(logged).toMatchObject([{ event: 'MailHeld', mailId: facts.mailId, code: 'OUTCOME_UNKNOWN' }]);
      expect((await listHeld(needs, undefined)).mails).toMatchObject([{ id: facts.mailId }]);
    });

    test('has it looked for when it is replayed, before it is sent', async () => {
      const world = lost(facts);
      await sweepRecords(world.needs, aRun());
      await replayMail(world.needs, facts.mailId);
      const [message] = world.messages.splice(0);
      const arrived = { text: message?.text ?? '', insertedAt: NOW, caller: 'queue', redelivered: false };
      await deliverMail({ ...world.needs, sending: world.needs }, arrived);
      expect(world.plans).toEqual([]);
      expect(world.ledger.find(facts.mailId)?.row.fate.state).toBe('unknown');
    });

    test('is looked at once a day, later than a day after the restore', async () => {
      const { needs, ledger } = lost(facts, 1, 2 * DAY_MS);
      await sweepRecords(needs, aRun());
      expect(ledger.rows()).toEqual([]);
      await sweepRecords(
        needs,
        aRun(() => false, 5),
      );
      expect(ledger.rows()).toHaveLength(1);
    });

    test.each<[string, MailFacts | undefined, number]>([
      ['and that does not say whose it is', undefined, 1],
      ['and that is younger than the restore', facts, -1],
    ])('%s is left as it is', async (_case, known, restoredAfterMs) => {
      const { needs, ledger } = lost(known, restoredAfterMs);
      await sweepsOfADay(needs);
      expect(ledger.rows()).toEqual([]);
    });
  });

  test('is found on whichever page it is', async () => {
    const { needs, ledger, pass } = inMemoryPorts();
    const done = sent();
    ledger.create(done);
    pass(DAY_MS + 1);
    const asked: unknown[] = [];
    const { mailId } = done.facts;
    const list = async (limit: number, after: string | undefined): Promise<RecordPage> => {
      asked.push([limit, after]);
      return after === undefined
        ? { records: [], next: 'page 2' }
        : { records: [{ name: 'r', mailId, writtenAt: NOW }] };
    };
    expect(await sweepsOfADay({ ...needs, records: { ...needs.records, list } })).toBe(1);
    expect(asked.slice(0, 2)).toEqual([
      [5000, undefined],
      [5000, 'page 2'],
    ]);
  });
});

test('mails that are done are forgotten after the days of the ledger', async () => {
  const { needs, ledger, pass, rows } = inMemoryPorts();
  ledger.create(sent());
  ledger.create(queued());
  const run = aRun();
  pass(90 * DAY_MS);
  await sweepExpired(needs, run);
  expect(run.counts.expired).toBe(0);
  pass(DAY_MS);
  await sweepExpired(needs, run);
  expect(run.counts.expired).toBe(1);
  expect(rows().map(({ state }) => state)).toEqual(['queued']);
});

test('mails of an earlier version are filed, and those that cannot be are told of and counted', async () => {
  const { needs, logged } = inMemoryPorts();
  const fileEarlier: typeof needs.ledger.fileEarlier = async (_isOver, onFailure) => {
    onFailure('0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee', new SyntaxError('canary'));
    return 3;
  };
  const run = aRun();
  await sweepEarlier({ ...needs, ledger: { ...needs.ledger, fileEarlier } }, run);
  expect(run.counts).toMatchObject({ filed: 3, failed: 1 });
  expect(logged).toEqual([
    { event: 'SweepFailed', mailId: '0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee', name: 'SyntaxError' },
  ]);
});

test('messages that stay on the poison queue are told of', async () => {
  const { needs, logged } = inMemoryPorts();
  await sweepPoison(needs, aRun());
  expect(logged).toEqual([]);
  await needs.poisonQueue.put('x', 0);
  await sweepPoison(needs, aRun());
  expect(logged).toEqual([{ event: 'MessagesStuck', queue: 'mail-poison', messages: 1 }]);
});

test('the poison queues of callers are looked at too, and one that is missing is told of', async () => {
  const { needs, logged } = inMemoryPorts();
  const queueWith = (messages: number | undefined) => ({ ...needs.poisonQueue, count: async () => messages });
  const poisonQueues = {
    'mail-poison': queueWith(0),
    'mail-payroll-poison': queueWith(2),
    'mail-helpdesk-poison': queueWith(undefined),
  };
  await sweepPoison({ ...needs, poisonQueues }, aRun());
  expect(logged).toEqual([
    { event: 'MessagesStuck', queue: 'mail-payroll-poison', messages: 2 },
    { event: 'QueueMissing', queue: 'mail-helpdesk-poison' },
  ]);
});

test('a poison queue that cannot be looked at fails the sweep, and hides no other', async () => {
  const { needs, logged } = inMemoryPorts();
  const away = { ...needs.poisonQueue, count: () => Promise.reject(new AppError('STORAGE_UNAVAILABLE')) };
  const full = { ...needs.poisonQueue, count: async () => 1 };
  const poisonQueues = { 'mail-payroll-poison': away, 'mail-poison': full };
  await expect(sweepPoison({ ...needs, poisonQueues }, aRun())).rejects.toThrow(AppError);
  expect(logged).toMatchObject([{ event: 'MessagesStuck', queue: 'mail-poison' }]);
});

test('the sweep gives back what this instance keeps of limits, and deletes usages of more than 31 days ago', async () => {
  const world = inMemoryPorts();
  const payroll = aCaller('payroll', { mailsPerDay: 100 });
  const some = { taken: { mails: 1, recipients: 1 }, isTold: false };
  world.usages.write('2026-01-29', 'payroll', some, undefined);
  world.usages.write('2026-01-30', 'payroll', some, undefined);
  for (let mail = 0; mail < 4; mail += 1) await world.needs.quotas.take(payroll, 1, NOW);
  world.pass(10 * 60_000);
  await sweepUsages(world.needs, aRun());
  expect([...world.usages.all()].map(([key, { taken }]) => [key, taken.mails])).toEqual([
    ['2026-01-30!payroll', 1],
    ['2026-03-02!payroll', 4],
  ]);
});
