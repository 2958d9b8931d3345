import { describe, expect, test } from 'vitest';
import type { CallerRules } from '../../../src/lib/callers/caller.ts';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { sweepOverdue } from '../../../src/lib/delivery/sweep-open.ts';
import { cancelMail } from '../../../src/lib/desk/cancel-mail.ts';
import { readMailStatus } from '../../../src/lib/desk/mail-status.ts';
import { replayMail } from '../../../src/lib/desk/replay-mail.ts';
import { aCaller, aDeclaredCaller, knowing } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, type World } from '../../support/in-memory-ports.ts';
import { aRun, DAY_MS, HOUR_MS } from './sweep-for-tests.ts';

const COUNTED = '2026-03-02T08:00:00.000Z';
const MIDNIGHT = '2026-03-03T00:00:00.000Z';

/** A relay whose queue has a limit, and a way to bring it messages. */
const limited = (rules: Partial<CallerRules> = { mailsPerDay: 1 }, world: World = inMemoryPorts()) => {
  let number = 0;
  let callers = knowing(aDeclaredCaller('queue', { rules }));
  const deliver = (text: string, messageId = `message-${number}`, redelivered = false) => {
    number += 1;
    const needs = { ...world.needs, callers };
    const facts = { text, messageId, insertedAt: world.needs.clock.now(), caller: 'queue', redelivered };
    return deliverMail({ ...needs, sending: needs }, facts);
  };
  return {
    ...world,
    deliver,
    /** A new email of an application. */
    put: (content: Record<string, unknown> = aMail({ subject: `Mail ${number}` }), redelivered = false) =>
      deliver(JSON.stringify(content), undefined, redelivered),
    /** The message that was put on the queue last, when its time has come. */
    comeBack: async (ms?: number) => {
      const { text, delayMs } = world.messages.pop()!;
      world.pass(ms ?? delayMs);
      await deliver(text);
    },
    limit: (next: Partial<CallerRules>) => {
      callers = knowing(aDeclaredCaller('queue', { rules: next }));
    },
    states: () => world.rows().map(({ state }) => state),
    events: () => world.logged.map(({ event }) => event),
  };
};

/** The same, with one email sent and a second one that waits. */
const withWaiting = async (rules?: Partial<CallerRules>) => {
  const world = limited(rules);
  await world.put();
  await world.put();
  return world;
};

describe('an email from the queue that is over the limit of its caller', () => {
  test('waits: its row says why and until when, and its message is back on the queue', async () => {
    const world = await withWaiting();
    expect(world.rows()).toMatchObject([
      { state: 'sent', countedAt: COUNTED },
      { state: 'queued', limited: { reason: { code: 'CALLER_LIMIT_REACHED' }, until: MIDNIGHT } },
    ]);
    expect(world.queued()).toMatchObject([{ delayMs: 0.75 * HOUR_MS, turn: 0, caller: 'queue' }]);
    expect(world.logged.at(-1)).toMatchObject({ event: 'MailLimited', caller: 'queue', until: MIDNIGHT });
    const { id: _, ...status } = await readMailStatus(world.needs, world.rows()[1]!.mailId, aCaller('queue'));
    expect(status).toMatchObject({
      state: 'queued',
      until: MIDNIGHT,
      reason: { code: 'CALLER_LIMIT_REACHED', remedy: expect.stringMatching(/^Wait\./) },
    });
  });

  test('looks again within the hour, which costs one read and one message and writes no row', async () => {
    const world = await withWaiting();
    world.effects.length = 0;
    for (const call of ['payloads.read', 'ledger.replace', 'ledger.create'] as const) world.fail(call);
    await world.comeBack();
    expect(world.effects).toEqual(['mailQueue.put']);
    expect(world.events().filter((event) => event === 'MailLimited')).toHaveLength(1);
  });

  test('goes after midnight, and counts for that day', async () => {
    const world = await withWaiting();
    await world.comeBack(16 * HOUR_MS);
    expect(world.states()).toEqual(['sent', 'sent']);
    expect(world.rows()[1]).toMatchObject({ countedAt: MIDNIGHT });
    expect(world.usages.read('2026-03-03', 'queue').taken.mails).toBe(1);
    await world.put();
    expect(world.states()).toEqual(['sent', 'sent', 'queued']);
  });

  test('goes when the limit is raised, or removed', async () => {
    const raised = await withWaiting();
    raised.limit({ mailsPerDay: 2 });
    await raised.comeBack();
    const removed = await withWaiting();
    removed.limit({});
    await removed.comeBack();
    expect([raised.states(), removed.states()]).toEqual([
      ['sent', 'sent'],
      ['sent', 'sent'],
    ]);
  });

  test('is held by what else is to be said of it: its caller is switched off', async () => {
    const world = await withWaiting();
    world.limit({ mailsPerDay: 1, isDisabled: true });
    await world.comeBack();
    expect(world.rows()[1]).toMatchObject({ state: 'held', reason: { code: 'CALLER_DISABLED' } });
  });

  test('is counted once, also where its message comes twice', async () => {
    const world = await withWaiting({ mailsPerDay: 1 });
    const copy = world.messages[0]!.text;
    world.limit({ mailsPerDay: 2 });
    await Promise.all([world.deliver(copy), world.deliver(copy)]);
    expect(world.states()).toEqual(['sent', 'sent']);
    expect(world.plans).toHaveLength(2);
    expect(world.usages.read('2026-03-02', 'queue').taken.mails).toBe(2);
  });

  test('is written once for each day that it waits', async () => {
    const world = await withWaiting({ mailsPerDay: 1 });
    world.pass(16 * HOUR_MS);
    await world.put();
    world.logged.length = 0;
    await world.comeBack(0);
    expect(world.rows()[1]).toMatchObject({ limited: { until: '2026-03-04T00:00:00.000Z' } });
    expect(world.events()).toContain('MailLimited');
  });

  test('keeps its stored content young, which Storage deletes by its age', async () => {
    const world = limited();
    await world.put();
    await world.put(aMail({ text: 'x'.repeat(50_000) }));
    world.effects.length = 0;
    await world.comeBack();
    expect(world.effects).toEqual(['payloads.keep', 'mailQueue.put']);
  });

  test('is held after five days, with its content, so that a person sees it; and can be replayed', async () => {
    const world = await withWaiting();
    for (let day = 1; day < 5; day += 1) {
      world.pass(DAY_MS);
      await world.put();
      await world.comeBack(0);
      expect(world.states()[1]).toBe('queued');
    }
    world.pass(DAY_MS);
    await world.put();
    await world.comeBack(0);
    const held = world.rows()[1]!;
    expect(held).toMatchObject({ state: 'held', why: 'refused', reason: { code: 'CALLER_LIMIT_REACHED' } });
    expect(world.records.get(held.mailId)?.original).toEqual(aMail({ subject: 'Mail 1' }));
    world.messages.length = 0;
    await replayMail(world.needs, held.mailId);
    await world.comeBack();
    expect(world.states()[1]).toBe('queued');
    world.pass(16 * HOUR_MS);
    await world.comeBack(0);
    expect(world.states()[1]).toBe('sent');
  });

  test('is not overdue while it waits, and is once its message has not come for a day', async () => {
    const world = await withWaiting();
    const overdue = async (ms: number) => {
      world.pass(ms);
      world.logged.length = 0;
      await sweepOverdue(world.needs, aRun());
      return world.events();
    };
    expect(await overdue(16 * HOUR_MS + DAY_MS - 1)).toEqual([]);
    expect(await overdue(2)).toEqual(['MailOverdue']);
    expect(await overdue(6 * DAY_MS)).toContain('MailHeld');
    expect(world.rows()[1]).toMatchObject({ state: 'held', reason: { code: 'MAIL_LOST' } });
  });

  test('has all its time for attempts once it was counted, however long it has waited', async () => {
    const world = await withWaiting();
    world.answer({ kind: 'answered', status: 503 });
    world.pass(3 * DAY_MS);
    await world.comeBack(0);
    await world.comeBack();
    expect(world.rows()[1]).toMatchObject({ state: 'deferred', countedAt: '2026-03-05T08:00:00.000Z' });
  });

  test('can be canceled by its caller', async () => {
    const world = await withWaiting();
    await cancelMail(world.needs, world.rows()[1]!.mailId, aCaller('queue'));
    await world.comeBack();
    expect(world.states()).toEqual(['sent', 'canceled']);
  });

  test('and over the limit of any day is held under the id of its message, so that its correction can use the key', async () => {
    const world = limited({ recipientsPerDay: 1 });
    const mail = aMail({ cc: 'another@contoso.example', idempotencyKey: 'a' });
    await world.put(mail);
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'CALLER_LIMIT_TOO_LOW' } }]);
    expect(world.rows()[0]?.mailId).not.toBe(IDENTITY.mailIdOfKey('queue', 'a'));
    await world.put(aMail({ idempotencyKey: 'a' }));
    expect(world.states()).toEqual(['held', 'sent']);
  });
});

describe('an email of a caller with a limit', () => {
  test('that comes again in another message with its key is not counted, not for a moment either', async () => {
    const world = limited({ mailsPerDay: 2 });
    const mail = aMail({ idempotencyKey: 'a' });
    await world.put(mail);
    await world.put(mail);
    expect(world.states()).toEqual(['sent']);
    expect(world.usages.read('2026-03-02', 'queue').taken.mails).toBe(1);
    await world.put();
    expect(world.states()).toEqual(['sent', 'sent']);
  });

  test('with sendAt counts on the day it is sent where it came by the queue', async () => {
    const world = limited();
    await world.put(aMail({ sendAt: '2026-03-03T08:00:00Z' }));
    expect(world.usages.read('2026-03-02', 'queue').taken.mails).toBe(0);
    await world.comeBack();
    expect(world.rows()).toMatchObject([{ state: 'sent', countedAt: '2026-03-03T08:00:00.000Z' }]);
  });

  test('that was counted when it was accepted by HTTP is not counted again, nor kept back by the limit', async () => {
    const world = limited();
    const rules = { mailsPerDay: 1 };
    const callers = knowing(aDeclaredCaller('payroll', { rules }));
    const request = { input: aMail(), caller: aCaller('payroll', rules), respondAsync: true };
    await sendMail(world.needs, request);
    const needs = { ...world.needs, callers };
    const { text } = world.messages.pop()!;
    const insertedAt = world.needs.clock.now();
    await deliverMail(
      { ...needs, sending: needs },
      { text, messageId: 'm', insertedAt, caller: 'queue', redelivered: false },
    );
    expect(world.rows()).toMatchObject([{ state: 'sent', countedAt: COUNTED }]);
    expect(world.usages.read('2026-03-02', 'payroll').taken.mails).toBe(1);
  });

  test('is not counted again at its later attempts, nor when it is replayed', async () => {
    const world = limited({ mailsPerDay: 1 }, inMemoryPorts({ kind: 'answered', status: 503 }));
    await world.put();
    await world.comeBack();
    world.answer({ kind: 'answered', status: 404, upstreamCode: 'ErrorInvalidUser' });
    await world.comeBack();
    expect(world.states()).toEqual(['held']);
    world.answer({ kind: 'answered', status: 202 });
    await replayMail(world.needs, world.rows()[0]!.mailId);
    await world.comeBack();
    expect(world.rows()).toMatchObject([{ state: 'sent', countedAt: COUNTED }]);
    expect(world.usages.read('2026-03-02', 'queue').taken.mails).toBe(1);
  });

  test('that another invocation claimed first is given back', async () => {
    const world = limited({ mailsPerDay: 2 });
    const text = JSON.stringify(aMail());
    await Promise.all([world.deliver(text, 'same'), world.deliver(text, 'same')]);
    expect(world.plans).toHaveLength(1);
    await world.put();
    expect(world.states()).toEqual(['sent', 'sent']);
  });

  test('waits on the queue where nobody can find out what is left', async () => {
    const world = limited();
    world.fail('usages.read');
    await world.put();
    expect(world.rows()).toEqual([]);
    expect(world.events()).toEqual(['StorageAwaited']);
    world.mend();
    await world.comeBack();
    expect(world.states()).toEqual(['sent']);
  });
});
