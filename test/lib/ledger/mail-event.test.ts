import { describe, expect, test } from 'vitest';
import type { LedgerRow, RecipientDelivery } from '../../../src/lib/ledger/ledger-row.ts';
import { bouncedEventOf, deliveredEventOf, eventOf } from '../../../src/lib/ledger/mail-event.ts';
import { close, recordSent } from '../../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { NOW } from '../../support/in-memory-ports.ts';

const { mailId, rows } = aDelivery();

test('the event of a sent email has the shape of Event Grid, and names no sender, recipient or content', () => {
  const attempt = { at: NOW.toISOString(), outcome: 'accepted', graphRequestId: 'r-1' } as const;
  expect(eventOf(recordSent(rows.sending, attempt, NOW))).toEqual({
    id: `${mailId}/0/sent`,
    eventType: 'GraphMailRelay.Mail.Sent',
    subject: `mail/${mailId}`,
    eventTime: NOW.toISOString(),
    dataVersion: '1',
    data: { mailId, state: 'sent', caller: 'queue', tags: [], graphRequestId: 'r-1' },
  });
});

test.each<[LedgerRow, string]>([
  [rows.rejected, 'Rejected'],
  [rows.held, 'Held'],
  [close(rows.held, 'n', NOW), 'Closed'],
])('an email that is $fate.state tells why, by the code', (row, type) => {
  expect(eventOf(row)).toMatchObject({
    eventType: `GraphMailRelay.Mail.${type}`,
    data: { state: row.fate.state, code: 'MAILBOX_NOT_FOUND' },
  });
});

test.each([rows.queued, rows.sending, rows.deferred, rows.unknown])(
  'an email that is $fate.state has none yet',
  (row) => {
    expect(eventOf(row)).toBeUndefined();
  },
);

test('held, replayed and held again is two events, each with one id however often it is told', () => {
  const again = { ...rows.held, progress: { ...rows.held.progress, turn: 2 } };
  expect(eventOf(again)?.id).not.toBe(eventOf(rows.held)?.id);
  expect(eventOf(rows.held)?.id).toBe(eventOf(rows.held)?.id);
});

describe('news of recipients, after Exchange had accepted the email', () => {
  const attempt = { at: NOW.toISOString(), outcome: 'accepted', graphRequestId: 'r-1' } as const;
  const plain = recordSent(rows.sending, attempt, NOW);
  const row = { ...plain, facts: { ...plain.facts, recipientHashes: ['aaa', 'bbb', 'ccc'] } };
  const news = (recipient: string, change: Partial<RecipientDelivery> = {}): RecipientDelivery => ({
    ...{ recipient, status: 'failed', source: 'report', at: '2026-03-02T08:05:00.000Z', code: '5.1.1' },
    ...change,
  });

  test('names a recipient that did not get it by its place, and shows no hash of an address', () => {
    const event = bouncedEventOf(row, [news('bbb'), news('aaa', { status: 'delivered' })], NOW);
    expect(event).toEqual({
      id: expect.stringMatching(new RegExp(`^${mailId}/0/bounced/[\\w-]{16}$`)),
      eventType: 'GraphMailRelay.Mail.Bounced',
      subject: `mail/${mailId}`,
      eventTime: NOW.toISOString(),
      dataVersion: '1',
      data: {
        ...{ mailId, state: 'sent', caller: 'queue', tags: [], graphRequestId: 'r-1' },
        recipients: [
          { index: 1, status: 'failed', source: 'report', at: '2026-03-02T08:05:00.000Z', code: '5.1.1' },
        ],
      },
    });
    expect(JSON.stringify(event)).not.toMatch(/aaa|bbb|ccc/);
  });

  test('tells of a recipient that is in to and cc at both places, under the same id', () => {
    const twice = { ...row, facts: { ...row.facts, recipientHashes: ['aaa', 'bbb', 'aaa'] } };
    const event = bouncedEventOf(twice, [news('aaa')], NOW);
    expect(event?.data.recipients).toMatchObject([{ index: 0 }, { index: 2 }]);
    expect(event?.id).toBe(bouncedEventOf(row, [news('aaa')], NOW)?.id);
  });

  test('tells of those that got it by another event', () => {
    const both = [news('bbb'), news('ccc', { status: 'delivered', source: 'trace' })];
    expect(deliveredEventOf(row, both, NOW)).toMatchObject({
      eventType: 'GraphMailRelay.Mail.Delivered',
      data: { recipients: [{ index: 2, status: 'delivered' }] },
    });
  });

  test.each(['pending', 'quarantined', 'spam', 'expanded'] as const)('%s is neither', (status) => {
    const some = [news('aaa', { status })];
    expect([bouncedEventOf(row, some, NOW), deliveredEventOf(row, some, NOW)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('has one id for the same recipients, in any order and from either source, and another for others', () => {
    const id = (...some: RecipientDelivery[]) => bouncedEventOf(row, some, NOW)?.id;
    expect(id(news('aaa'), news('bbb'))).toBe(id(news('bbb', { source: 'trace' }), news('aaa')));
    expect(id(news('aaa'), news('bbb'))).not.toBe(id(news('aaa')));
  });

  test('of an email from before the ledger kept recipients has no place', () => {
    expect(bouncedEventOf(plain, [news('aaa')], NOW)?.data.recipients?.[0]).not.toHaveProperty('index');
  });

  test('of 500 recipients fits a message of a queue also when it is signed and in base64', () => {
    const hashes = Array.from({ length: 500 }, (_, number) => `hash-${number}`);
    const large = { ...row, facts: { ...row.facts, recipientHashes: hashes } };
    const event = bouncedEventOf(
      large,
      hashes.map((hash) => news(hash, { isGuess: true })),
      NOW,
    );
    expect(event?.data).toMatchObject({ omitted: 400 });
    expect(Buffer.byteLength(JSON.stringify(JSON.stringify(event)))).toBeLessThan(40_000);
  });
});
