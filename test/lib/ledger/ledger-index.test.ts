import { describe, expect, test } from 'vitest';
import {
  indexKeyOf,
  keysBefore,
  mailIdOfIndexKey,
  type Shelf,
  shelfOf,
} from '../../../src/lib/ledger/ledger-index.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { claim, claimNew, close } from '../../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { NOW } from '../../support/in-memory-ports.ts';

const { mailId, facts, rows } = aDelivery();
const awaited = claimNew(facts, false, NOW);
const DAY_MS = 86_400_000;

describe('an email is filed', () => {
  test.each<[string, LedgerRow, Shelf]>([
    ['an attempt that no message would bring back', awaited, 'attempt'],
    ['an attempt that a message will bring back', rows.sending, 'open'],
    ['one that waits', rows.queued, 'open'],
    ['one that waited', rows.deferred, 'open'],
    ['one that is looked for', rows.unknown, 'open'],
    ['one that is sent', rows.sent, 'final'],
    ['one that was rejected', rows.rejected, 'final'],
    ['one that is held', rows.held, 'final'],
    ['one that is closed', close(rows.held, 'n', NOW), 'final'],
  ])('by what the sweep asks for: %s', (_case, row, shelf) => {
    expect(shelfOf(row)).toBe(shelf);
    expect(indexKeyOf(row).startsWith(`${shelf}!`)).toBe(true);
    expect(mailIdOfIndexKey(indexKeyOf(row))).toBe(mailId);
  });

  test('under the moment it was accepted while it goes on, which never changes, so that its key stays', () => {
    const later = claim(rows.queued, new Date(NOW.getTime() + DAY_MS));
    expect(indexKeyOf(later)).toBe(indexKeyOf(rows.queued));
    expect(indexKeyOf(later)).toBe(`open!2026-03-02T08:00:00.000Z!${mailId}`);
  });

  test('under the day it ended', () => {
    expect(indexKeyOf(rows.sent)).toBe(`final!2026-03-02!${mailId}`);
  });
});

describe('what is due is one range of keys', () => {
  const isIn = (row: LedgerRow, before: Date) => {
    const { from, to } = keysBefore(shelfOf(row), before);
    const key = indexKeyOf(row);
    return from <= key && key < to;
  };

  test.each<[string, LedgerRow, Date, boolean]>([
    ['an open one, a moment later', rows.queued, new Date(NOW.getTime() + 1), true],
    ['an open one, at that moment', rows.queued, NOW, false],
    ['an attempt, a moment later', awaited, new Date(NOW.getTime() + 1), true],
    ['one that ended, on the next day', rows.sent, new Date('2026-03-03T00:00:00Z'), true],
    ['one that ended, on the same day', rows.sent, new Date('2026-03-02T23:59:59Z'), false],
  ])('from before a time: %s', (_case, row, before, expected) => {
    expect(isIn(row, before)).toBe(expected);
  });

  test('that holds nothing of another shelf', () => {
    const ranges = (['attempt', 'open', 'final'] as const).map((shelf) =>
      keysBefore(shelf, new Date('9999-01-01')),
    );
    for (const row of [awaited, rows.queued, rows.sent]) {
      const key = indexKeyOf(row);
      expect(ranges.filter(({ from, to }) => from <= key && key < to)).toHaveLength(1);
    }
  });
});
