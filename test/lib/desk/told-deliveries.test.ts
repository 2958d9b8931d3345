import { describe, expect, test } from 'vitest';
import { toStatus } from '../../../src/lib/desk/mail-status.ts';
import type { RecipientDelivery } from '../../../src/lib/ledger/ledger-row.ts';
import { claimNew, recordDeliveries, recordSent } from '../../../src/lib/ledger/transitions.ts';
import { aNewMail } from '../../support/a-new-mail.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const LATER = '2026-03-02T08:05:00.000Z';
const FAILED: RecipientDelivery = {
  recipient: 'h2',
  status: 'failed',
  source: 'report',
  at: LATER,
  code: '5.1.1',
};

const statusWith = (news: readonly RecipientDelivery[], change: Parameters<typeof aNewMail>[1] = {}) => {
  const facts = aNewMail(NOW, { recipients: 2, recipientHashes: ['h1', 'h2'], ...change });
  const sent = recordSent(claimNew(facts, true, NOW), { at: NOW.toISOString(), outcome: 'accepted' }, NOW);
  return toStatus(news.length === 0 ? sent : recordDeliveries(sent, news));
};

describe('the status of an email that was sent says', () => {
  test('that it bounced, for which of its recipients, why, and what to do', () => {
    const status = statusWith([FAILED]);
    expect([status.state, status.bounced]).toEqual(['sent', true]);
    expect(status.deliveries).toEqual([
      {
        ...{ recipient: 2, status: 'failed', source: 'report', at: LATER, code: '5.1.1', kind: 'permanent' },
        cause: 'The address does not exist at its mail server.',
        remedy: 'Correct the address or remove it. Do not send to it again.',
      },
    ]);
    expect(status.timeline.at(-1)).toEqual({
      at: LATER,
      event: 'report failed',
      recipient: 2,
      code: '5.1.1',
    });
  });

  test('the address only where the ledger keeps it, and never the hash', () => {
    expect(JSON.stringify(statusWith([FAILED]))).not.toContain('h2');
    const kept = statusWith([FAILED], {
      recipientAddresses: ['ada@fabrikam.example', 'bo@fabrikam.example'],
    });
    expect(kept.deliveries).toMatchObject([{ recipient: 2, address: 'bo@fabrikam.example' }]);
  });

  test('the same at both places of an address that is in to and cc', () => {
    const status = statusWith([FAILED], { recipients: 3, recipientHashes: ['h2', 'h1', 'h2'] });
    expect(status.deliveries).toMatchObject([
      { recipient: 1, status: 'failed', code: '5.1.1' },
      { recipient: 3, status: 'failed', code: '5.1.1' },
    ]);
    expect(status.timeline.filter(({ event }) => event === 'report failed')).toMatchObject([
      { recipient: 1 },
      { recipient: 3 },
    ]);
  });

  test('a guess as a guess, and not that it bounced', () => {
    const status = statusWith([{ ...FAILED, isGuess: true }]);
    expect(status).not.toHaveProperty('bounced');
    expect(status.deliveries).toMatchObject([{ status: 'failed', isGuess: true }]);
  });

  test('why a recipient is delayed, and nothing about why one is not', () => {
    const status = statusWith([
      { ...FAILED, status: 'pending', code: '4.4.7' },
      { ...FAILED, recipient: 'h1', status: 'delivered' },
    ]);
    expect(status.deliveries).toMatchObject([
      { status: 'pending', kind: 'temporary' },
      { status: 'delivered' },
    ]);
    expect((status.deliveries as object[])[1]).not.toHaveProperty('cause');
  });

  test('nothing of recipients where nothing is known', () => {
    expect(statusWith([])).not.toHaveProperty('deliveries');
  });
});
