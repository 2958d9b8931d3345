import { expect, test } from 'vitest';
import type { LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import type { MailStory } from '../support/mail-promises.ts';
import { contentOf } from './content.ts';
import { planRun } from './plan.ts';
import { toSummary } from './summary.ts';

const NOW = new Date('2026-03-02T08:00:00Z');

const storyOf = (policy: MailStory['policy'], copies: number): MailStory => ({
  mailId: 'some-id',
  policy,
  accepted: true,
  toldSent: false,
  doubted: true,
  replays: 0,
  copies,
  row: { fate: { state: 'sent' } } as LedgerRow,
  recorded: undefined,
  content: {},
});

test('a summary says how often each trouble struck, how emails ended, and which copies their policy allows', () => {
  const plan = planRun(1, 1)[0]!;
  const given = {
    plan: { ...plan, way: 'HTTP', caller: 'reports' } as const,
    mailId: 'some-id',
    content: contentOf(plan, NOW),
    accepted: false,
    toldSent: false,
    toldCanceled: false,
  };
  const summary = toSummary({
    given: [given],
    stories: [storyOf('resend', 2), storyOf('resend', 1), storyOf('verify', 1)],
    damaged: 0,
    troubles: new Map([['SIGSTOP, SIGCONT soon', 3]]),
    starts: 7,
    forms: new Map([['json', 4]]),
    replayed: 0,
    limits: { requests: 90, refused: 2 },
    seconds: 61.4,
    broken: [],
  });
  for (const line of [
    /^ {2}declared, with a daily limit, not accepted +1$/m,
    /^ {2}SIGSTOP, SIGCONT soon +3$/m,
    /^ {2}sent \(resend\) +2$/m,
    /^ {2}sent twice, as onUnknown: resend allows +1$/m,
    /^ {2}of these refused by the limits of a mailbox +2$/m,
    /^ {2}seconds +61$/m,
    /^ {2}broken promises +0$/m,
  ])
    expect(summary).toMatch(line);
});
