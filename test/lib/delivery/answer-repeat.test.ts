import { describe, expect, test } from 'vitest';
import { judgeMail, planMail } from '../../../src/lib/delivery/accept-mail.ts';
import { answerRepeat } from '../../../src/lib/delivery/answer-repeat.ts';
import { earlierHashOfContent } from '../../../src/lib/ledger/earlier-identity.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { claimNew, close, recordRejected, replay } from '../../../src/lib/ledger/transitions.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aDelivery, heldAs } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { A_PASSENGER, aPacer } from '../../support/a-pacer.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const CALLER = 'key:test';
const { mailId, content, facts, envelope, rows } = aDelivery(aMail(), CALLER);
const SENDING_LIMIT_MS = 360_000;
const attempt = { at: NOW.toISOString(), outcome: 'rejected', code: 'PERMISSION_NOT_GRANTED' } as const;
const attempting = claimNew(facts, false, NOW);
const corrected = recordRejected(attempting, attempt, { code: 'PERMISSION_NOT_GRANTED' }, NOW);

/** A caller repeats a request whose email the ledger has so. */
const repeating = async (row: LedgerRow, input = content, respondAsync = false) => {
  const world = inMemoryPorts();
  const entry = world.ledger.create(row)!;
  const { needs } = world;
  const { accept } = needs;
  const mail = {
    accepted: await planMail(
      needs,
      accept,
      IDENTITY,
      envelope,
      input,
      judgeMail(accept, aCaller(), 'http', input),
    ),
    input,
    envelope,
    isSame: ({ facts: { bodyHash } }: LedgerRow) => IDENTITY.isContent(bodyHash, input),
  };
  return {
    ...world,
    repeat: (more: object = {}) => answerRepeat({ ...world.needs, ...more }, mail, entry, respondAsync),
    beat: (other: LedgerRow) =>
      world.meanwhile('ledger.replace', () => world.ledger.replace(other, world.ledger.find(mailId)!.etag)),
  };
};

const CLOCK = { now: () => NOW, sleep: async () => undefined };

describe('a request with a known idempotency key', () => {
  test.each<LedgerRow>([rows.sent, rows.deferred, rows.unknown, rows.held, close(rows.held, 'n', NOW)])(
    'gets what the ledger says, and nothing is done again: $fate.state',
    async (row) => {
      const { repeat, effects } = await repeating(row);
      expect(await repeat()).toEqual({ row, repeated: true });
      expect(effects).toEqual([]);
    },
  );

  test('and another email is refused, whatever the state of the first', async () => {
    for (const row of Object.values(rows)) {
      const { repeat, effects } = await repeating(row, aMail({ subject: 'other' }));
      await expect(repeat()).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
      expect(effects).toEqual([]);
    }
  });
});

describe('a repeated request for an email in an attempt', () => {
  test('is told to wait while that may still be under way', async () => {
    const { repeat, pass, effects } = await repeating(attempting);
    pass(SENDING_LIMIT_MS - 1);
    await expect(repeat()).rejects.toMatchObject({ code: 'MAIL_UNDER_WAY' });
    expect(effects).toEqual([]);
  });

  test('that was lost brings it back, to be looked for and not sent', async () => {
    const { repeat, pass, effects } = await repeating(attempting);
    pass(SENDING_LIMIT_MS);
    expect(await repeat()).toMatchObject({ row: { fate: { state: 'unknown' } }, repeated: true });
    expect(effects).toEqual(['log MailUnknown', 'mailQueue.put', 'ledger.replace unknown']);
  });
});

describe('a repeated request for an email that was rejected', () => {
  test('for what the caller alone can correct gets the first reason again', async () => {
    const reason = { code: 'RECIPIENT_REFUSED', upstreamCode: 'ErrorInvalidRecipients' } as const;
    const { repeat, effects } = await repeating(recordRejected(attempting, attempt, reason, NOW));
    await expect(repeat()).rejects.toMatchObject({
      code: 'RECIPIENT_REFUSED',
      facts: { upstreamCode: 'ErrorInvalidRecipients' },
    });
    expect(effects).toEqual([]);
  });

  test('for what an administrator may have corrected since is sent, as the first answer', async () => {
    const { repeat, effects } = await repeating(corrected);
    expect(await repeat()).toMatchObject({ row: { fate: { state: 'sent' } }, repeated: false });
    expect(effects.slice(0, 2)).toEqual(['ledger.replace sending', 'mailboxes.send']);
  });

  test('has its whole time again: days later, a busy Graph lets it wait and does not make it a held one', async () => {
    const { repeat, answer, pass, row } = await repeating(corrected);
    pass(3 * 24 * 3_600_000);
    answer({ kind: 'answered', status: 503 });
    expect(await repeat()).toMatchObject({ row: { fate: { state: 'deferred' } } });
    expect(row(mailId)?.attempts).toHaveLength(2);
  });

  test('and still is, gets the reason', async () => {
    const { repeat, answer, rows: all } = await repeating(corrected);
    answer({ kind: 'answered', status: 403, upstreamCode: 'Authorization_RequestDenied' });
    await expect(repeat()).rejects.toMatchObject({ code: 'PERMISSION_NOT_GRANTED' });
    expect(all()).toMatchObject([{ state: 'rejected', attempts: [{}, {}] }]);
  });

  test('is refused where its mailbox has no time to give, and the row stays as it is', async () => {
    const { repeat, ledger } = await repeating(corrected);
    const pacer = aPacer({ clock: CLOCK, perMinute: 1, bookAheadMs: 60_000 });
    await pacer.enter('noreply@contoso.example', A_PASSENGER);
    await expect(repeat({ pacer })).rejects.toMatchObject({ code: 'MAILBOX_BOOKED_UP' });
    expect(ledger.rows()).toEqual([corrected]);
  });

  test('is queued where its mailbox is busy: the row first, then the message', async () => {
    const { repeat, effects, plans } = await repeating(corrected);
    const pacer = aPacer({ clock: CLOCK, perMinute: 1 });
    await pacer.enter('noreply@contoso.example', A_PASSENGER);
    expect(await repeat({ pacer })).toMatchObject({ row: { fate: { state: 'queued' } }, repeated: false });
    expect(effects.filter((one) => !one.startsWith('log'))).toEqual([
      'ledger.replace queued',
      'mailQueue.put',
    ]);
    expect(plans).toEqual([]);
  });

  test('is queued where its caller does not want to wait', async () => {
    const { repeat, effects } = await repeating(corrected, undefined, true);
    expect(await repeat()).toMatchObject({ row: { fate: { state: 'queued' } }, repeated: false });
    expect(effects.filter((one) => !one.startsWith('log'))).toEqual([
      'ledger.replace queued',
      'mailQueue.put',
    ]);
  });

  test('is looked at again where another request was first', async () => {
    const { repeat, beat, plans } = await repeating(corrected);
    beat(rows.sent);
    expect(await repeat()).toBeUndefined();
    expect(plans).toEqual([]);
  });
});

describe('a repeated request for an email that is queued', () => {
  test('puts its message again, as the first may be missing, and then says that the row has changed', async () => {
    const { repeat, pass, effects, queued, row } = await repeating(rows.queued);
    pass(1000);
    expect(await repeat()).toMatchObject({ row: { fate: { state: 'queued' } }, repeated: true });
    expect(effects).toEqual(['mailQueue.put', 'ledger.replace queued']);
    expect(queued()).toMatchObject([{ mailId, turn: 0, delayMs: 0 }]);
    expect(row(mailId)?.updatedAt).toBe(new Date(NOW.getTime() + 1000).toISOString());
  });

  test('after a replay puts the message of that turn, as an older one would be dropped', async () => {
    const { repeat, queued } = await repeating(replay(rows.held, facts.bodyHash, NOW));
    await repeat();
    expect(queued()).toMatchObject([{ turn: 1 }]);
  });

  test('is looked at again where its message was taken meanwhile', async () => {
    const { repeat, beat } = await repeating(rows.queued);
    beat(rows.sending);
    expect(await repeat()).toBeUndefined();
  });
});

test('a repeated request brings the content back to an email that is held without it', async () => {
  const lost = heldAs(rows.held, { why: 'lost-message', reason: { code: 'MAIL_LOST' }, hasContent: false });
  const { repeat, queued } = await repeating(lost);
  expect(await repeat()).toMatchObject({ row: { fate: { state: 'queued' } }, repeated: true });
  expect(queued()).toMatchObject([{ turn: 1, content: { mail: content } }]);
});

test('the message of an email from an earlier version carries the hash that its row has', async () => {
  const bodyHash = earlierHashOfContent(content);
  const { repeat, queued } = await repeating({ ...rows.queued, facts: { ...facts, bodyHash } });
  await repeat();
  expect(queued()).toMatchObject([{ kind: 'envelope', contentHash: bodyHash }]);
});
