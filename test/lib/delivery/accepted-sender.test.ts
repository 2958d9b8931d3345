import { describe, expect, test } from 'vitest';
import type { CallerRules } from '../../../src/lib/callers/caller.ts';
import type { DeclaredCaller } from '../../../src/lib/callers/known-callers.ts';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { replayMail } from '../../../src/lib/desk/replay-mail.ts';
import { aCaller, aDeclaredCaller, knowing } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts, type World } from '../../support/in-memory-ports.ts';

const HOUR_MS = 3_600_000;
const [HELP, PAY] = ['helpdesk@contoso.example', 'payroll@contoso.example'];
const accept = {
  senderPolicy: {
    defaultSender: { name: 'Contoso', address: 'noreply@contoso.example' },
    allowedSenders: ['*@contoso.example'],
  },
};
const rulesOf = (...senders: readonly string[]): Partial<CallerRules> => ({ senders });
const { from: _, ...mail } = aMail() as Record<string, unknown>;

/** The relay while the callers are so. */
const needsOf = (world: World, ...declared: readonly DeclaredCaller[]) => ({
  ...world.needs,
  accept: { ...world.needs.accept, ...accept },
  callers: knowing(...declared),
});

const deliverAll = async (world: World, ...declared: readonly DeclaredCaller[]) => {
  const needs = needsOf(world, ...declared);
  for (const { text } of world.messages.splice(0))
    await deliverMail(
      { ...needs, sending: needs },
      { text, insertedAt: needs.clock.now(), caller: 'queue', redelivered: false },
    );
};

/** An email without a sender that its caller has queued while these were its senders. */
const queued = async (...senders: readonly string[]) => {
  const world = inMemoryPorts();
  const { row } = await sendMail(needsOf(world), {
    input: mail,
    caller: aCaller('erp', rulesOf(...senders)),
    respondAsync: true,
  });
  return { world, mailId: row.facts.mailId };
};

describe('an email that names no sender goes as the one it was accepted as', () => {
  test('also where the default of its caller is another one by then', async () => {
    const { world, mailId } = await queued(HELP);
    await deliverAll(world, aDeclaredCaller('erp', { rules: rulesOf(PAY, HELP) }));
    expect(world.row(mailId)).toMatchObject({ state: 'sent', sender: HELP });
    expect(world.plans.map(({ mailbox }) => mailbox)).toEqual([HELP]);
  });

  test('and is held where its caller may no longer send as that', async () => {
    const { world, mailId } = await queued(HELP);
    await deliverAll(world, aDeclaredCaller('erp', { rules: rulesOf(PAY) }));
    expect(world.row(mailId)).toMatchObject({ state: 'held', reason: { code: 'SENDER_NOT_ALLOWED' } });
    expect(world.plans).toEqual([]);
  });

  test('and is held in doubt where an attempt may have sent it: the refusal must not hide that', async () => {
    const world = inMemoryPorts();
    const { row } = await sendMail(needsOf(world), {
      input: { ...mail, onUnknown: 'resend' },
      caller: aCaller('erp', rulesOf(HELP)),
      respondAsync: true,
    });
    world.answer({ kind: 'answered', status: 504 });
    await deliverAll(world, aDeclaredCaller('erp', { rules: rulesOf(HELP) }));
    world.pass(HOUR_MS);
    await deliverAll(world, aDeclaredCaller('erp', { rules: rulesOf(PAY) }));
    expect(world.row(row.facts.mailId)).toMatchObject({
      state: 'held',
      why: 'doubt',
      reason: { code: 'OUTCOME_UNKNOWN', detail: expect.stringContaining('SENDER_NOT_ALLOWED') },
    });
    expect(world.plans).toHaveLength(1);
  });

  test('an email that was held before anybody knew its sender gets one when it goes', async () => {
    const world = inMemoryPorts();
    const put = (needs: ReturnType<typeof needsOf>) =>
      deliverMail(
        { ...needs, sending: needs },
        {
          text: JSON.stringify(mail),
          messageId: '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61',
          insertedAt: needs.clock.now(),
          caller: 'erp',
          redelivered: false,
        },
      );
    await put(needsOf(world));
    const [held] = world.rows();
    expect(held).toMatchObject({ state: 'held', reason: { code: 'CALLER_REMOVED' }, sender: '' });
    await replayMail(world.needs, String(held?.mailId));
    await deliverAll(world, aDeclaredCaller('erp', { rules: rulesOf(HELP) }));
    expect(world.row(String(held?.mailId))).toMatchObject({ state: 'sent', sender: HELP });
    expect(world.plans.map(({ mailbox }) => mailbox)).toEqual([HELP]);
  });
});

describe('what an instance knows of callers can be a minute old', () => {
  test.each<[string, readonly DeclaredCaller[]]>([
    ['a caller that is new', []],
    ['a caller that was switched on again', [aDeclaredCaller('erp', { rules: { isDisabled: true } })]],
    ['a caller that may send as more by now', [aDeclaredCaller('erp', { rules: rulesOf(PAY) })]],
  ])('so an email is not held before they were read again: %s', async (_case, stale) => {
    const { world, mailId } = await queued(HELP);
    const newest = aDeclaredCaller('erp', { rules: rulesOf(HELP) });
    const needs = needsOf(world, newest);
    const callers = { known: knowing(...stale).known, refreshed: knowing(newest).refreshed };
    for (const { text } of world.messages.splice(0))
      await deliverMail(
        { ...needs, callers, sending: { ...needs, callers } },
        { text, insertedAt: needs.clock.now(), caller: 'queue', redelivered: false },
      );
    expect(world.row(mailId)).toMatchObject({ state: 'sent' });
  });
});
