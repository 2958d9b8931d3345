import { describe, expect, test } from 'vitest';
import { decideDelivery } from '../../../src/lib/ledger/delivery-decision.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import {
  claimNew,
  close,
  queueNew,
  recordDeferred,
  recordHeld,
  recordRejected,
  recordSent,
  recordUnknown,
  withdraw,
} from '../../../src/lib/ledger/transitions.ts';

const now = new Date('2026-11-22T07:00:00Z');
const later = (ms: number): Date => new Date(now.getTime() + ms);
const LIMIT_MS = 360_000;

const newMail = {
  mailId: '0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee',
  caller: 'queue',
  sender: 'noreply@contoso.example',
  recipients: 1,
  tags: [],
  bodyHash: 'h',
  leavesCopy: true,
  acceptedAt: now.toISOString(),
};
const attempt = { at: now.toISOString(), outcome: 'not-sent' } as const;
const reason = { code: 'GRAPH_THROTTLED' } as const;
const sending = claimNew(newMail, true, now);
const waiting = recordDeferred(sending, attempt, { reason, until: now, isResend: false }, now);
const unknown = recordUnknown(sending, attempt, reason, now);
const aside = recordHeld(sending, { why: 'refused', reason, record: 'r', hasContent: true }, now);

const decide = (row: LedgerRow | undefined, turn: number, phase: 'send' | 'look-up' = 'send', at = now) => {
  const decision = decideDelivery(row, { turn, phase, acceptedAt: now }, at, LIMIT_MS);
  return 'row' in decision ? `${decision.kind} from ${decision.row.fate.state}` : decision.kind;
};

describe('a message and its row, as they should be', () => {
  test.each<[string, LedgerRow | undefined, number, string]>([
    ['no row', undefined, 0, 'first'],
    ['queued', queueNew(newMail, now), 0, 'send from queued'],
    ['deferred, by its own message', waiting, 1, 'send from deferred'],
    ['unknown, by its own message', unknown, 1, 'look-up from unknown'],
    ['sent', recordSent(sending, attempt, now), 0, 'drop'],
    ['rejected', recordRejected(sending, attempt, reason, now), 0, 'drop'],
    ['held', aside, 0, 'drop'],
    ['closed', close(aside, 'n', now), 1, 'drop'],
  ])('%s', (_, row, turn, expected) => {
    expect(decide(row, turn)).toBe(expected);
  });
});

describe('an email that was rejected by HTTP', () => {
  const rejected = recordRejected(sending, attempt, reason, now);
  const decideNew = (row: LedgerRow, turn: number, unjudged: boolean) =>
    decideDelivery(row, { turn, phase: 'send', acceptedAt: now, unjudged }, now, LIMIT_MS).kind;

  test.each([
    ['is tried once more by a message of its caller', rejected, 0, true, 'afresh'],
    [
      'also where its own message may still come',
      withdraw(queueNew(newMail, now), reason, now),
      0,
      true,
      'afresh',
    ],
    ['is not brought back by a message of the relay', rejected, 0, false, 'drop'],
    ['nor is one that was sent since', recordSent(sending, attempt, now), 0, true, 'drop'],
  ] as const)('%s', (_case, row, turn, unjudged, expected) => {
    expect(decideNew(row, turn, unjudged)).toBe(expected);
  });
});

describe('a message that is a copy of one that was dealt with is dropped', () => {
  test.each([
    ['while the mail waits', waiting],
    ['while the mail is looked for', unknown],
  ])('%s', (_, row) => {
    expect(decide(row, 0)).toBe('drop');
  });
});

describe('an attempt whose end nobody wrote down', () => {
  test.each([
    ['half a minute', 1000, 30_000],
    ['as long as that is possible, near its end', LIMIT_MS - 1000, 1000],
  ])('may still be under way, so the message waits for %s', (_, age, waitMs) => {
    expect(
      decideDelivery(sending, { turn: 0, phase: 'send', acceptedAt: now }, later(age), LIMIT_MS),
    ).toEqual({ kind: 'later', waitMs });
  });

  test('has an unknown outcome after that', () => {
    expect(decide(sending, 0, 'send', later(LIMIT_MS))).toBe('lost from sending');
  });
});

describe('a message that says more than its row, because the row was not written', () => {
  test('to send: the attempt before was certainly not sent', () => {
    expect(decide(sending, 1, 'send')).toBe('send from queued');
  });

  test('to look up: the attempt before was unknown', () => {
    expect(decide(sending, 1, 'look-up')).toBe('look-up from unknown');
  });

  test('to replay: somebody asked for it', () => {
    expect(decide(aside, 1, 'send')).toBe('send from queued');
  });

  test('keeps its turn, so that the next message is newer still', () => {
    const decision = decideDelivery(sending, { turn: 1, phase: 'send', acceptedAt: now }, now, LIMIT_MS);
    expect(decision).toMatchObject({ row: { progress: { turn: 1, inQueue: true } } });
  });

  test('never revives a mail that is sent', () => {
    expect(decide(recordSent(sending, attempt, now), 1)).toBe('drop');
  });
});
