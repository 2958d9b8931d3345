import { describe, expect, test } from 'vitest';
import { concludeAttempt } from '../../../src/lib/delivery/conclude-attempt.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import type { SendOutcome } from '../../../src/lib/sending/send-outcome.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const { mailId, content, rows, envelope } = aDelivery();

const conclude = async (outcome: SendOutcome, row = rows.sending, callerWaits = false) => {
  const world = inMemoryPorts();
  const entry = world.ledger.create(row)!;
  const mail = readMail(content);
  const readOriginal = async () => content;
  const ended = { ...entry, outcome, mail, envelope, readOriginal, callerWaits };
  return { ...world, row: await concludeAttempt(world.needs, ended) };
};

describe('an attempt that ended', () => {
  test.each<[SendOutcome['kind'], SendOutcome, boolean, string]>([
    ['accepted', { kind: 'accepted' }, false, 'sent'],
    ['rejected', { kind: 'rejected', code: 'RECIPIENT_REFUSED' }, false, 'held'],
    ['rejected', { kind: 'rejected', code: 'RECIPIENT_REFUSED' }, true, 'rejected'],
    ['not-sent', { kind: 'not-sent', code: 'GRAPH_UNREACHABLE' }, false, 'deferred'],
    ['unknown', { kind: 'unknown', code: 'OUTCOME_UNKNOWN' }, false, 'unknown'],
  ])(
    'as %s is recorded as that, with its outcome: %o, a caller waits %s: %s',
    async (_kind, outcome, callerWaits, state) => {
      const { row, ledger } = await conclude(outcome, rows.sending, callerWaits);
      expect(row.fate.state).toBe(state);
      expect(ledger.rows()).toEqual([row]);
      const { kind, ...facts } = outcome;
      expect(row.progress.attempts).toEqual([{ at: NOW.toISOString(), outcome: kind, ...facts }]);
    },
  );

  test('without a known outcome is told of in the log before anything else is done', async () => {
    const { effects, logged } = await conclude({
      kind: 'unknown',
      code: 'OUTCOME_UNKNOWN',
      graphRequestId: 'r',
    });
    expect(effects[0]).toBe('log MailUnknown');
    expect(logged[0]).toEqual({
      event: 'MailUnknown',
      mailId,
      attempts: 1,
      code: 'OUTCOME_UNKNOWN',
      graphRequestId: 'r',
    });
  });

  test('waits the longer the more attempts there were, also those no longer kept', async () => {
    const tried = { ...rows.sending, progress: { ...rows.sending.progress, omittedAttempts: 4 } };
    const { messages } = await conclude({ kind: 'not-sent', code: 'GRAPH_UNREACHABLE' }, tried);
    expect(messages).toMatchObject([{ delayMs: 300_000 }]);
  });

  test('is given up by the time since an operator replayed it', async () => {
    const old = new Date(NOW.getTime() - 48 * 3_600_000).toISOString();
    const facts = { ...rows.sending.facts, acceptedAt: old };
    const progress = { ...rows.sending.progress, omittedAttempts: 4 };
    const outcome = { kind: 'not-sent', code: 'GRAPH_UNREACHABLE' } as const;
    expect((await conclude(outcome, { ...rows.sending, facts, progress })).row.fate.state).toBe('held');
    const replayed = { ...progress, replayedAt: NOW.toISOString() };
    expect((await conclude(outcome, { ...rows.sending, facts, progress: replayed })).row.fate.state).toBe(
      'deferred',
    );
  });

  test('whose blind resend is used is held, however the email is set', async () => {
    const resent = { ...rows.sending, progress: { ...rows.sending.progress, resent: true } };
    const world = inMemoryPorts();
    const entry = world.ledger.create(resent)!;
    const ended = {
      ...entry,
      outcome: { kind: 'unknown', code: 'OUTCOME_UNKNOWN' },
      mail: readMail({ ...content, onUnknown: 'resend' }),
      envelope,
      readOriginal: async () => content,
      callerWaits: false,
    } as const;
    expect((await concludeAttempt(world.needs, ended)).fate).toMatchObject({ state: 'held', why: 'doubt' });
    expect(world.messages).toEqual([]);
  });
});
