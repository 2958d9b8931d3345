import { describe, expect, test } from 'vitest';
import type { CallerRules } from '../../../src/lib/callers/caller.ts';
import { type DeliveryFacts, deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { dryRunMail } from '../../../src/lib/delivery/dry-run.ts';
import { sendBatch } from '../../../src/lib/delivery/send-batch.ts';
import { type SendMailRequest, sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { toStatus } from '../../../src/lib/desk/mail-status.ts';
import { replayMail } from '../../../src/lib/desk/replay-mail.ts';
import { reportOf } from '../../../src/lib/errors.ts';
import { newEnvelope, toQueueText } from '../../../src/lib/ledger/queue-message.ts';
import { holdNew } from '../../../src/lib/ledger/transitions.ts';
import { PRIORITIES } from '../../../src/lib/mail/priority.ts';
import type { Pacer, Precedence } from '../../../src/lib/sending/pacing.ts';
import type { SendReport } from '../../../src/lib/sending/send-outcome.ts';
import { aCaller, aDeclaredCaller, knowing } from '../../support/a-caller.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const HOUR_MS = 3_600_000;
const BUSY: SendReport = { kind: 'answered', status: 429, retryAfter: '7' };
const SENT: SendReport = { kind: 'answered', status: 202 };
const later = (ms: number) => new Date(NOW.getTime() + ms);

/** A relay, and with which priority and since when each email asked its lane to go. */
const aRelay = (answer: SendReport = SENT, rules: Partial<CallerRules> = {}) => {
  const world = inMemoryPorts(answer);
  const lanes: Precedence[] = [];
  const enter: Pacer['enter'] = (mailbox, who) => {
    const { priority, waitsSince } = who;
    lanes.push({ priority, waitsSince });
    return world.needs.pacer.enter(mailbox, who);
  };
  const caller = aCaller('payroll', rules);
  let known = knowing(aDeclaredCaller('payroll', { rules }), aDeclaredCaller('queue', { rules }));
  const needs = () => ({ ...world.needs, callers: known, pacer: { ...world.needs.pacer, enter } });
  const deliver = (text: string, more: Partial<DeliveryFacts> = {}) =>
    deliverMail(
      { ...needs(), sending: needs() },
      { text, messageId: 'm', insertedAt: NOW, caller: 'queue', redelivered: false, ...more },
    );
  return {
    ...world,
    lanes,
    needs,
    post: (mail: Record<string, unknown>, more: Partial<SendMailRequest> = {}) =>
      sendMail(needs(), { input: aMail(mail), caller, respondAsync: false, ...more }),
    deliver,
    /** Delivers what is on the queue, once each. */
    deliverAll: async () => {
      for (const { text } of world.messages.splice(0)) await deliver(text);
    },
    limit: (priority: CallerRules['priority']) => {
      const limited = priority === undefined ? {} : { priority };
      known = knowing(
        aDeclaredCaller('payroll', { rules: limited }),
        aDeclaredCaller('queue', { rules: limited }),
      );
    },
  };
};

describe.each(PRIORITIES)('%s is the priority with which its lane is asked', (priority) => {
  const asked = (waitsSince = NOW) => [{ priority, waitsSince }];

  test('by HTTP', async () => {
    const { post, lanes } = aRelay();
    await post({ priority });
    expect(lanes).toEqual(asked());
  });

  test.each<[string, Record<string, unknown>]>([
    ['in a message', {}],
    ['stored, as it is too large for one', { text: 'x'.repeat(60_000) }],
  ])('by HTTP from the queue, %s', async (_, mail) => {
    const { post, deliverAll, lanes } = aRelay();
    await post({ ...mail, priority }, { respondAsync: true });
    await deliverAll();
    expect(lanes).toEqual(asked());
  });

  test('by the queue, since its message was put', async () => {
    const { deliver, lanes } = aRelay();
    await deliver(JSON.stringify(aMail({ priority })), { insertedAt: later(-HOUR_MS) });
    expect(lanes).toEqual(asked(later(-HOUR_MS)));
  });

  test('by the queue, after a time in which nothing was sent', async () => {
    const { needs, messages, deliverAll, lanes } = aRelay();
    const facts = { messageId: 'm', insertedAt: NOW, caller: 'queue', redelivered: false };
    const text = JSON.stringify(aMail({ priority }));
    await deliverMail({ ...needs(), sending: { blocked: 'MAIL_DISABLED' } }, { ...facts, text });
    expect(Buffer.from(messages[0]?.text ?? '', 'base64').toString()).not.toContain('"priority"');
    await deliverAll();
    expect(lanes).toEqual(asked());
  });

  test.each<[string, SendReport]>([
    ['after Graph limited the mailbox', BUSY],
    ['after Graph could not be reached', { kind: 'not-connected' }],
  ])('%s', async (_, report) => {
    const { post, answer, deliverAll, pass, lanes } = aRelay(report);
    await post({ priority });
    answer(SENT);
    pass(HOUR_MS);
    await deliverAll();
    expect(lanes).toEqual([...asked(), ...asked()]);
  });

  test('after its sendAt, since then', async () => {
    const { post, deliverAll, pass, lanes } = aRelay();
    await post({ priority, sendAt: later(HOUR_MS).toISOString() });
    pass(2 * HOUR_MS);
    await deliverAll();
    expect(lanes).toEqual(asked(later(HOUR_MS)));
  });

  test('after an operator replayed it, since then', async () => {
    const { needs, post, rows, deliverAll, answer, pass, lanes } = aRelay({ kind: 'answered', status: 404 });
    await post({ priority }, { respondAsync: true });
    await deliverAll();
    expect(rows()).toMatchObject([{ state: 'held' }]);
    answer(SENT);
    pass(HOUR_MS);
    await replayMail(needs(), rows()[0]?.mailId ?? '');
    await deliverAll();
    expect(lanes).toEqual([...asked(), ...asked(later(HOUR_MS))]);
  });

  test('after the release before held it as an email with an unknown field', async () => {
    const { mailId, facts, content } = aDelivery(aMail({ priority }));
    const { needs, ledger, records, deliverAll, lanes } = aRelay();
    const reason = { code: 'FIELD_UNKNOWN' } as const;
    ledger.create(holdNew(facts, { why: 'refused', reason, record: mailId, hasContent: true }, NOW));
    records.set(mailId, { mailId, heldAt: NOW.toISOString(), reason: reportOf(reason), original: content });
    await replayMail(needs(), mailId);
    await deliverAll();
    expect(lanes).toEqual(asked());
  });

  test('after the release before put its message on the queue again', async () => {
    const { post, deliver, messages, lanes } = aRelay();
    await post({ priority }, { respondAsync: true });
    const { payload: _, ...message } = JSON.parse(Buffer.from(messages[0]?.text ?? '', 'base64').toString());
    await deliver(JSON.stringify(message));
    expect(lanes).toEqual(asked());
  });

  test('after a request that was rejected was repeated', async () => {
    const { post, answer, rows, lanes } = aRelay({ kind: 'answered', status: 403 });
    await post({ priority, idempotencyKey: 'k' }).catch(() => undefined);
    expect(rows()).toMatchObject([{ state: 'rejected' }]);
    answer(SENT);
    await post({ idempotencyKey: 'k' });
    expect(lanes.at(-1)).toEqual(asked()[0]);
    // Bulk goes one by one.
    expect(rows()).toMatchObject([{ state: priority === 'bulk' ? 'queued' : 'sent' }]);
  });
});

describe('the priority', () => {
  test('of each email of a batch is its own', async () => {
    const { needs, lanes } = aRelay();
    const inputs = [...PRIORITIES, undefined].map((priority) => aMail({ priority }));
    await sendBatch(needs(), { inputs, caller: aCaller('payroll'), respondAsync: false });
    expect(lanes.map((one) => one?.priority)).toEqual(['high', 'normal', 'bulk', 'normal']);
  });

  test('is in the ledger, the status and a dry run where it is not normal', async () => {
    for (const priority of PRIORITIES) {
      const told = priority === 'normal' ? {} : { priority };
      const { needs, post } = aRelay();
      const { row } = await post({ priority });
      expect({ ...(row.facts.priority && { priority: row.facts.priority }) }).toEqual(told);
      expect('priority' in toStatus(row) ? { priority: toStatus(row).priority } : {}).toEqual(told);
      const dry = await dryRunMail(needs(), aCaller('payroll'), { input: aMail({ priority }) });
      expect('priority' in dry ? { priority: dry.priority } : {}).toEqual(told);
    }
  });

  test('is not part of what a key stands for: a repeat has the first answer, and the first priority', async () => {
    for (const first of [...PRIORITIES, undefined])
      for (const second of [...PRIORITIES, undefined]) {
        const { post, deliverAll, lanes } = aRelay();
        await post({ priority: first, idempotencyKey: 'k' }, { respondAsync: true });
        const again = await post({ priority: second, idempotencyKey: 'k' }, { respondAsync: true });
        expect(again.repeated).toBe(true);
        await deliverAll();
        expect(lanes.map((one) => one?.priority)).toEqual([first ?? 'normal']);
      }
  });

  test('of an email that says none is the rule of its caller, and stays that when the rule is lifted', async () => {
    const { post, limit, deliverAll, lanes } = aRelay(BUSY, { priority: 'bulk' });
    await post({});
    limit(undefined);
    await deliverAll();
    expect(lanes.map((one) => one?.priority)).toEqual(['bulk', 'bulk']);
  });

  test('of what waits already is lowered with the rule of its caller, and is back when that is lifted', async () => {
    const { post, limit, deliverAll, pass, rows, lanes } = aRelay(BUSY);
    await post({ priority: 'high' });
    for (const rule of ['bulk', 'normal', undefined] as const) {
      limit(rule);
      pass(HOUR_MS);
      await deliverAll();
    }
    expect(lanes.map((one) => one?.priority)).toEqual(['high', 'bulk', 'normal', 'high']);
    expect(rows()).toMatchObject([{ priority: 'high' }]);
  });

  test('that its caller cannot have is rejected by HTTP, and nothing is accepted', async () => {
    const { post, rows, messages } = aRelay(SENT, { priority: 'normal' });
    await expect(post({ priority: 'high' })).rejects.toMatchObject({ code: 'PRIORITY_NOT_ALLOWED' });
    expect([rows(), messages]).toEqual([[], []]);
  });

  test('that its caller cannot have is held from the queue, and replayed it goes with that of its caller', async () => {
    const { needs, deliver, deliverAll, rows, lanes } = aRelay(SENT, { priority: 'normal' });
    await deliver(JSON.stringify(aMail({ priority: 'high' })));
    expect(rows()).toMatchObject([
      { state: 'held', reason: { code: 'PRIORITY_NOT_ALLOWED' }, priority: 'high' },
    ]);
    await replayMail(needs(), rows()[0]?.mailId ?? '');
    await deliverAll();
    expect(lanes.map((one) => one?.priority)).toEqual(['normal']);
    expect(rows()).toMatchObject([{ state: 'sent' }]);
  });

  test('of a message without a row is believed only with the tag of the relay', async () => {
    const { deliver, lanes } = aRelay();
    const contentHash = IDENTITY.hashOfContent(aMail());
    const envelope = newEnvelope({
      ...{ mailId: '0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee', acceptedAt: NOW, caller: 'queue', contentHash },
      content: { mail: aMail({ priority: 'bulk' }) },
    });
    const message = JSON.parse(Buffer.from(toQueueText(envelope, IDENTITY), 'base64').toString());
    await deliver(JSON.stringify({ ...message, payload: message.payload.replace('bulk', 'high') }));
    expect(lanes.map((one) => one?.priority)).toEqual(['normal']);
  });
});
