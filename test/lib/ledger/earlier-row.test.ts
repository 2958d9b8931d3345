import { describe, expect, test } from 'vitest';
import { readRow } from '../../../src/lib/ledger/earlier-row.ts';

const AT = '2026-03-02T08:00:00.000Z';
const facts = {
  mailId: '01a20556-8aab-77d5-aa30-5d8c2af8cc9f',
  caller: 'key:payroll',
  sender: 'noreply@contoso.example',
  recipients: 2,
  recipientAddresses: ['a@contoso.example', 'b@contoso.example'],
  tags: ['payslip'],
  keyHash: 'k1.key',
  bodyHash: 'k1.body',
  leavesCopy: true,
  acceptedAt: AT,
};
const progress = {
  replayedAt: AT,
  updatedAt: AT,
  turn: 3,
  attempts: [{ at: AT, outcome: 'not-sent', code: 'GRAPH_THROTTLED' }],
  omittedAttempts: 2,
  inQueue: true,
  resent: false,
};
const reason = {
  code: 'GRAPH_REFUSED',
  title: 'Graph refused the email',
  remedy: 'Correct it.',
  detail: 'detail',
  upstreamCode: 'ErrorInvalidRecipients',
  graphRequestId: 'r-1',
};
const { title: _title, remedy: _remedy, ...bare } = reason;

const read = (row: object) => readRow(JSON.stringify(row));

describe('a row of the first layout', () => {
  test.each([
    [{ state: 'queued' }, { state: 'queued' }],
    [{ state: 'sending' }, { state: 'sending' }],
    [
      { state: 'deferred', reason, until: AT },
      { state: 'deferred', reason: bare, until: AT },
    ],
    [
      { state: 'waiting', reason, until: AT },
      { state: 'deferred', reason: bare, until: AT },
    ],
    [
      { state: 'unknown', reason },
      { state: 'unknown', reason: bare },
    ],
    [
      { state: 'sent', graphRequestId: 'r-1', verified: true },
      { state: 'sent', graphRequestId: 'r-1', verified: true },
    ],
    [
      { state: 'rejected', reason },
      { state: 'rejected', reason: bare },
    ],
    [
      { state: 'closed', reason, note: 'done' },
      { state: 'closed', reason: bare, note: 'done' },
    ],
  ])('is read with all it says, and without the words of the catalogue: %j', (fate, expected) => {
    expect(read({ ...facts, ...progress, ...fate })).toEqual({ facts, progress, fate: expected });
  });

  test.each([
    ['held', 'GRAPH_REFUSED', true, 'refused', true],
    ['held', 'MAIL_LOST', true, 'lost-message', true],
    ['held', 'ATTEMPT_LOST', true, 'lost-attempt', true],
    ['held', 'OUTCOME_UNKNOWN', true, 'doubt', true],
    ['set-aside', 'MAIL_LOST', false, 'lost-message', false],
    ['set-aside', 'OUTCOME_UNKNOWN', false, 'doubt', false],
  ])('that was %s for %s (with a message: %s) says why: %s', (state, code, inQueue, why, hasContent) => {
    const row = read({ ...facts, ...progress, inQueue, state, reason: { ...reason, code }, record: 'r' });
    expect(row.fate).toEqual({ state: 'held', why, hasContent, record: 'r', reason: { ...bare, code } });
  });

  test('has the count of omitted attempts, by the name it had or not at all', () => {
    const { omittedAttempts: _, ...others } = progress;
    const row = { ...facts, ...others, state: 'queued' };
    expect(read({ ...row, forgottenAttempts: 7 }).progress.omittedAttempts).toBe(7);
    expect(read(row).progress.omittedAttempts).toBe(0);
  });
});

test('a row of the present layout is read as it is', () => {
  const row = { facts, progress, fate: { state: 'sent', verified: false } };
  expect(read(row)).toEqual(row);
});
