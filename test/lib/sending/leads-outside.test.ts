import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { decideHandling, NO_SAFETY, type Safety } from '../../../src/lib/sending/safety.ts';
import { aMail } from '../../support/a-mail.ts';
import { anInvitation } from '../../support/an-invitation.ts';
import { errorOf } from '../../support/problems-of.ts';

const base64Of = (text: string): string => Buffer.from(text).toString('base64');

const WITHIN: Safety = {
  ...NO_SAFETY,
  recipientDomains: ['*@contoso.example', 'tester@fabrikam.example'],
};
/** Itself outside of the domains: answers go to it in every email. */
const SENDER = { address: 'noreply@sender.example' };

const handlingOf = (input: object, safety = WITHIN) => decideHandling(safety, readMail(input), SENDER);

/** The places that are refused; none where the email is sent. */
const refusedAt = (input: object): readonly string[] => {
  try {
    expect(handlingOf(input)).toEqual({ kind: 'send' });
    return [];
  } catch {
    const error = errorOf(() => handlingOf(input));
    expect(error.code).toBe('RECIPIENT_OUTSIDE_DOMAINS');
    expect(JSON.stringify(error.facts)).not.toMatch(/example|%40/);
    // With the other choice the same email is kept for the inbox page.
    expect(handlingOf(input, { ...WITHIN, otherRecipients: 'capture' })).toEqual({ kind: 'capture' });
    return (error.facts.problems ?? []).map(({ pointer }) => pointer);
  }
};

const within = { to: 'a@contoso.example' };
const html = { html: '<p>a</p>', text: undefined };

describe('an email whose recipients are all within MAIL_RECIPIENT_DOMAINS', () => {
  test('is refused where answers to it go elsewhere', () => {
    expect(refusedAt(aMail({ ...within, replyTo: ['b@contoso.example', 'chan@real.example'] }))).toEqual([
      '/replyTo',
    ]);
    expect(refusedAt(aMail({ ...within, replyTo: 'B@Contoso.Example' }))).toEqual([]);
    expect(refusedAt(aMail({ ...within, replyTo: SENDER.address }))).toEqual([]);
  });

  test.each([
    ['X-Reply-To', 'chan@real.example'],
    ['X-Forward-To', 'Chan <chan@real.example>, a@contoso.example'],
    ['X-Confirm-Reading-To', 'chan%40real.example'],
    ['X-Note', '=?utf-8?B?Y2hhbkByZWFsLmV4YW1wbGU=?='],
    ['X-Note', '=?utf-7?Q?chan?='],
    ['X-Note', '"chan"@real.example'],
    ['X-Note', 'chan@[192.0.2.1]'],
    ['X-Note', 'a@contoso.example.real.example'],
    ['X-Note', 'tester2@fabrikam.example'],
    ['List-Unsubscribe', '<https://contoso.example/leave>, <mailto:leave@real.example>'],
    ['Mail-Followup-To', 'chan@real.example'],
  ])('is refused for the header %s: %s', (name, value) => {
    expect(refusedAt(aMail({ ...within, ...html, headers: { [name]: value } }))).toEqual([
      `/headers/${name}`,
    ]);
    const mime = [
      `From: ${SENDER.address}`,
      'To: a@contoso.example',
      'Message-ID: <a@real.example>',
      `${name}: ${value}`,
    ];
    expect(refusedAt({ mime: base64Of(`${mime.join('\r\n')}\r\n\r\na\r\n`) })).toEqual(['/mime']);
  });

  test('is refused for the name of a header, which is not repeated', () => {
    expect(refusedAt(aMail({ ...within, headers: { 'x-chan@real.example': '1' } }))).toEqual(['/headers']);
  });

  test.each([
    ['X-Reply-To', `b@contoso.example, tester@fabrikam.example, ${SENDER.address}`],
    ['List-Unsubscribe', '<mailto:leave@contoso.example?subject=a>, <https://real.example/leave?id=7>'],
    ['X-Order', '42'],
  ])('is sent with the header %s: %s', (name, value) => {
    expect(refusedAt(aMail({ ...within, headers: { [name]: value } }))).toEqual([]);
  });

  test('is sent with ids of other emails, which nobody is reached by', () => {
    expect(
      refusedAt(aMail({ ...within, inReplyTo: 'a@real.example', references: ['a@real.example'] })),
    ).toEqual([]);
    const fields = [`From: ${SENDER.address}`, 'To: a@contoso.example', 'References: <a@real.example>'];
    expect(refusedAt({ mime: base64Of(`${fields.join('\r\n')}\r\n\r\na\r\n`) })).toEqual([]);
  });
});

const people: readonly (readonly [string, Record<string, string>, boolean])[] = [
  ['an organizer', { ORGANIZER: 'mailto:ceo@real.example' }, false],
  ['an attendee', { ATTENDEE: 'mailto:chan@real.example' }, false],
  ['an attendee that is percent-encoded', { ATTENDEE: 'mailto:chan%40real.example' }, false],
  ['a delegate', { 'ATTENDEE;DELEGATED-TO="mailto:b@real.example"': 'mailto:a@contoso.example' }, false],
  ['an attendee without mailto', { ATTENDEE: 'chan@real.example' }, false],
  ['a folded attendee', { ATTENDEE: 'mailto:chan@real.\r\n example' }, false],
  ['an attendee of Outlook', { 'X-MS-OLK-SENDER': 'mailto:chan@real.example' }, false],
  ['colleagues alone', { ATTENDEE: 'mailto:a@contoso.example', ORGANIZER: `mailto:${SENDER.address}` }, true],
  [
    'an address in its text',
    { ORGANIZER: `mailto:${SENDER.address}`, DESCRIPTION: 'Ask chan@real.example' },
    true,
  ],
];

describe.each(people)('an invitation with %s', (_who, properties, isSent) => {
  const ics = anInvitation({
    ORGANIZER: `mailto:${SENDER.address}`,
    ATTENDEE: 'mailto:a@contoso.example',
    ...properties,
  });
  const expected = (pointer: string) => (isSent ? [] : [pointer]);

  test('in the field', () => {
    const input = aMail({ ...within, calendar: { method: 'REQUEST', ics } });
    expect(refusedAt(input)).toEqual(expected('/calendar/ics'));
  });

  test('in a file', () => {
    const attachments = [
      { filename: 'a.pdf', content: base64Of(ics) },
      { filename: 'invite.ICS', content: base64Of(ics) },
    ];
    expect(refusedAt(aMail({ ...within, attachments }))).toEqual(expected('/attachments/1'));
  });

  test.each(['base64', 'quoted-printable', '7bit'])('in a whole message, in %s', (encoding) => {
    const content = {
      base64: base64Of(ics).replaceAll(/.{76}/g, '$&\r\n'),
      'quoted-printable': ics.replaceAll('=', '=3D').replaceAll('@', '=40').replaceAll('mail', 'ma=\r\nil'),
      '7bit': ics,
    }[encoding];
    const lines = [
      `From: ${SENDER.address}`,
      'To: a@contoso.example',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      '',
      'Ask chan@real.example',
      '--b',
      'Content-Type: text/calendar; method=REQUEST',
      `Content-Transfer-Encoding: ${encoding}`,
      '',
      content,
      '--b--',
      '',
    ];
    expect(refusedAt({ mime: base64Of(lines.join('\r\n')) })).toEqual(expected('/mime'));
  });
});

describe('a calendar that the relay cannot read is refused, as nobody knows whom it leads to', () => {
  test.each([
    ['in UTF-16', Buffer.from(anInvitation(), 'utf16le').toString('base64'), 'invite.ics'],
    ['of Outlook', base64Of('tnef'), 'winmail.dat'],
    ['of another kind', base64Of('BEGIN:VCARD'), 'holidays.hol'],
  ])('%s', (_, content, filename) => {
    expect(refusedAt(aMail({ ...within, attachments: [{ filename, content }] }))).toEqual(['/attachments/0']);
  });

  test('in a blob', () => {
    expect(
      refusedAt(aMail({ ...within, attachments: [{ filename: 'invite.ics', blob: 'a/invite.ics' }] })),
    ).toEqual(['/attachments/0']);
  });
});

test('without MAIL_RECIPIENT_DOMAINS nothing of this is judged', () => {
  expect(handlingOf(aMail({ replyTo: 'chan@real.example' }), NO_SAFETY)).toEqual({ kind: 'send' });
});

describe('a header in which an @ makes no address', () => {
  test.each([
    '3 @ 5.00 HKD',
    'rabbit@prod-01',
    'team@2/build',
    '@octo',
    '@acme/mailer@2.3.1',
    'INC-2026/11@prod',
    'https://portal.contoso.example/@chan/tickets',
  ])('is sent: %s', (value) => {
    expect(refusedAt(aMail({ ...within, headers: { 'x-facts': value } }))).toEqual([]);
  });

  test.each([
    'v@[192.0.2.1]',
    '"v x"@real.example',
    'v%40real.example',
    '@relay.example:v@real.example',
    'v@xn--fiq228c.xn--j6w193g',
  ])('is refused where it makes one all the same: %s', (value) => {
    expect(refusedAt(aMail({ ...within, headers: { 'x-facts': value } }))).toEqual(['/headers/x-facts']);
  });
});
