import { describe, expect, test } from 'vitest';
import { isAheadOf, isInGap, isRowInGap } from '../../../src/lib/ledger/ledger-gap.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import {
  claim,
  claimNew,
  queueNew,
  recordDeferred,
  recordSent,
  recordUnknown,
  seek,
  seekNew,
} from '../../../src/lib/ledger/transitions.ts';
import { aNewMail } from '../../support/a-new-mail.ts';

const at = (time: string): Date => new Date(`2026-03-02T${time}:00Z`);
const RESTORED = at('12:00');
const gap = { until: RESTORED, repeatsUntil: at('18:00') };
const KEY = 'k1.hash';

describe('whether an email can have been sent without a trace in the ledger', () => {
  test.each<[string, string, string | undefined, string | undefined, boolean]>([
    ['received before the restore', '11:59', undefined, undefined, true],
    ['received before it, and looked for since', '11:59', undefined, '12:01', false],
    ['received before it, and looked for after an earlier restore', '09:00', undefined, '10:00', true],
    ['received after it, without a key', '12:00', undefined, undefined, false],
    ['received after it with a key, which can be that of a repetition', '12:00', KEY, undefined, true],
    ['the same, looked for since', '12:05', KEY, '12:06', false],
    ['received with a key when nobody repeats any more', '18:00', KEY, undefined, false],
  ])('%s', (_case, accepted, keyHash, soughtAt, expected) => {
    const facts = { acceptedAt: at(accepted).toISOString(), ...(keyHash === undefined ? {} : { keyHash }) };
    expect(isInGap(facts, soughtAt && at(soughtAt).toISOString(), gap)).toBe(expected);
    expect(isInGap(facts, undefined, undefined)).toBe(false);
  });
});

const mail = aNewMail(at('08:00'));
const attempt = { at: at('08:01').toISOString(), outcome: 'not-sent' } as const;
const reason = { code: 'GRAPH_THROTTLED' } as const;
const queued = queueNew(mail, at('08:00'));
const sending = claimNew(mail, true, at('08:00'), 'json');
const deferred = recordDeferred(
  sending,
  attempt,
  { reason, until: at('09:00'), isResend: false },
  at('08:01'),
);
const unknown = recordUnknown(sending, attempt, reason, at('08:01'));

describe('a message that is ahead of its row shows that the ledger has lost writes', () => {
  test.each<[string, LedgerRow | undefined, number, 'send' | 'look-up', boolean]>([
    ['a first message without a row is a new email', undefined, 0, 'send', false],
    ['a later one without a row is not', undefined, 1, 'send', true],
    ['nor is one that looks for its email', undefined, 0, 'look-up', true],
    ['queued, by its own message', queued, 0, 'send', false],
    ['queued, by a message that was written after an attempt', queued, 1, 'look-up', true],
    ['deferred, by its own message', deferred, 1, 'send', false],
    ['deferred, by a later one', deferred, 2, 'send', true],
    ['deferred, by an earlier one', deferred, 0, 'send', false],
    ['unknown, by a later one', unknown, 2, 'send', true],
    ['sending, by a later one, as after a crash', sending, 1, 'send', false],
    ['sent', recordSent(sending, attempt, at('08:01')), 4, 'send', false],
  ])('%s', (_case, row, turn, phase, expected) => {
    expect(isAheadOf(row, { turn, phase })).toBe(expected);
  });
});

describe('an email that is looked for', () => {
  test.each([
    ['queued', queued],
    ['deferred', deferred],
    ['unknown', unknown],
    ['sending', sending],
  ] as const)('leaves the state %s, and is in the gap no longer', (_state, row) => {
    const sought = seek(row, 3, at('12:01'), 'json');
    expect([sought.fate.state, sought.progress.turn]).toEqual(['unknown', 3]);
    expect([isRowInGap(row, gap), isRowInGap(sought, gap)]).toEqual([true, false]);
  });

  test('stays out of it while it is sent, and is in that of a later restore', () => {
    const claimed = claim(seek(queued, 1, at('12:01'), 'json'), at('12:20'), 'json');
    expect(isRowInGap(claimed, gap)).toBe(false);
    expect(isRowInGap(claimed, { until: at('13:00'), repeatsUntil: at('13:00') })).toBe(true);
  });

  test('is looked for by the property that all have, as nobody knows which draft it was sent by', () => {
    const draft = { mailbox: 'noreply@contoso.example', id: 'd', isSubmitted: false };
    const drafting = claimNew(mail, true, at('08:00'), 'draft');
    const begun = { ...drafting, progress: { ...drafting.progress, draft } };
    expect(seek(begun, 1, at('12:01'), 'draft').progress).toMatchObject({
      way: 'json',
      madeDrafts: true,
      draft,
    });
    expect(seekNew(mail, 1, at('12:01'), 'draft').progress).toMatchObject({ way: 'json', madeDrafts: true });
  });

  test('is looked for by its draft where that may have been sent', () => {
    const draft = { mailbox: 'noreply@contoso.example', id: 'd', isSubmitted: true };
    const drafting = claimNew(mail, true, at('08:00'), 'draft');
    const submitted = { ...drafting, progress: { ...drafting.progress, draft } };
    expect(seek(submitted, 1, at('12:01'), 'draft').progress).toMatchObject({ way: 'draft', draft });
  });

  test('as MIME is looked for as MIME, whose absence proves nothing', () => {
    expect(seekNew(mail, 1, at('12:01'), 'mime').progress.way).toBe('mime');
  });
});
