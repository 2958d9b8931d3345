import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { MAX_REQUEST_BYTES, planSend, RELAY_ID_PROPERTY } from '../../../src/lib/sending/send-plan.ts';
import { aMail, base64Of } from '../../support/a-mail.ts';
import { errorOf } from '../../support/problems-of.ts';

const sender = { name: 'Contoso', address: 'noreply@contoso.example' };
const plan = (override: Record<string, unknown>) => planSend('id-1', sender, readMail(aMail(override)));
const message = (override: Record<string, unknown>) => JSON.parse(plan(override).body.toString()).message;

describe('a mail becomes the request Graph knows', () => {
  test('every field', () => {
    const { body, mailbox } = plan({
      to: 'Chan <chan@contoso.example>',
      cc: 'c@contoso.example',
      bcc: 'b@contoso.example',
      replyTo: 'r@contoso.example',
      html: '<p><img src="cid:logo"></p>',
      text: undefined,
      headers: { 'x-batch': '7' },
      importance: 'high',
      saveToSentItems: false,
      readReceipt: true,
      deliveryReceipt: true,
      tags: ['pay-slip'],
      attachments: [{ filename: 'logo.png', content: base64Of(2), cid: 'logo' }],
    });
    expect(mailbox).toBe('noreply@contoso.example');
    expect(JSON.parse(body.toString())).toEqual({
      message: {
        subject: 'Pay slip',
        body: { contentType: 'html', content: '<p><img src="cid:logo"></p>' },
        from: { emailAddress: { name: 'Contoso', address: 'noreply@contoso.example' } },
        toRecipients: [{ emailAddress: { name: 'Chan', address: 'chan@contoso.example' } }],
        ccRecipients: [{ emailAddress: { address: 'c@contoso.example' } }],
        bccRecipients: [{ emailAddress: { address: 'b@contoso.example' } }],
        replyTo: [{ emailAddress: { address: 'r@contoso.example' } }],
        importance: 'high',
        isReadReceiptRequested: true,
        isDeliveryReceiptRequested: true,
        internetMessageHeaders: [{ name: 'x-batch', value: '7' }],
        attachments: [
          {
            '@odata.type': '#microsoft.graph.fileAttachment',
            name: 'logo.png',
            contentType: 'image/png',
            contentBytes: base64Of(2),
            isInline: true,
            contentId: 'logo',
          },
        ],
        singleValueExtendedProperties: [{ id: RELAY_ID_PROPERTY, value: 'id-1' }],
      },
      saveToSentItems: false,
    });
  });

  test('what was not given is left out', () => {
    expect(Object.keys(message({}))).toEqual([
      'subject',
      'body',
      'from',
      'toRecipients',
      'importance',
      'singleValueExtendedProperties',
    ]);
  });

  test('an empty text is a body', () => {
    expect(message({ text: '' }).body).toEqual({ contentType: 'text', content: '' });
  });
});

describe('what one request cannot carry is refused with limit and figure', () => {
  test('a file of 3 MB', () => {
    const { code, facts } = errorOf(() =>
      plan({ attachments: [{ filename: 'a', content: base64Of(3_000_000) }] }),
    );
    expect(code).toBe('MAIL_TOO_LARGE');
    expect(facts.problems).toEqual([
      {
        code: 'MAIL_TOO_LARGE',
        pointer: '/attachments/0/content',
        expected: 'a file of less than 3000000 bytes',
        received: 'a file of 3000000 bytes',
      },
    ]);
  });

  test('several files that are small each', () => {
    const attachments = [1, 2].map((index) => ({ filename: `${index}`, content: base64Of(1_600_000) }));
    const { code, message: text } = errorOf(() => plan({ attachments }));
    expect(code).toBe('MAIL_TOO_LARGE');
    expect(text).toMatch(/can have 4000000 bytes; this email needs 42\d{5}/);
  });

  test('a long text just fits, counted in bytes and not in characters', () => {
    const room = MAX_REQUEST_BYTES - plan({ text: '' }).body.length;
    expect(plan({ text: '薪'.repeat(Math.floor(room / 3)) }).body.length).toBeLessThanOrEqual(
      MAX_REQUEST_BYTES,
    );
    expect(errorOf(() => plan({ text: '薪'.repeat(Math.floor(room / 3) + 1) })).code).toBe('MAIL_TOO_LARGE');
  });
});

test('whatever the subject and the files, the body is the JSON of all of them', () => {
  const file = fc.record({
    filename: fc.constantFrom('a.bin', '薪資.bin', 'q"u.bin'),
    bytes: fc.uint8Array(),
  });
  fc.assert(
    fc.property(
      fc.constantFrom('plain', '薪資單', 'a "quote"'),
      fc.array(file, { maxLength: 4 }),
      (subject, files) => {
        const attachments = files.map(({ filename, bytes }) => ({
          filename,
          content: Buffer.from(bytes).toString('base64'),
        }));
        const sent = message({ subject, attachments });
        expect(sent.subject).toBe(subject);
        expect(
          (sent.attachments ?? []).map(({ name, contentBytes }: Record<string, string>) => [
            name,
            contentBytes,
          ]),
        ).toEqual(attachments.map(({ filename, content }) => [filename, content]));
      },
    ),
  );
});
