import { expect, test } from 'vitest';
import { type DeskMail, toPage, toTable } from '../../scripts/mail-page.ts';

const aMail = (more: Partial<DeskMail>): DeskMail => ({
  id: '01a2085d-d34e-7a9c-8e0d-6c4a2b7f1e55',
  state: 'held',
  sender: 'noreply@contoso.example',
  caller: 'payroll',
  recipients: 2,
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
      '2026-11-25T08:00:00.000Z  accepted',
      'Reason      MAIL_INVALID: The mail cannot be sent',
      'Problems    /to/0: expected an address; received text of 6 characters (MAIL_INVALID)',
      '            (the whole email): expected an address; received text of 6 characters (MAIL_INVALID)',
      'What to do  Tell the owner.',
      'Record      2026-11-25/01a2085d.json in the container mail-held',
    ].join('\n'),
  );
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

test('a list without mails says so', () => {
  expect(toTable([])).toBe('No email is held.');
});
