import { describe, expect, test } from 'vitest';
import { forgetMail } from '../../../src/lib/desk/forget-mail.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { cancel, recordUntold } from '../../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { makeFakeOperatorTrail } from '../../support/fake-operator-trail.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const { mailId, rows } = aDelivery();
const OPERATOR = { name: 'Ming', with: 'master key' } as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const canceled = cancel(rows.queued, NOW);

const forgetting = (row: LedgerRow, afterMs: number) => {
  const world = inMemoryPorts();
  world.ledger.create(row);
  world.pass(afterMs);
  const operatorTrail = makeFakeOperatorTrail();
  return {
    ...world,
    forget: () => forgetMail({ ...world.needs, operatorTrail }, OPERATOR, mailId),
    trail: async () => (await operatorTrail.list('')).acts,
  };
};

describe('an operator who deletes everything of an email', () => {
  test.each([
    ['sent', rows.sent, HOUR_MS],
    ['rejected', rows.rejected, HOUR_MS],
    ['held', rows.held, HOUR_MS],
    ['canceled eight days ago', canceled, 8 * DAY_MS],
  ])('has it deleted, and is in the trail with its id alone: %s', async (_case, row, afterMs) => {
    const { forget, rows: left, logged, trail } = forgetting(row, afterMs);
    expect(await forget()).toEqual({ id: mailId, forgotten: true });
    expect(left()).toEqual([]);
    expect(logged).toEqual([{ event: 'MailForgotten', mailId }]);
    expect(await trail()).toMatchObject([
      { action: 'forget', by: 'Ming', mails: [{ mailId, outcome: 'done' }] },
    ]);
    await expect(forget()).rejects.toMatchObject({ code: 'MAIL_NOT_FOUND' });
  });

  test('has the record of a held one deleted before its row, so that it can be repeated', async () => {
    const { forget, effects, fail, mend, rows: left, trail } = forgetting(rows.held, HOUR_MS);
    fail('ledger.forget');
    await expect(forget()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(left()).toHaveLength(1);
    expect(effects).toContain('records.delete');
    expect(await trail()).toMatchObject([{ mails: [{ outcome: 'STORAGE_UNAVAILABLE' }] }]);
    mend();
    await forget();
    expect(left()).toEqual([]);
  });

  test.each([
    ['waits', rows.queued, DAY_MS],
    ['is being sent', rows.sending, DAY_MS],
    ['is in doubt', rows.unknown, DAY_MS],
    ['ended this hour', rows.sent, HOUR_MS - 1],
    ['was canceled in the week of its message', canceled, 7 * DAY_MS],
    ['has an event that was not told', recordUntold(rows.sent), DAY_MS],
  ])('is refused, and nothing is deleted, while it %s', async (_case, row, afterMs) => {
    const { forget, effects, rows: left, trail } = forgetting(row, afterMs);
    await expect(forget()).rejects.toMatchObject({ code: 'MAIL_STILL_NEEDED' });
    expect([left().length, effects, await trail()]).toEqual([1, [], []]);
  });

  test('is refused where somebody replays the email at this moment', async () => {
    const { forget, meanwhile, ledger, rows: left } = forgetting(rows.sent, HOUR_MS);
    meanwhile('ledger.forget', () => ledger.replace(rows.sent, ledger.find(mailId)!.etag));
    await expect(forget()).rejects.toMatchObject({ code: 'MAIL_STILL_NEEDED' });
    expect(left()).toHaveLength(1);
  });
});
