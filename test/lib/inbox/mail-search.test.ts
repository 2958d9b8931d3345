import { describe, expect, test } from 'vitest';
import { toMailFilter } from '../../../src/lib/inbox/mail-search.ts';
import type { MailpitSummary } from '../../../src/lib/inbox/mailpit-shapes.ts';

const person = (Address: string, Name = '') => ({ Address, Name });

const aSummary = (its: Partial<MailpitSummary> = {}): MailpitSummary => ({
  ID: 'inbox-1',
  MessageID: '4711.a@contoso.example',
  RelayID: '01a2055c-e268-762b-8556-1836e3fff5b7',
  From: person('noreply@contoso.example', 'No Reply'),
  To: [person('ada@contoso.example', 'Ada Byron')],
  Cc: [person('mei@contoso.example')],
  Bcc: [person('archive@contoso.example')],
  ReplyTo: [person('hr@contoso.example')],
  Subject: 'Pay slip',
  Tags: ['Payroll'],
  Size: 2048,
  Created: '2026-03-02T01:30:00.000Z',
  Attachments: 1,
  Snippet: '',
  ...its,
});

const isFound = (query: string, its: Partial<MailpitSummary> = {}, timeZone?: string): boolean =>
  toMailFilter(
    query,
    timeZone,
  )({ summary: aSummary(its), isRead: false, words: 'pay slip for http://x.example' });

test.each([
  'pay',
  '"slip for"',
  'http://x.example',
  'from:"no reply"',
  'to:ada',
  'cc:mei',
  'bcc:archive',
  'reply-to:hr',
  'subject:SLIP',
  'tag:payroll',
  'is:unread',
  'is:tagged',
  'has:attachment',
  'has:attachments',
  'addressed:mei',
  'addressed:hr@contoso.example',
  'message-id:4711.a@contoso.example',
  'message-id:<4711.A@contoso.example>',
  'id:inbox-1',
  'id:01A2055C',
  'larger:2047',
  'larger:1.9k',
  'smaller:2049',
  'smaller:"3 KB"',
  'smaller:1m',
  'after:2026-03-02',
  'after:2026/03/02',
  'after:"2026-03-02 01:30"',
  'after:2026-03-02T09:30:00+08:00',
  'before:2026-03-03',
  'before:2026-03-02T01:30:00.500Z',
  '-is:read !tag:alert -larger:1m -has:inline',
])('finds an email by %s', (query) => {
  expect(isFound(query)).toBe(true);
});

test.each([
  'overtime',
  'to:mei',
  'cc:ada',
  'addressed:nobody',
  'tag:pay',
  'is:read',
  'has:inline',
  'message-id:4712',
  'id:01a2055d',
  'larger:2k',
  'smaller:2048',
  'after:2026-03-03',
  'after:"2026-03-02 01:31"',
  'before:2026-03-02',
  '-pay',
  '-after:2026-03-02',
])('does not find it by %s', (query) => {
  expect(isFound(query)).toBe(false);
});

test('an email without a relay id is not found by one', () => {
  const { RelayID: _, ...summary } = aSummary();
  expect(toMailFilter('id:01a2055c')({ summary, isRead: false, words: '' })).toBe(false);
});

test('files inside the HTML are found apart from those that are attached', () => {
  expect(isFound('has:inline -has:attachment', { Attachments: 0, Inlines: 1 })).toBe(true);
});

describe('a date without an offset is one of the time zone of the search', () => {
  test.each([
    ['Asia/Hong_Kong', 'after:"2026-03-02 09:30"', true],
    ['Asia/Hong_Kong', 'after:"2026-03-02 09:31"', false],
    ['Asia/Hong_Kong', 'before:2026-03-02', false],
    ['America/New_York', 'before:2026-03-02', true],
    ['America/New_York', 'after:"2026-03-01 20:30"', true],
    ['UTC', 'after:"2026-03-02 01:30"', true],
  ])('%s: %s', (timeZone, query, expected) => {
    expect(isFound(query, {}, timeZone)).toBe(expected);
  });

  test('also around a change of clocks', () => {
    // In Berlin, 03:00 of that day is 01:00 UTC: an hour was left out.
    const its = { Created: '2026-03-29T01:00:00.000Z' };
    expect(isFound('after:"2026-03-29 03:00"', its, 'Europe/Berlin')).toBe(true);
    expect(isFound('after:"2026-03-29 03:01"', its, 'Europe/Berlin')).toBe(false);
  });
});

test.each([
  ['before:yesterday', '"before:": expected a date such as 2026-03-02'],
  ['after:2026-02-31', '"after:": expected a date'],
  ['after:2026-02-01T25:00', '"after:": expected a date'],
  ['larger:big', '"larger:": expected a size such as 500, 20k or 1.5m, received "big"'],
  ['smaller:-5', '"smaller:": expected a size'],
  ['is:gone', '"is:": expected read, unread, tagged, received "gone"'],
  ['has:constructor', '"has:": expected attachment'],
])('a value that cannot be read is a problem, never a search for something else: %s', (query, words) => {
  expect(() => toMailFilter(query)).toThrow(words);
  expect(() => toMailFilter(`-${query}`)).toThrow(words);
});

test('an unknown time zone is a problem', () => {
  expect(() => toMailFilter('after:2026-03-02', 'Mars/Olympus')).toThrow('expected a time zone');
});
