import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AppError } from '../../../src/lib/errors.ts';
import { RELAY_ID_PROPERTY } from '../../../src/lib/sending/json-message.ts';
import { MAX_REQUEST_BYTES } from '../../../src/lib/sending/send-plan.ts';
import { aMail, base64Of } from '../../support/a-mail.ts';
import { directPlanOf } from '../../support/a-plan.ts';

const sender = { name: 'Contoso', address: 'noreply@contoso.example' };
const plan = (override: Record<string, unknown>) => directPlanOf('id-1', sender, aMail(override));
const message = async (override: Record<string, unknown>) =>
  JSON.parse((await plan(override)).body.toString()).message;
const refusal = (override: Record<string, unknown>): Promise<AppError> =>
  plan(override).then(
    () => {
      throw new TypeError('it is not refused');
    },
    (error: AppError) => error,
  );

describe('a mail becomes the request Graph knows', () => {
  test('every field', async () => {
    const { body, mailbox } = await plan({
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

  test('what was not given is left out', async () => {
    expect(Object.keys(await message({}))).toEqual([
      'subject',
      'body',
      'from',
      'toRecipients',
      'importance',
      'singleValueExtendedProperties',
    ]);
  });

  test('an empty text is a body', async () => {
    expect((await message({ text: '' })).body).toEqual({ contentType: 'text', content: '' });
  });
});

describe('what one request cannot carry is refused with limit and figure', () => {
  test('a file of 3 MB', async () => {
    const { code, facts } = await refusal({
      attachments: [{ filename: 'a', content: base64Of(3_000_000) }],
    });
    expect(code).toBe('MAIL_TOO_LARGE');
    expect(facts.problems).toEqual([
      {
        code: 'MAIL_TOO_LARGE',
        pointer: '/attachments/0/content',
        expected: 'a file of less than 3000000 bytes, or the setting MAIL_LARGE_ATTACHMENTS',
        received: 'a file of 3000000 bytes',
      },
    ]);
  });

  test('several files that are small each', async () => {
    const attachments = [1, 2].map((index) => ({ filename: `${index}`, content: base64Of(1_600_000) }));
    const { code, message: text } = await refusal({ attachments });
    expect(code).toBe('MAIL_TOO_LARGE');
    expect(text).toMatch(/can have 4000000 bytes; this email needs 42\d{5}/);
  });

  test('a long text just fits, counted in bytes and not in characters', async () => {
    const room = MAX_REQUEST_BYTES - (await plan({ text: '' })).body.length;
    const longest = await plan({ text: '薪'.repeat(Math.floor(room / 3)) });
    expect(longest.body.length).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
    expect((await refusal({ text: '薪'.repeat(Math.floor(room / 3) + 1) })).code).toBe('MAIL_TOO_LARGE');
  });
});

test('whatever the subject and the files, the body is the JSON of all of them', async () => {
  const file = fc.record({
    filename: fc.constantFrom('a.bin', '薪資.bin', 'q"u.bin'),
    bytes: fc.uint8Array(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('plain', '薪資單', 'a "quote"'),
      fc.array(file, { maxLength: 4 }),
      async (subject, files) => {
        const attachments = files.map(({ filename, bytes }) => ({
          filename,
          content: Buffer.from(bytes).toString('base64'),
        }));
        const sent = await message({ subject, attachments });
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
