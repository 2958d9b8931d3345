import type { Timer } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { sweepMailTimer } from '../../src/functions/sweep-mail.timer.ts';
import { reportOf } from '../../src/lib/errors.ts';
import { newMailId } from '../../src/lib/ledger/mail-id.ts';
import { claim, claimNew, holdNew, queueNew, recordSent } from '../../src/lib/ledger/transitions.ts';
import type { Ledger } from '../../src/lib/ports.ts';
import { aNewMail } from '../support/a-new-mail.ts';
import { inMemoryPorts, NOW, type World } from '../support/in-memory-ports.ts';
import { invocation } from './invocation.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const newMail = () => aNewMail(NOW, { mailId: newMailId(NOW) });
const queued = () => queueNew(newMail(), NOW);
const sent = () => recordSent(claim(queued(), NOW), { at: NOW.toISOString(), outcome: 'accepted' }, NOW);

const timer: Timer = {
  isPastDue: false,
  schedule: { adjustForDST: false },
  scheduleStatus: { last: '', next: '', lastUpdated: '' },
};

const sweep = async (world: World) => {
  const { context, logged } = invocation();
  await sweepMailTimer((log) => ({ ...world.needs, log }))(timer, context);
  return logged.map(({ event }) => event);
};

describe('sweepMail', () => {
  test('deletes the content of a mail that is done, or that is in no ledger, once it is a day old', async () => {
    const world = inMemoryPorts();
    const [waiting, done] = [queued(), sent()];
    for (const row of [waiting, done]) world.ledger.create(row);
    for (const { mailId } of [waiting.facts, done.facts, newMail()])
      await world.needs.payloads.put(mailId, 'hash', '{}');

    world.pass(DAY_MS);
    expect(await sweep(world)).toContainEqual(expect.objectContaining({ event: 'MailSwept', payloads: 0 }));
    world.pass(1);
    expect(await sweep(world)).toContainEqual(expect.objectContaining({ event: 'MailSwept', payloads: 2 }));
    expect([...world.payloads.keys()]).toEqual([`${waiting.facts.mailId} hash`]);
  });

  test('looks for a mail whose caller got no answer, and holds it when it is not there', async () => {
    const world = inMemoryPorts();
    const row = claimNew(newMail(), false, NOW);
    world.ledger.create(row);
    world.pass(HOUR_MS);
    expect(await sweep(world)).toContainEqual(expect.objectContaining({ event: 'MailSwept', lost: 1 }));
    expect(world.looked).toEqual([row.facts.mailId]);
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'MAIL_LOST' } }]);
  });

  test('leaves an attempt alone that may still be under way, and one whose message will come back', async () => {
    const world = inMemoryPorts();
    world.ledger.create(claimNew(newMail(), true, NOW));
    world.pass(HOUR_MS);
    world.ledger.create(claimNew(newMail(), false, new Date(NOW.getTime() + HOUR_MS)));
    await sweep(world);
    expect(world.rows().map(({ state }) => state)).toEqual(['sending', 'sending']);
  });

  test('tells of a mail that waits for longer than it should, and gives it up after a week', async () => {
    const world = inMemoryPorts();
    const row = queued();
    world.ledger.create(row);
    world.pass(DAY_MS + 1);
    expect(await sweep(world)).toContainEqual({
      event: 'MailOverdue',
      mailId: row.facts.mailId,
      state: 'queued',
    });
    expect(world.ledger.rows()).toEqual([row]);
    world.pass(6 * DAY_MS);
    await sweep(world);
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'MAIL_LOST' } }]);
  });

  test('passes what fails for one mail, says so as an error, and goes on with all others', async () => {
    const world = inMemoryPorts();
    const [bad, good] = [claimNew(newMail(), false, NOW), claimNew(newMail(), false, NOW)];
    for (const row of [bad, good]) world.ledger.create(row);
    world.ledger.create(sent());
    const findInMailbox = async (_mailbox: string, mailId: string) => {
      if (mailId === bad.facts.mailId) throw new URIError('URI malformed: canary');
      return { kind: 'absent' } as const;
    };
    world.pass(91 * DAY_MS);
    const events = await sweep({
      ...world,
      needs: { ...world.needs, mailboxes: { find: findInMailbox } } as never,
    });
    expect(events).toContainEqual({ event: 'SweepFailed', mailId: bad.facts.mailId, name: 'URIError' });
    expect(events.at(-1)).toMatchObject({ event: 'MailSwept', lost: 1, expired: 1, failed: 1 });
    expect(JSON.stringify(events)).not.toContain('canary');
    expect(world.row(good.facts.mailId)?.state).toBe('held');
  });

  test('does the other parts where one cannot be done at all, but is not said to have swept', async () => {
    const world = inMemoryPorts();
    world.ledger.create(sent());
    const listPayloads = () => {
      throw new Error('storage');
    };
    world.pass(91 * DAY_MS);
    const broken = { ...world, needs: { ...world.needs, payloads: { list: listPayloads } } as never };
    await expect(sweep(broken)).rejects.toThrow('storage');
    expect(world.rows()).toEqual([]);
  });

  test('passes a row that cannot be read', async () => {
    const world = inMemoryPorts();
    const [bad, good] = [claimNew(newMail(), false, NOW), claimNew(newMail(), false, NOW)];
    for (const row of [bad, good]) world.ledger.create(row);
    const find = async (mailId: string) => {
      if (mailId === bad.facts.mailId) throw new SyntaxError('Unexpected token: canary');
      return world.ledger.find(mailId);
    };
    world.pass(HOUR_MS);
    const ledger = { ...world.needs.ledger, find };
    const events = await sweep({ ...world, needs: { ...world.needs, ledger } as never });
    expect(events).toContainEqual({ event: 'SweepFailed', mailId: bad.facts.mailId, name: 'SyntaxError' });
    expect(events.at(-1)).toMatchObject({ event: 'MailSwept', lost: 1, failed: 1 });
  });

  test('ends when its time is over, says how much is unfinished, and begins elsewhere the next time', async () => {
    const world = inMemoryPorts();
    for (let made = 0; made < 5; made += 1) world.ledger.create(claimNew(newMail(), false, NOW));
    const turns: number[] = [];
    const listOpen = (...[shelf, before, turn, isOver]: Parameters<Ledger['listOpen']>) => {
      turns.push(turn);
      return world.needs.ledger.listOpen(shelf, before, turn, isOver);
    };
    const findInMailbox = async () => {
      world.pass(50_000);
      return { kind: 'absent' } as const;
    };
    const slow = {
      ...world,
      needs: {
        ...world.needs,
        mailboxes: { find: findInMailbox },
        ledger: { ...world.needs.ledger, listOpen },
      } as never,
    };
    world.pass(HOUR_MS);
    expect((await sweep(slow)).at(-1)).toMatchObject({ event: 'MailSwept', lost: 3 });
    world.pass(HOUR_MS);
    expect((await sweep(slow)).at(-1)).toMatchObject({ lost: 2, unfinished: 0 });
    expect(new Set(turns).size).toBeGreaterThan(1);
  });

  test('says so when messages stay on the poison queue', async () => {
    const world = inMemoryPorts();
    expect(await sweep(world)).not.toContainEqual(expect.objectContaining({ event: 'MessagesStuck' }));
    await world.needs.poisonQueue.put('x', 0);
    expect(await sweep(world)).toContainEqual({ event: 'MessagesStuck', messages: 1 });
  });

  test('stops a part in which nothing works any more', async () => {
    const world = inMemoryPorts();
    for (let made = 0; made < 50; made += 1) world.ledger.create(claimNew(newMail(), false, NOW));
    let asked = 0;
    const findInMailbox = async () => {
      asked += 1;
      throw new Error('nothing works');
    };
    world.pass(HOUR_MS);
    await expect(
      sweep({ ...world, needs: { ...world.needs, mailboxes: { find: findInMailbox } } as never }),
    ).rejects.toThrow();
    expect(asked).toBe(21);
  });

  test('deletes the record of a mail that was held again since, under another name', async () => {
    const world = inMemoryPorts();
    const reason = { code: 'GIVEN_UP' } as const;
    const row = holdNew(newMail(), { why: 'refused', reason, record: 'its-record', hasContent: true }, NOW);
    world.ledger.create(row);
    for (const name of ['its-record', 'another'])
      world.records.set(name, {
        mailId: row.facts.mailId,
        heldAt: NOW.toISOString(),
        reason: reportOf(reason),
        original: {},
      });
    world.pass(DAY_MS + 1);
    await sweep(world);
    expect([...world.records.keys()]).toEqual(['its-record']);
  });

  test('forgets mails that are done after the days of the ledger', async () => {
    const world = inMemoryPorts();
    world.ledger.create(sent());
    world.pass(90 * DAY_MS);
    expect(await sweep(world)).toContainEqual(expect.objectContaining({ expired: 0 }));
    world.pass(DAY_MS);
    expect(await sweep(world)).toContainEqual(expect.objectContaining({ expired: 1 }));
    expect(world.rows()).toEqual([]);
  });
});
