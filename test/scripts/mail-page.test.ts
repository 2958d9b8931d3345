import { describe, expect, test } from 'vitest';
import { type DeskMail, toPage as pageOf } from '../../scripts/mail-page.ts';
import { toTable } from '../../scripts/mail-table.ts';

const NOW = new Date('2026-11-26T12:00:00Z');
const toPage = (mail: DeskMail) => pageOf(mail, NOW);

const aMail = (more: Partial<DeskMail>): DeskMail => ({
  id: '01a2085d-d34e-7a9c-8e0d-6c4a2b7f1e55',
  state: 'held',
  sender: 'noreply@contoso.example',
  caller: 'payroll',
  recipients: 2,
  tags: [],
  acceptedAt: '2026-11-25T08:00:00.000Z',
  updatedAt: '2026-11-25T08:00:01.000Z',
  timeline: [{ at: '2026-11-25T08:00:00.000Z', event: 'accepted' }],
  ...more,
});

test('a mail that was refused shows every problem, its record and what to do', () => {
  const problem = { code: 'MAIL_INVALID', expected: 'an address', received: 'text of 6 characters' };
  expect(
    toPage(
      aMail({
        record: '2026-11-25/01a2085d.json',
        reason: {
          code: 'MAIL_INVALID',
          title: 'The mail cannot be sent',
          remedy: 'Tell the owner.',
          problems: [
            { ...problem, pointer: '/to/0' },
            { ...problem, pointer: '' },
          ],
        },
      }),
    ),
  ).toBe(
    [
      '01a2085d-d34e-7a9c-8e0d-6c4a2b7f1e55  held',
      'Caller      payroll',
      'Sender      noreply@contoso.example',
      'Recipients  2',
      'What happened',
      '  2026-11-25T08:00:00.000Z  The relay received the email.',
      'Reason      MAIL_INVALID: The mail cannot be sent',
      'Problems    /to/0: expected an address; received text of 6 characters (MAIL_INVALID)',
      '            (the whole email): expected an address; received text of 6 characters (MAIL_INVALID)',
      'What to do  Tell the owner.',
      'Record      2026-11-25/01a2085d.json in the container mail-held',
    ].join('\n'),
  );
});

test('a mail shows its priority where it is not normal', () => {
  expect(toPage(aMail({ priority: 'bulk' }))).toContain('\nPriority    bulk\n');
  expect(toPage(aMail({}))).not.toContain('Priority');
});

test('a mail that was redirected shows it beside the number of its recipients', () => {
  expect(toPage(aMail({ state: 'sent', redirected: true }))).toContain(
    'Recipients  2, redirected to the address in MAIL_REDIRECT_TO',
  );
});

test('a mail that is captured, or will be, shows it in the same place', () => {
  expect(toPage(aMail({ state: 'queued', captured: true }))).toContain(
    'Recipients  2, kept for the inbox page instead',
  );
});

test('a mail that was to be redirected or captured and is held shows that it was not', () => {
  expect(toPage(aMail({ captured: true }))).toContain(
    'Recipients  2, from whom it was to be kept (captured)',
  );
  expect(toPage(aMail({ redirected: true }))).toContain('from whom it was to be kept (redirected)');
});

test('a mail that waits shows until when', () => {
  expect(toPage(aMail({ state: 'deferred', until: '2026-11-25T08:05:00.000Z' }))).toContain(
    'Waits until 2026-11-25T08:05:00.000Z',
  );
});

describe('an email of which it is not known whether it was sent', () => {
  const reason = { code: 'OUTCOME_UNKNOWN', title: 'It is unknown', remedy: 'Look in Sent Items.' };
  const trace = "Get-MessageTraceV2 -SenderAddress 'noreply@contoso.example'";

  test('shows where to look for it, and how to see its subject and recipients', () => {
    const page = toPage(aMail({ reason }));
    expect(page).toContain(
      `Trace       ${trace} -StartDate '2026-11-25T07:55:00Z' -EndDate '2026-11-26T08:00:01Z'`,
    );
    expect(page).toContain('npm run mail -- show 01a2085d-d34e-7a9c-8e0d-6c4a2b7f1e55 --content');
  });

  test('shows them with the text to search for, and nothing that could move the cursor', () => {
    const content = {
      subject: 'Pay "slip" \u001b[2J\u202eof May',
      to: ["Ann O'Neil <ann.o'neil@fabrikam.example>"],
      cc: [],
      bcc: ['bob@fabrikam.example'],
    };
    const page = toPage(aMail({ reason, content }));
    expect(page).toContain('Subject     Pay "slip" \ufffd[2J\ufffdof May\nTo          Ann O');
    expect(page).toContain(
      `Sent Items  subject:"Pay  slip   [2J\ufffdof May" to:"ann.o'neil@fabrikam.example"`,
    );
    expect(page).toContain("-RecipientAddress 'ann.o''neil@fabrikam.example','bob@fabrikam.example'");
    expect(page).not.toContain('--content');
  });
});

test('an email of which the delivery was asked for shows each recipient, with what to do, and why not more is known', () => {
  const delivery = {
    recipients: [
      {
        recipient: 1,
        status: 'failed',
        meaning: 'Not delivered.',
        code: '5.1.1',
        remedy: 'Check the address.',
      },
      { address: 'bob@fabrikam.example', status: 'delivered', meaning: 'Accepted.' },
    ],
    reason: { code: 'GRAPH_THROTTLED', title: 'Too many requests', remedy: 'Wait.' },
  } as const;
  expect(toPage(aMail({ state: 'sent', bounced: true, delivery }))).toContain(
    [
      'Delivery',
      '  recipient 1  failed (5.1.1): Not delivered.',
      '    Check the address.',
      '  bob@fabrikam.example  delivered: Accepted.',
      '  GRAPH_THROTTLED: Too many requests',
      '  Wait.',
    ].join('\n'),
  );
});

describe('a list', () => {
  const mails = [
    aMail({
      sender: 'a-very-long-name-of-a-department@contoso.example',
      reason: { code: 'MAILBOX_OUT_OF_SCOPE', title: '', remedy: '' },
    }),
    aMail({ id: '01a2085d-d34e-7a9c-8e0d-6c4a2b7f1e56', state: 'sent', bounced: true, sender: '' }),
  ];

  test('has a line for each, with everything where nobody reads it on a terminal', () => {
    expect(toTable(mails).split('\n')).toEqual([
      'ID                                    RECEIVED              STATE          REASON                SENDER                                            CALLER',
      '01a2085d-d34e-7a9c-8e0d-6c4a2b7f1e55  2026-11-25 08:00:00Z  held           MAILBOX_OUT_OF_SCOPE  a-very-long-name-of-a-department@contoso.example  payroll',
      '01a2085d-d34e-7a9c-8e0d-6c4a2b7f1e56  2026-11-25 08:00:00Z  sent, bounced                        (unknown)                                         payroll',
    ]);
  });

  test('fits the terminal, and never cuts an id', () => {
    for (const width of [160, 140, 120, 118]) {
      const lines = toTable(mails, width).split('\n');
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(width);
      expect(lines[1]).toContain(mails[0]?.id);
    }
    expect(toTable(mails, 120)).toContain('a-very-');
    expect(toTable(mails, 20)).toContain(mails[1]?.id);
  });
});
