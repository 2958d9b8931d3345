import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeMime, readMime } from '../../../local/graph/mime/read-mime.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { outgoing } from '../../../src/lib/sending/outgoing-mail.ts';
import { planSend } from '../../../src/lib/sending/send-plan.ts';
import { aMail } from '../../support/a-mail.ts';
import { ACCEPTED_AT, STANDARD } from '../../support/a-plan.ts';
import { anInvitation } from '../../support/an-invitation.ts';

/*
 * The stand-in for Graph is stricter with MIME than Exchange: it takes nothing that a server on the way would change or refuse.
 */

const SENDER = { name: 'Contoso 薪資', address: 'noreply@contoso.example' };
const FIXTURES = join(import.meta.dirname, '../../fixtures/mime');

const receive = async (input: Record<string, unknown>) => {
  const mail = readMail(input);
  const plan = await planSend('id-1', mail.from ?? SENDER, outgoing(mail), STANDARD, ACCEPTED_AT);
  if (plan.kind !== 'mime') throw new TypeError(`it goes as ${plan.kind}`);
  const { body, details } = await readMime(decodeMime(plan.body), { headersAreProperties: true });
  return { mail, message: body.message, details };
};

const withLf = (text: string | undefined) => text?.replaceAll(/\r\n?/g, '\n').replace(/\n+$/, '');

test('everything that needs MIME is what Graph receives', async () => {
  const ics = anInvitation();
  const { message, details } = await receive({
    to: 'Chan, Tai-man <chan@contoso.example>'.replace('Chan, Tai-man', '"Chan, Tai-man"'),
    cc: '陳大文 <lee@contoso.example>',
    bcc: 'audit@contoso.example',
    replyTo: 'hr@contoso.example',
    subject: '薪資單',
    text: '你好\n.\nFrom me',
    html: '<p>你好<img src="cid:logo"></p>',
    importance: 'high',
    readReceipt: true,
    deliveryReceipt: true,
    inReplyTo: 'question-7@contoso.example',
    references: ['question-1@contoso.example', 'question-7@contoso.example'],
    calendar: { method: 'REQUEST', ics },
    headers: { 'x-order': '薪7', 'List-Id': '<payroll.contoso.example>' },
    attachments: [
      { filename: '薪資單 2026年3月.pdf', content: 'JVBERi0=' },
      { filename: 'logo.png', content: 'AAEC', cid: 'logo' },
      { filename: 'empty.eml', content: '', contentType: 'message/rfc822' },
    ],
  });
  expect(message).toMatchObject({
    subject: '薪資單',
    from: { emailAddress: SENDER },
    toRecipients: [{ emailAddress: { name: 'Chan, Tai-man', address: 'chan@contoso.example' } }],
    ccRecipients: [{ emailAddress: { name: '陳大文', address: 'lee@contoso.example' } }],
    bccRecipients: [{ emailAddress: { address: 'audit@contoso.example' } }],
    replyTo: [{ emailAddress: { address: 'hr@contoso.example' } }],
    importance: 'high',
    isReadReceiptRequested: true,
    isDeliveryReceiptRequested: true,
    internetMessageHeaders: [
      { name: 'x-order', value: '薪7' },
      { name: 'X-MailRelay-Id', value: 'id-1' },
    ],
  });
  expect(withLf(message.body?.content)).toBe('<p>你好<img src="cid:logo"></p>');
  expect(
    message.attachments?.map(({ name, contentBytes, isInline, contentId }) => [
      name,
      contentBytes,
      isInline,
      contentId,
    ]),
  ).toEqual([
    ['logo.png', 'AAEC', true, 'logo'],
    ['薪資單 2026年3月.pdf', 'JVBERi0=', false, undefined],
    ['empty.eml', '', false, undefined],
  ]);
  expect([withLf(details.text), details.inReplyTo, details.references]).toEqual([
    '你好\n.\nFrom me',
    '<question-7@contoso.example>',
    ['<question-1@contoso.example>', '<question-7@contoso.example>'],
  ]);
  expect([details.calendar?.method, withLf(details.calendar?.ics)]).toEqual(['REQUEST', withLf(ics)]);
});

test.each((await readdir(FIXTURES)).filter((name) => name.endsWith('.eml')))(
  'what %s holds is what Graph receives',
  async (file) => {
    const { message } = await receive({ mime: (await readFile(join(FIXTURES, file))).toString('base64') });
    expect(message.subject).toBe('薪資單 2026年3月 – Pay slip');
    expect(message.bccRecipients).toEqual([{ emailAddress: { address: 'audit@contoso.example' } }]);
    expect(message.attachments?.map(({ contentBytes }) => contentBytes).sort()).toEqual([
      Buffer.from('%PDF-1.7 薪資單').toString('base64'),
      'iVBORw0KGgo=',
    ]);
  },
);

test('whatever whole message the relay accepts, Graph does too, and reads the same recipients', async () => {
  const part = fc.constantFrom(
    'From: a@b.cc',
    'To: c@d.ee',
    'Cc: "x, y" <c@d.ee>,\n e@f.gg',
    'Bcc: h@i.jj;',
    'To: undisclosed-recipients:;',
    'Subject: =?UTF-8?B?6Jaq?=',
    'Subject: a\n b',
    'Content-Type: multipart/mixed; boundary=b',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    'X-A: 1',
    'Received: a',
    '',
    '--b',
    '--b--',
    'body',
    ' body',
    '薪',
    'a: b\r',
  );
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 14 }), async (parts) => {
      const whole = ['From: a@b.cc', 'To: c@d.ee', ...parts, ''].join('\n');
      const input = { mime: Buffer.from(whole).toString('base64') };
      try {
        readMail(input);
      } catch {
        return;
      }
      accepted += 1;
      const { mail, message } = await receive(input);
      const addresses = (list: typeof message.toRecipients = []) =>
        list.map(({ emailAddress }) => emailAddress.address);
      expect([message.toRecipients, message.ccRecipients, message.bccRecipients].map(addresses)).toEqual(
        [mail.to, mail.cc, mail.bcc].map((people) => people.map(({ address }) => address)),
      );
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(20);
});

test('a mail of one line goes through', async () => {
  expect((await receive(aMail({ inReplyTo: 'a@b.cc', text: '' }))).message.subject).toBe('Pay slip');
});
