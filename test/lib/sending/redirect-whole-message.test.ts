import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { composeMime } from '../../../src/lib/sending/compose-mime.ts';
import { outgoing } from '../../../src/lib/sending/outgoing-mail.ts';
import { redirectMail } from '../../../src/lib/sending/redirect-mail.ts';
import { ACCEPTED_AT } from '../../support/a-plan.ts';
import { anInvitation } from '../../support/an-invitation.ts';
import { anyMail, tryToRead } from './any-mail.ts';

const SENDER = { address: 'noreply@contoso.example' };
const TESTER = { name: 'Tests', address: 'test-inbox@contoso.example' };

const redirect = (message: string | Buffer): Buffer => {
  const mime = Buffer.from(message as string).toString('base64');
  const { raw } = redirectMail(outgoing(readMail({ mime })), SENDER, TESTER);
  if (raw === undefined) throw new TypeError('expected a whole message');
  return raw.bytes;
};

const bodyOf = (bytes: Buffer): string => bytes.toString('latin1').slice(bytes.indexOf('\r\n\r\n'));
const headerOf = (bytes: Buffer): string => bytes.toString('latin1').slice(0, bytes.indexOf('\r\n\r\n'));

const aMessage = (fields: readonly string[], body: readonly string[] = ['Your pay slip is ready.']) =>
  [
    'From: Contoso <noreply@contoso.example>',
    'To: "Chan, Tai-man" <chan@to.example>, lee@to.example',
    'Cc: wong@cc.example',
    'Bcc: audit@bcc.example',
    'Subject: Pay slip',
    'Message-ID: <a@contoso.example>',
    'In-Reply-To: <chan@to.example>',
    ...fields,
    '',
    ...body,
    '',
  ].join('\r\n');

test('the header names nobody but the sender and the address of the redirection, and keeps whom it was for', () => {
  expect(headerOf(redirect(aMessage(['X-Order: 42']))).split('\r\n')).toEqual([
    'To: test-inbox@contoso.example',
    'x-original-to: chan@to.example,',
    ' lee@to.example',
    'x-original-cc: wong@cc.example',
    'x-original-bcc-count: 1',
    'From: Contoso <noreply@contoso.example>',
    'Subject: Pay slip',
    'Message-ID: <a@contoso.example>',
    'In-Reply-To: <chan@to.example>',
    'X-Order: 42',
  ]);
});

test.each([
  'Reply-To: desk@reply.example',
  'Mail-Followup-To: desk@reply.example',
  'Mail-Reply-To: desk@reply.example',
  'Errors-To: desk@reply.example',
  'List-Unsubscribe: <mailto:leave@reply.example>,\r\n <https://reply.example/leave>',
  'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
  'List-Post: <mailto:list@reply.example>',
  'Disposition-Notification-To: desk@reply.example',
  'Disposition-Notification-To: noreply@contoso.example, desk@reply.example',
  'Return-Receipt-To: desk@reply.example',
  'X-Confirm-Reading-To: desk@reply.example',
  'X-Original-To: desk@reply.example',
  'X-Note: for AUDIT@bcc.example',
  'X-Note: for Chan@To.example',
  'Return-Receipt-Requested: desk@reply.example',
  'Read-Receipt-To: desk@reply.example',
  'X-Forward-To: desk@reply.example',
  'Generate-Delivery-Report: desk@reply.example',
  'Alternate-Recipient: desk@reply.example',
  'Auto-Submitted: auto-notified; owner-email="desk@reply.example"',
  'X-List-Unsubscribe-Web: https://reply.example/leave',
  'X-Note: audit%40bcc.example',
  'X-Note: =?utf-8?B?YXVkaXRAYmNjLmV4YW1wbGU=?=',
  'X-Note: bounce+audit=bcc.example',
])('a field that leads an answer to someone else is taken out: %s', (field) => {
  const header = headerOf(redirect(aMessage([field, 'X-Order: 42'])));
  const [name = ''] = field.split(':');
  expect(header).not.toMatch(new RegExp(`^${name}: .*reply|^X-Note`, 'im'));
  expect(header.replace(/^x-original.*$/gim, '')).not.toContain('reply.example');
  expect(header).toContain('X-Order: 42');
});

test('a receipt for the sender stays', () => {
  const field = 'Disposition-Notification-To: Contoso <NoReply@contoso.example>';
  expect(headerOf(redirect(aMessage([field])))).toContain(field);
});

test('whom answers were for is kept in a header', () => {
  expect(headerOf(redirect(aMessage(['Reply-To: Desk <desk@reply.example>'])))).toContain(
    'x-original-reply-to: desk@reply.example',
  );
});

test('whatever the message, nobody else is in what the relay reads of it again, no Bcc address in its bytes, and its body stays', async () => {
  let valid = 0;
  const hidden = [{ address: 'secret-1@bcc.example' }, { address: 'secret-2@bcc.example' }];
  await fc.assert(
    fc.asyncProperty(anyMail('b'), async (input) => {
      const mail = tryToRead(input);
      if (mail === undefined) return;
      valid += 1;
      const whole = outgoing({ ...mail, bcc: hidden, to: [...mail.to, { address: 'chan@to.example' }] });
      const mime = await composeMime(
        '01a2055c-e268-762b-8556-1836e3fff5b7',
        SENDER,
        whole,
        whole.files,
        ACCEPTED_AT,
      );
      const bytes = redirect(mime);
      const again = readMail({ mime: bytes.toString('base64') });
      expect([again.to, again.cc, again.bcc]).toEqual([[{ address: TESTER.address }], [], []]);
      expect(headerOf(bytes)).not.toMatch(/^reply-to:|^list-/im);
      expect(bytes.toString('latin1')).not.toContain('bcc.example');
      expect(bodyOf(bytes)).toBe(bodyOf(mime));
    }),
    { numRuns: 150 },
  );
  expect(valid).toBeGreaterThan(30);
});

describe('a part that a mail client opens as an invitation becomes a file that it does not', () => {
  const ICS = Buffer.from(anInvitation()).toString('base64');
  const parts = (...header: readonly string[]) =>
    aMessage(
      [
        'MIME-Version: 1.0',
        'Content-Class: urn:content-classes:calendarmessage',
        'Content-Type: multipart/alternative; boundary=b',
      ],
      [
        '--b',
        'Content-Type: text/html',
        '',
        '<p>a</p>',
        '--b',
        ...header,
        'Content-Transfer-Encoding: base64',
        '',
        ICS,
        '--b--',
      ],
    );

  test.each<readonly string[]>([
    ['Content-Type: text/calendar; method=REQUEST; charset=utf-8'],
    ['content-type: TEXT/CALENDAR;', ' method=REQUEST', 'Content-Disposition: inline'],
    ['Content-Type: application/ics; name=a', 'Content-Class: urn:content-classes:calendarmessage'],
    ['Content-Type: application/octet-stream; name="invite.ics"'],
    ['Content-Disposition: attachment; filename=invite.ICS', 'Content-Type: application/octet-stream'],
    [
      'Content-Type: application/octet-stream',
      "Content-Disposition: attachment; filename*=utf-8''invite%2Eics",
    ],
    [
      'Content-Type: application/octet-stream',
      'Content-Disposition: attachment; filename*0=invi; filename*1=te.ics',
    ],
    ['Content-Type: application/octet-stream; name="=?utf-8?B?aW52aXRlLmljcw==?="'],
    ['Content-Type: application/octet-stream; name="=?utf-8?Q?invite=2Eics?="'],
    ['Content-Type: application/ms-tnef; name=winmail.dat'],
  ])('%s %s %s', async (...header) => {
    const bytes = redirect(parts(...header.filter((line) => typeof line === 'string')));
    const { attachments, html } = await PostalMime.parse(bytes);
    expect(
      attachments.map(({ mimeType, filename, disposition }) => [mimeType, filename, disposition]),
    ).toEqual([['application/octet-stream', 'calendar.txt', 'attachment']]);
    expect(Buffer.from(attachments[0]?.content as Uint8Array).toString()).toBe(anInvitation());
    expect(html).toContain('<p>a</p>');
    expect(bytes.toString('latin1')).not.toMatch(/content-class|\.ics|text\/calendar/i);
  });

  test('and a message that is nothing else too', async () => {
    const message = aMessage(
      ['Content-Type: text/calendar; method=REQUEST', 'Content-Transfer-Encoding: base64'],
      [ICS],
    );
    const { attachments } = await PostalMime.parse(redirect(message));
    expect(attachments.map(({ filename }) => filename)).toEqual(['calendar.txt']);
  });

  test('and no other part is touched', () => {
    const message = parts('Content-Type: application/pdf; name="physics.pdf"');
    expect(bodyOf(redirect(message))).toBe(bodyOf(Buffer.from(message)));
  });
});
