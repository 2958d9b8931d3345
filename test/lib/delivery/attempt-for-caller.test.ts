import { describe, expect, test } from 'vitest';
import { judgeMail, planMail } from '../../../src/lib/delivery/accept-mail.ts';
import { concludeForCaller, notStored } from '../../../src/lib/delivery/attempt-for-caller.ts';
import { isStorageFailure } from '../../../src/lib/delivery/storage-failure.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { recordUnknown } from '../../../src/lib/ledger/transitions.ts';
import type { SendOutcome } from '../../../src/lib/sending/send-outcome.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW, type PortCall } from '../../support/in-memory-ports.ts';
import { errorOf } from '../../support/problems-of.ts';

const { mailId, content, rows, envelope } = aDelivery();
const accepted = { kind: 'accepted' } as const;
const rejected = { kind: 'rejected', code: 'MAILBOX_NOT_FOUND', upstreamCode: 'ErrorInvalidUser' } as const;
const throttled = { kind: 'not-sent', code: 'GRAPH_THROTTLED' } as const;
const unknown = { kind: 'unknown', code: 'OUTCOME_UNKNOWN' } as const;

/** A caller waits for an attempt that has ended so. */
const waiting = async (outcome: SendOutcome) => {
  const world = inMemoryPorts();
  const entry = world.ledger.create({
    ...rows.sending,
    progress: { ...rows.sending.progress, inQueue: false },
  })!;
  const judged = judgeMail(world.needs.accept, aCaller(), 'http', content);
  const mail = {
    accepted: await planMail(world.needs, world.needs.accept, IDENTITY, envelope, content, judged),
    input: content,
    envelope,
    isSame: () => true,
  };
  return { ...world, conclude: () => concludeForCaller(world.needs, mail, { ...entry, outcome }) };
};

describe('a caller who waits for an attempt', () => {
  test.each<[SendOutcome, string]>([
    [accepted, 'sent'],
    [throttled, 'deferred'],
    [unknown, 'unknown'],
  ])('gets what the ledger says then: %o', async (outcome, state) => {
    const { conclude, ledger } = await waiting(outcome);
    const row = await conclude();
    expect(row.fate.state).toBe(state);
    expect(ledger.rows()).toEqual([row]);
  });

  test('gets the reason where it was rejected, and has the email still', async () => {
    const { conclude, rows: all, records } = await waiting(rejected);
    await expect(conclude()).rejects.toMatchObject({
      code: 'MAILBOX_NOT_FOUND',
      facts: { upstreamCode: 'ErrorInvalidUser' },
    });
    expect(all()).toMatchObject([{ state: 'rejected' }]);
    expect(records.size).toBe(0);
  });
});

describe('a caller who waits while storage fails', () => {
  test.each<[PortCall, SendOutcome, string, RegExp | undefined]>([
    ['ledger.replace', accepted, 'OUTCOME_UNKNOWN', /Graph accepted the email.*Do not send it again/],
    ['mailQueue.put', unknown, 'OUTCOME_UNKNOWN', /Check Sent Items before you send it again/],
    ['ledger.replace', rejected, 'MAILBOX_NOT_FOUND', undefined],
    ['events.put', rejected, 'MAILBOX_NOT_FOUND', undefined],
    ['mailQueue.put', throttled, 'MAIL_NOT_STORED', undefined],
  ])('at %s is told what the attempt itself came to: %o', async (call, outcome, code, detail) => {
    const { conclude, fail } = await waiting(outcome);
    fail(call);
    const error: unknown = await conclude().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    if (detail !== undefined) expect((error as AppError).facts.detail).toMatch(detail);
  });

  test('may send again only once the email is taken back', async () => {
    const { conclude, fail, rows: all } = await waiting(throttled);
    fail('mailQueue.put');
    await expect(conclude()).rejects.toMatchObject({ code: 'MAIL_NOT_STORED' });
    expect(all()).toMatchObject([{ state: 'rejected', reason: { code: 'MAIL_NOT_STORED' } }]);
  });

  test('is told that the email is under way where its message went out after all and was taken', async () => {
    const { conclude, loseAnswer, meanwhile, ledger, messages } = await waiting(throttled);
    loseAnswer('mailQueue.put');
    meanwhile('ledger.replace', () => {
      const attempt = { at: NOW.toISOString(), outcome: 'unknown' } as const;
      ledger.replace(
        recordUnknown(rows.sending, attempt, { code: 'OUTCOME_UNKNOWN' }, NOW),
        ledger.find(mailId)!.etag,
      );
    });
    expect((await conclude()).fate.state).toBe('sending');
    expect(messages).toHaveLength(1);
  });

  test('is told the same of a fault of ours', async () => {
    const { conclude, fail } = await waiting(accepted);
    fail('ledger.replace', new TypeError('a fault'));
    await expect(conclude()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  });
});

describe('storage that failed before anything was written', () => {
  const failure = new AppError('STORAGE_UNAVAILABLE');

  test('is told as an email that is not stored', () => {
    expect(errorOf(() => notStored(failure))).toMatchObject({
      code: 'MAIL_NOT_STORED',
      facts: { cause: failure },
    });
  });

  test('is the only thing that is told so', () => {
    for (const other of [new TypeError('a fault'), new AppError('MAIL_LOST'), 'text']) {
      expect(isStorageFailure(other)).toBe(false);
      expect(() => notStored(other)).toThrow(other);
    }
  });
});
