import { describe, expect, test } from 'vitest';
import { findMail, readMailStatus, toStatus, toStatusFor } from '../../../src/lib/desk/mail-status.ts';
import { catalogue } from '../../../src/lib/error-catalogue.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import {
  claim,
  close,
  recordDeferred,
  recordHeld,
  recordSent,
  recordUnknown,
  replay,
} from '../../../src/lib/ledger/transitions.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const { mailId, facts, rows } = aDelivery();
const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);
const at = (seconds: number): string => later(seconds).toISOString();
const unknown = { at: at(1), outcome: 'unknown', code: 'OUTCOME_UNKNOWN' } as const;
const doubt = { code: 'OUTCOME_UNKNOWN' } as const;

describe('the status of an email', () => {
  test('has what is known since it was received, and no caller, hash or key', () => {
    const row = { ...rows.queued, facts: { ...facts, keyHash: 'hash of key' } };
    expect(toStatus(row)).toEqual({
      id: mailId,
      state: 'queued',
      sender: 'noreply@contoso.example',
      recipients: 1,
      tags: [],
      acceptedAt: at(0),
      updatedAt: at(0),
      timeline: [{ at: at(0), event: 'accepted' }],
    });
  });

  test('has the addresses of recipients where the ledger keeps them', () => {
    const row = { ...rows.queued, facts: { ...facts, recipientAddresses: ['chan@contoso.example'] } };
    expect(toStatus(row).recipientAddresses).toEqual(['chan@contoso.example']);
  });

  const sent = { at: at(1), outcome: 'accepted', graphRequestId: 'r-1' } as const;
  test.each<[LedgerRow, object]>([
    [recordSent(rows.sending, sent, NOW), { state: 'sent', verified: false, graphRequestId: 'r-1' }],
    [
      rows.deferred,
      {
        state: 'deferred',
        until: at(0),
        reason: { code: 'GRAPH_THROTTLED', title: catalogue.GRAPH_THROTTLED.title },
      },
    ],
    [
      rows.rejected,
      {
        state: 'rejected',
        reason: { code: 'MAILBOX_NOT_FOUND', remedy: catalogue.MAILBOX_NOT_FOUND.remedy },
      },
    ],
    [rows.held, { state: 'held', reason: { code: 'MAILBOX_NOT_FOUND' } }],
    [
      close(rows.held, 'found', NOW),
      { state: 'closed', note: 'found', reason: { code: 'MAILBOX_NOT_FOUND' } },
    ],
  ])('has what its state alone has: $fate.state', (row, more) => {
    expect(toStatus(row)).toMatchObject(more);
  });

  test('says nothing of the record of a held one, which is for those who may open it', () => {
    expect(toStatus(rows.held)).not.toHaveProperty('record');
  });

  test.each<[string, LedgerRow, RegExp]>([
    [
      'while it is looked for',
      recordUnknown(rows.sending, unknown, doubt, NOW),
      /^Wait\. The relay looks for the email/,
    ],
    [
      'while it is sent once more',
      recordDeferred(rows.sending, unknown, { reason: doubt, until: NOW, isResend: true }, NOW),
      /^Wait\. The relay sends the email once more/,
    ],
    ['once it is held', { ...rows.held, fate: { ...rows.held.fate, reason: doubt } }, /replay/],
  ])('says what to do about an unknown outcome: to wait %s, or to decide', (_case, row, remedy) => {
    expect(toStatus(row)).toMatchObject({
      reason: { code: 'OUTCOME_UNKNOWN', remedy: expect.stringMatching(remedy) },
    });
  });
});

describe('the timeline of an email', () => {
  test('tells what happened, oldest first: attempts, a replay, and the state it is in', () => {
    const held = recordHeld(
      rows.sending,
      { why: 'doubt', reason: doubt, record: 'r', hasContent: true },
      later(2),
      unknown,
    );
    const again = claim(replay(held, facts.bodyHash, later(5)), later(6));
    const row = recordUnknown(again, { ...unknown, at: at(7) }, doubt, later(8));
    expect(toStatus(row).timeline).toEqual([
      { at: at(0), event: 'accepted' },
      { at: at(1), event: 'attempt unknown', code: 'OUTCOME_UNKNOWN' },
      { at: at(2), event: 'held', code: 'OUTCOME_UNKNOWN', times: 1 },
      { at: at(5), event: 'replayed', by: 'operator' },
      { at: at(7), event: 'attempt unknown', code: 'OUTCOME_UNKNOWN' },
      { at: at(8), event: 'unknown' },
    ]);
  });

  test('tells also of an email that was closed when it was held', () => {
    const held = recordHeld(
      rows.sending,
      { why: 'refused', reason: { code: 'GRAPH_THROTTLED' }, record: 'r', hasContent: true },
      later(2),
    );
    expect(toStatus(close(held, 'not needed', later(4))).timeline.slice(1)).toEqual([
      { at: at(2), event: 'held', code: 'GRAPH_THROTTLED', times: 1 },
      { at: at(4), event: 'closed' },
    ]);
  });

  test('says to a caller that may not know of the mailbox nothing of it, also of when it was held', () => {
    const heldOnce = { at: at(0), event: 'held', times: 1 };
    const row = replay(rows.held, 'hash', later(5));
    expect(toStatus(row).timeline).toContainEqual({ ...heldOnce, code: 'MAILBOX_NOT_FOUND' });
    const told = toStatusFor({}, aCaller('queue'), row);
    expect(told.timeline).toContainEqual({ ...heldOnce, code: 'SENDER_NOT_USABLE' });
  });

  test('says how many attempts it leaves out', () => {
    expect(toStatus(rows.deferred)).not.toHaveProperty('omittedAttempts');
    const progress = { ...rows.deferred.progress, omittedAttempts: 3 };
    expect(toStatus({ ...rows.deferred, progress }).omittedAttempts).toBe(3);
  });
});

describe('a caller who asks for an email', () => {
  const world = inMemoryPorts();
  world.ledger.create(rows.queued);

  test('sees his own, in whichever case he writes its id', async () => {
    expect(await readMailStatus(world.needs, mailId.toUpperCase(), aCaller('queue'))).toMatchObject({
      id: mailId,
    });
    expect((await findMail(world.needs, mailId.toUpperCase())).row).toEqual(rows.queued);
  });

  test.each([
    ['it is of another caller', mailId, 'key:other'],
    ['nobody knows the id', '01890000-0000-7000-8000-000000000000', 'queue'],
    ['the id is none', "x' or true", 'queue'],
    ['there is no id', '', 'queue'],
  ])('is told alike that it is not found where %s', async (_case, id, caller) => {
    await expect(readMailStatus(world.needs, id, aCaller(caller))).rejects.toMatchObject({
      code: 'MAIL_NOT_FOUND',
      facts: {},
    });
  });

  test('asks the ledger for nothing that is no id', async () => {
    const { needs, fail } = inMemoryPorts();
    fail('ledger.find', new Error('asked'));
    await expect(findMail(needs, '../relay-key')).rejects.toMatchObject({ code: 'MAIL_NOT_FOUND' });
  });
});
