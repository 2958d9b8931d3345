import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import PostalMime from 'postal-mime';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readContentFile } from '../../../local/inbox/attachment-content.ts';
import type { CapturedMail } from '../../../src/lib/inbox/captured-mail.ts';
import { toEml } from '../../../src/lib/inbox/eml.ts';
import {
  A_PNG,
  aCapturedMail,
  anInvitation,
  aPdf,
  attached,
  person,
} from '../../local/inbox/captured-mails.ts';

const emlOf = async (mail: CapturedMail) => {
  const bytes = await toEml(mail, readContentFile);
  const headers = bytes.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
  return { text: bytes.toString('utf8'), headers, email: await PostalMime.parse(bytes) };
};
const base64 = (lines: readonly string[]) => Buffer.from(lines.join('\r\n'), 'latin1').toString('base64');

describe('an email that came as MIME', () => {
  const mime = (lines: readonly string[]) => aCapturedMail({ via: 'mime', mime: base64(lines) });

  test.each([
    ['one line', ['Subject: x', 'Bcc: secret@contoso.example', 'To: a@b.example']],
    [
      'folded',
      ['Subject: x', 'BCC : secret@contoso.example,', '\tsecret2@contoso.example', 'To: a@b.example'],
    ],
    ['the first', ['Bcc: secret@contoso.example', 'Subject: x', 'To: a@b.example']],
    [
      'twice, and resent',
      ['Bcc: secret', 'Subject: x', 'bcc:secret', 'Resent-Bcc: secret', 'To: a@b.example'],
    ],
    ['the last', ['Subject: x', 'To: a@b.example', 'Bcc: secret@contoso.example']],
  ])('is given byte for byte, without Bcc (%s)', async (_where, headers) => {
    const body = ['', 'Bcc: this is text', '\xff\x00 bytes', ''];
    const { text } = await emlOf(mime([...headers, ...body]));
    expect(text).toBe(
      Buffer.from(['Subject: x', 'To: a@b.example', ...body].join('\r\n'), 'latin1').toString('utf8'),
    );
  });

  test.each([
    ['headers alone', ['Subject: x', 'Bcc: secret'], 'Subject: x\r\n'],
    ['no headers', ['', 'Bcc: text', '', 'x'], '\r\nBcc: text\r\n\r\nx'],
    ['Bcc behind a bare CR', ['X-A: b\rBcc: secret', '', 'x'], 'X-A: b\r\r\nx'],
  ])('with %s keeps no Bcc either', async (_what, lines, left) => {
    expect((await toEml(mime(lines), readContentFile)).toString()).toBe(left);
  });
});

describe('any other email', () => {
  test('is composed with both bodies, all files, its images in place, and the invitation', async () => {
    const { email } = await emlOf(
      aCapturedMail({
        text: '您好\nlast line',
        calendar: { method: 'request', ics: anInvitation() },
        message: {
          subject: '薪資單 – March',
          body: { contentType: 'html', content: '<p>您好</p><img src="cid:logo@contoso">' },
          attachments: [
            attached('薪資單.pdf', aPdf(), { contentType: 'application/pdf' }),
            attached('logo.png', A_PNG, {
              contentType: 'image/png',
              isInline: true,
              contentId: 'logo@contoso',
            }),
            attached('empty.bin', Buffer.alloc(0)),
          ],
        },
      }),
    );
    expect(email.subject).toBe('薪資單 – March');
    expect(email.html?.trim()).toBe('<p>您好</p><img src="cid:logo@contoso">');
    expect(email.text?.replaceAll('\r\n', '\n').trim()).toBe('您好\nlast line');
    const files = email.attachments.map(({ filename, mimeType, disposition, contentId, content }) => [
      filename,
      mimeType,
      disposition,
      contentId,
      Buffer.from(content as ArrayBuffer).toString('latin1'),
    ]);
    expect(files).toContainEqual([
      '薪資單.pdf',
      'application/pdf',
      'attachment',
      undefined,
      aPdf().toString('latin1'),
    ]);
    expect(files).toContainEqual([
      'logo.png',
      'image/png',
      'inline',
      '<logo@contoso>',
      A_PNG.toString('latin1'),
    ]);
    expect(files).toContainEqual(['empty.bin', 'application/octet-stream', 'attachment', undefined, '']);
    expect(email.attachments.find(({ mimeType }) => mimeType === 'text/calendar')).toMatchObject({
      method: 'REQUEST',
    });
  });

  test('is composed with the headers recipients see, and without Bcc', async () => {
    const { headers, email } = await emlOf(
      aCapturedMail({
        id: 'pay-slip',
        inReplyTo: '<a@contoso.example>',
        references: ['<root@contoso.example>', '<a@contoso.example>'],
        message: {
          from: person('payslips@contoso.example', 'Pay "the" Roll'),
          toRecipients: [person('ming@contoso.example', '王小明'), person('mei@contoso.example')],
          ccRecipients: [person('cc@contoso.example')],
          bccRecipients: [person('secret@contoso.example')],
          replyTo: [person('hr@contoso.example')],
          importance: 'high',
          isReadReceiptRequested: true,
          internetMessageHeaders: [
            { name: 'X-Run', value: '2026-02' },
            { name: 'x-run', value: '薪' },
          ],
        },
      }),
    );
    expect(email).toMatchObject({
      from: { name: 'Pay "the" Roll', address: 'payslips@contoso.example' },
      to: [
        { name: '王小明', address: 'ming@contoso.example' },
        { name: '', address: 'mei@contoso.example' },
      ],
      cc: [{ address: 'cc@contoso.example' }],
      replyTo: [{ address: 'hr@contoso.example' }],
      messageId: '<pay-slip@inbox.invalid>',
      inReplyTo: '<a@contoso.example>',
      references: '<root@contoso.example> <a@contoso.example>',
      date: '2026-03-02T01:30:00.000Z',
    });
    const value = (key: string) =>
      email.headers.filter((field) => field.key === key).map((field) => field.value);
    expect([value('x-run'), value('importance'), value('disposition-notification-to')]).toEqual([
      ['2026-02', '=?UTF-8?B?6Jaq?='],
      ['high'],
      ['<payslips@contoso.example>'],
    ]);
    expect(headers).not.toMatch(/secret|^bcc/im);
  });

  test('is composed with List-Unsubscribe from its property, as Exchange does', async () => {
    const { email } = await emlOf(
      aCapturedMail({
        message: {
          singleValueExtendedProperties: [
            {
              id: 'String 0x1045',
              value: '<mailto:leave@contoso.example>, <https://contoso.example/leave?id="7">',
            },
            { id: 'String {6a1f7f0e-3c52-4f0b-9d55-5c4f2f8a7b61} Name 0x1045', value: 'other' },
          ],
        },
      }),
    );
    expect(email.headers.filter(({ key }) => key === 'list-unsubscribe').map(({ value }) => value)).toEqual([
      '<mailto:leave@contoso.example>, <https://contoso.example/leave?id="7">',
    ]);
  });

  test('from a draft that came as MIME keeps the headers of that MIME and the files added later', async () => {
    const { email } = await emlOf(
      aCapturedMail({
        via: 'draft',
        mime: base64(['Subject: Hello', '', 'old']),
        headers: [
          { name: 'Subject', value: 'Hello' },
          { name: 'Content-Type', value: 'text/plain' },
          { name: 'List-Unsubscribe', value: '<https://contoso.example/u>' },
        ],
        message: { attachments: [attached('later.txt', Buffer.from('x'))] },
      }),
    );
    expect(email.headers.find(({ key }) => key === 'list-unsubscribe')?.value).toBe(
      '<https://contoso.example/u>',
    );
    expect([email.subject, email.attachments[0]?.filename]).toEqual(['Hello', 'later.txt']);
  });

  test('has the bytes of a large file, which is not in the request', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'eml-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const contentFile = path.join(folder, 'bytes');
    await writeFile(contentFile, aPdf());
    const { contentBytes: _, ...file } = attached('large.pdf', Buffer.alloc(0));
    const { email } = await emlOf(
      aCapturedMail({ message: { attachments: [{ ...file, contentFile, size: aPdf().length }] } }),
    );
    expect(Buffer.from(email.attachments[0]?.content as ArrayBuffer)).toEqual(aPdf());
  });

  const BREAKS = ['\r\nX-Injected: 1', '\nX-Injected: 1', '\rX-Injected: 1', '\r\n\r\nX-Injected: 1'];

  test.each(BREAKS)('takes no header from a value with a line break (%j)', async (evil) => {
    const { text, email } = await emlOf(
      aCapturedMail({
        internetMessageId: `<id@x>${evil}`,
        inReplyTo: `<a@x>${evil}`,
        references: [`<b@x>${evil}`],
        calendar: { method: `REQUEST${evil}`, ics: anInvitation() },
        headers: [
          { name: `X-A${evil}`, value: 'name' },
          { name: 'X-B', value: `value${evil}` },
        ],
        message: {
          subject: `subject${evil}`,
          from: person(`noreply@contoso.example${evil}`, `name${evil}`),
          toRecipients: [person(`ada@contoso.example${evil}`, `name${evil}`)],
          attachments: [
            attached(`a.txt${evil}`, Buffer.from('x'), {
              contentType: `text/plain${evil}`,
              isInline: true,
              contentId: `cid${evil}`,
            }),
            attached(`b.txt${evil}`, Buffer.from('x'), { contentId: `cid${evil}` }),
          ],
        },
      }),
    );
    expect(email.headers.map(({ key }) => key)).not.toContain('x-injected');
    // Neither in the headers of the email nor in those of a part.
    expect(text).not.toMatch(/(?:^|[\r\n])x-injected/i);
  });

  test('takes no second From, no Bcc and no structure from headers or types that the sender chose', async () => {
    const { headers, email } = await emlOf(
      aCapturedMail({
        message: {
          internetMessageHeaders: [
            { name: 'From', value: 'ceo@contoso.example' },
            { name: 'bcc', value: 'secret@contoso.example' },
            { name: 'Content-Type', value: 'multipart/mixed; boundary=evil' },
            { name: 'From: ceo@contoso.example (', value: ')' },
            { name: '', value: 'x' },
          ],
          attachments: [
            attached('parts.bin', Buffer.from('--evil\r\n\r\nx'), { contentType: 'multipart/mixed' }),
            attached('..\\..\\etc/passwd', Buffer.from('x')),
          ],
        },
      }),
    );
    expect(headers).not.toMatch(/ceo|secret|evil/);
    expect(email.attachments.map(({ filename, mimeType }) => [filename, mimeType])).toEqual([
      ['parts.bin', 'application/octet-stream'],
      ['.._.._etc_passwd', 'application/octet-stream'],
    ]);
  });
});
