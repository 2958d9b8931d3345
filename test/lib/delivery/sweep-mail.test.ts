import { describe, expect, test } from 'vitest';
import { sweepMail } from '../../../src/lib/delivery/sweep-mail.ts';
import { inMemoryPorts, NOW, type PortCall, type World } from '../../support/in-memory-ports.ts';
import { awaited, DAY_MS, HOUR_MS, queued, sent } from './sweep-for-tests.ts';

/** Sweeps, and gives what was logged meanwhile. */
const sweep = async ({ needs, logged }: World, more: object = {}) => {
  const before = logged.length;
  await sweepMail({ ...needs, ...more });
  return logged.slice(before);
};

describe('sweepMail', () => {
  test('says in one line what it has found in all its parts', async () => {
    const world = inMemoryPorts();
    for (const row of [awaited(), sent()]) world.ledger.create(row);
    await world.needs.payloads.put(sent().facts.mailId, 'hash', [Buffer.from('{}')]);
    world.pass(91 * DAY_MS);
    const { logged } = world;
    await sweepMail(world.needs);
    expect(logged.at(-1)).toEqual({
      event: 'MailSwept',
      ...{
        lost: 1,
        overdue: 0,
        payloads: 1,
        records: 0,
        drafts: 0,
        captured: 0,
        expired: 1,
        failed: 0,
        filed: 0,
        unfinished: 0,
      },
    });
  });

  test.each<PortCall>([
    'ledger.fileEarlier',
    'ledger.listOpen',
    'payloads.list',
    'records.list',
    'poisonQueue.count',
  ])(
    'does the other parts where one cannot be done at all, but is not said to have swept: %s',
    async (call) => {
      const world = inMemoryPorts();
      world.ledger.create(sent());
      world.pass(91 * DAY_MS);
      world.fail(call, new Error('storage'));
      await expect(sweep(world)).rejects.toThrow('storage');
      expect(world.rows()).toEqual([]);
      expect(world.logged).toEqual([]);
    },
  );

  test('passes what fails for one mail, says so as an error, and goes on with all others', async () => {
    const world = inMemoryPorts();
    const [bad, good] = [awaited(), awaited()];
    for (const row of [bad, good, sent()]) world.ledger.create(row);
    const find = async (_mailbox: string, mailId: string) => {
      if (mailId === bad.facts.mailId) throw new URIError('URI malformed: canary');
      return { kind: 'absent' } as const;
    };
    world.pass(91 * DAY_MS);
    const events = await sweep(world, { mailboxes: { ...world.needs.mailboxes, find } });
    expect(events).toContainEqual({ event: 'SweepFailed', mailId: bad.facts.mailId, name: 'URIError' });
    expect(events.at(-1)).toMatchObject({ event: 'MailSwept', lost: 1, expired: 1, failed: 1 });
    expect(JSON.stringify(events)).not.toContain('canary');
    expect(world.row(good.facts.mailId)?.state).toBe('held');
  });

  test('passes a row that cannot be read', async () => {
    const world = inMemoryPorts();
    const [bad, good] = [awaited(), awaited()];
    for (const row of [bad, good]) world.ledger.create(row);
    const find = async (mailId: string) => {
      if (mailId === bad.facts.mailId) throw new SyntaxError('Unexpected token: canary');
      return world.ledger.find(mailId);
    };
    world.pass(HOUR_MS);
    const events = await sweep(world, { ledger: { ...world.needs.ledger, find } });
    expect(events).toContainEqual({ event: 'SweepFailed', mailId: bad.facts.mailId, name: 'SyntaxError' });
    expect(events.at(-1)).toMatchObject({ event: 'MailSwept', lost: 1, failed: 1 });
  });

  test('ends when its time is over, says how much is unfinished, and begins elsewhere the next time', async () => {
    const world = inMemoryPorts();
    for (let made = 0; made < 5; made += 1) world.ledger.create(awaited());
    const turns: number[] = [];
    const { ledger, mailboxes } = world.needs;
    const listOpen: typeof ledger.listOpen = (shelf, before, turn, isOver) => {
      turns.push(turn);
      return ledger.listOpen(shelf, before, turn, isOver);
    };
    const find = async () => {
      world.pass(50_000);
      return { kind: 'absent' } as const;
    };
    const slow = { mailboxes: { ...mailboxes, find }, ledger: { ...ledger, listOpen } };
    world.pass(HOUR_MS);
    // The part of lost attempts, and the eight after it; filing was done before.
    expect((await sweep(world, slow)).at(-1)).toMatchObject({ event: 'MailSwept', lost: 3, unfinished: 9 });
    world.pass(HOUR_MS);
    expect((await sweep(world, slow)).at(-1)).toMatchObject({ lost: 2, unfinished: 0 });
    expect(new Set(turns).size).toBeGreaterThan(1);
  });

  test('notes when it has completed, for the doctor; one that failed does not', async () => {
    const world = inMemoryPorts();
    await sweep(world);
    expect(await world.needs.heartbeats.read('sweep')).toEqual(NOW);
    world.pass(HOUR_MS);
    world.fail('payloads.list');
    await expect(sweep(world)).rejects.toThrow();
    expect(await world.needs.heartbeats.read('sweep')).toEqual(NOW);
  });

  test('changes nothing the second time', async () => {
    const world = inMemoryPorts();
    for (const row of [awaited(), queued(), sent()]) world.ledger.create(row);
    world.pass(8 * DAY_MS);
    await sweep(world);
    const rows = world.ledger.rows();
    expect(await sweep(world)).toMatchObject([{ event: 'MailSwept', lost: 0, overdue: 0 }]);
    expect(world.ledger.rows()).toEqual(rows);
  });
});
