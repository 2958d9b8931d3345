import fc from 'fast-check';
import PostalMime, { type Attachment, addressParser, decodeWords, type Email } from 'postal-mime';
import { describe, expect, test } from 'vitest';
import type { Mail } from '../../../src/lib/mail/mail-schema.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { composeMime } from '../../../src/lib/sending/compose-mime.ts';
import { outgoing } from '../../../src/lib/sending/outgoing-mail.ts';
import { aMail } from '../../support/a-mail.ts';
import { ACCEPTED_AT, directPlanOf } from '../../support/a-plan.ts';
import { anInvitation } from '../../support/an-invitation.ts';
import { anyMail, asAddress, asLine, asText, contentOf, tryToRead } from './any-mail.ts';

const ID = '01a2055c-e268-762b-8556-1836e3fff5b7';
const SENDER = { name: 'Contoso 薪資', address: 'noreply@contoso.example' };

const compose = async (mail: Mail): Promise<Buffer> => {
  const whole = outgoing(mail);
  return composeMime(ID, SENDER, whole, whole.files, ACCEPTED_AT);
};

/** Reads with a library that is not the composer's. */
const parse = (mime: Buffer): Promise<Email> => PostalMime.parse(mime, { forceRfc822Attachments: true });

const bytesOf = ({ content }: Attachment): Buffer =>
  typeof content === 'string' ? Buffer.from(content) : Buffer.from(content as Uint8Array);

const addressesOf = (email: Email, key: string) =>
  email.headers
    .filter((header) => header.key === key)
    .flatMap(({ value }) => addressParser(value, { flatten: true }))
    .map(({ name, address }) => ({ name, address }));

test('whatever email is valid, the MIME made of it says the same', async () => {
  let valid = 0;
  await fc.assert(
    fc.asyncProperty(anyMail(ID), async (input) => {
      const mail = tryToRead(input);
      if (mail === undefined) return;
      valid += 1;
      const mime = await compose(mail);
      expectMimeLines(mime);
      expect(readMail({ mime: mime.toString('base64') }).to).toHaveLength(mail.to.length);
      const email = await parse(mime);
      for (const [key, field] of [
        ['to', 'to'],
        ['cc', 'cc'],
        ['bcc', 'bcc'],
        ['reply-to', 'replyTo'],
      ] as const)
        expect(addressesOf(email, key)).toEqual(mail[field].map(asAddress));
      expect(addressesOf(email, 'from')).toEqual([SENDER]);
      expect(asLine(email.subject ?? '')).toBe(asLine(mail.subject));
      expect(asText(email.text)).toBe(asText(mail.text));
      expect(asText(email.html)).toBe(asText(mail.html));
      expect(email.attachments.map(bytesOf)).toEqual(
        mail.attachments.map((file) => Buffer.from(contentOf(file), 'base64')),
      );
      expect(email.attachments.map(({ filename, contentId }) => [filename, contentId])).toEqual(
        mail.attachments.map(({ filename, cid }) => [filename, cid === undefined ? undefined : `<${cid}>`]),
      );
      for (const { name, value } of mail.headers) expect(decoded(email, name)).toEqual([asLine(value)]);
    }),
    { numRuns: 300 },
  );
  expect(valid).toBeGreaterThan(50);
});

/** What SMTP asks of every line, and a header of ASCII. */
const expectMimeLines = (mime: Buffer): void => {
  const text = mime.toString('latin1');
  expect(text).not.toMatch(/\r(?!\n)|(?<!\r)\n|\0/);
  expect(text.slice(0, text.indexOf('\r\n\r\n'))).not.toMatch(/^[ \t]+$/m);
  expect(Math.max(...text.split('\r\n').map(({ length }) => length))).toBeLessThanOrEqual(998);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is what is looked for
  expect(text).toMatch(/^[\x00-\x7f]*$/);
};

describe('no line is too long, whatever the fields', () => {
  /** 998 characters is what a name and a subject can have. */
  const LONG = {
    'letters without a blank': 'x'.repeat(998),
    quotes: '"'.repeat(998),
    'backslashes and quotes': '\\"'.repeat(499),
    'what looks like encoded words': '=?utf-8?q?a?= '.repeat(71).trim(),
    'an encoded word that never ends': `=?${'x'.repeat(996)}`,
    blanks: `a${' '.repeat(996)}b`,
    'words of another script': '薪資 '.repeat(332).trim(),
    'letters of two scripts': 'x薪'.repeat(499),
    emoji: '👩‍👩‍👧'.repeat(120),
    words: 'word '.repeat(199).trim(),
  };

  test.each(Object.entries(LONG))('%s', async (_, long) => {
    const filename = long
      .replaceAll(/[\\]/g, '')
      .slice(0, 240)
      .toWellFormed()
      .replace(/[\s\ufffd]+$/, 'x');
    const person = { name: long, address: 'chan@contoso.example' };
    const mail = readMail({
      to: [person, person],
      cc: [person],
      bcc: [person],
      replyTo: [person],
      subject: long,
      text: 'a',
      html: `<img src="cid:logo">`,
      headers: { 'x-long': long.slice(0, 990).toWellFormed() },
      attachments: [
        { filename, content: 'AAEC' },
        { filename, content: 'AAEC', cid: 'logo', contentType: 'application/pdf; name="other.pdf"' },
      ],
    });
    const mime = await compose(mail);
    expectMimeLines(mime);
    const header = mime.toString().split('\r\n');
    const isOneWord = (text: string) =>
      text === `x-long: ${long.slice(0, 990)}` || text === ` ${long.slice(0, 990)}`;
    const tooLong = header.filter((text) => text.length > 78 && !isOneWord(text));
    expect(tooLong).toEqual([]);
    const email = await parse(mime);
    for (const key of ['to', 'cc', 'bcc', 'reply-to'])
      expect(new Set(addressesOf(email, key).map(({ name }) => name))).toEqual(new Set([long]));
    expect(email.subject).toBe(long);
    expect(email.attachments.map((file) => file.filename)).toEqual([filename, filename]);
    expect(decoded(email, 'x-long')).toEqual([asLine(long.slice(0, 990).toWellFormed())]);
    for (const parameter of ['name', 'filename'])
      expect(mime.toString().match(new RegExp(`[; ]${parameter}(?:\\*0\\*?)?=`, 'g'))).toHaveLength(2);
  });

  test('an address with a long mailbox name and domain', async () => {
    const address = `${'x'.repeat(64)}@${`${'y'.repeat(60)}.`.repeat(4)}example`;
    const mail = readMail(aMail({ to: [{ name: 'n'.repeat(998), address }, address] }));
    const mime = await compose(mail);
    expectMimeLines(mime);
    expect(addressesOf(await parse(mime), 'to').map((to) => to.address)).toEqual([address, address]);
  });
});

const decoded = (email: Email, name: string): readonly string[] =>
  email.headers
    .filter(({ key }) => key === name.toLowerCase())
    .map(({ value }) => asLine(decodeWords(value)));

test('whatever email JSON can express, its JSON says the same', async () => {
  await fc.assert(
    fc.asyncProperty(anyMail(ID), async ({ text: _, headers: __, ...input }) => {
      const mail = tryToRead({ ...input, text: '', headers: {} });
      if (mail === undefined) return;
      const { kind, body } = await directPlanOf(ID, SENDER, {
        ...mail,
        attachments: mail.attachments,
        headers: {},
        references: [],
      });
      expect(kind).toBe('json');
      const { message } = JSON.parse(body.toString());
      const asGraph = (people: Mail['to']) => people.map((emailAddress) => ({ emailAddress }));
      expect(message).toMatchObject({
        subject: mail.subject,
        body: { contentType: 'html', content: mail.html },
        toRecipients: asGraph(mail.to),
      });
      expect([message.ccRecipients ?? [], message.bccRecipients ?? [], message.replyTo ?? []]).toEqual(
        [mail.cc, mail.bcc, mail.replyTo].map(asGraph),
      );
      expect(
        message.attachments.map(({ name, contentBytes }: Record<string, string>) => [name, contentBytes]),
      ).toEqual(mail.attachments.map((file) => [file.filename, contentOf(file)]));
    }),
    { numRuns: 200 },
  );
});

describe('what a message says beside its texts', () => {
  const composed = async (override: Record<string, unknown>) => compose(readMail(aMail(override)));

  test('the same email gives the same bytes at every attempt', async () => {
    const override = { html: '<p>a</p>', attachments: [{ filename: 'a.txt', content: 'YQ==' }] };
    expect(await composed(override)).toEqual(await composed(override));
  });

  test('its id, its date and the id of the relay', async () => {
    const { headers, date, messageId } = await parse(await composed({}));
    expect([date, messageId]).toEqual(['2026-03-02T08:00:00.000Z', `<${ID}@contoso.example>`]);
    expect(headers.filter(({ key }) => key === 'x-mailrelay-id').map(({ value }) => value)).toEqual([ID]);
  });

  test('a thread, of which what it answers is a part', async () => {
    const { inReplyTo, references, messageId } = await parse(
      await composed({ inReplyTo: 'a@b.cc', messageId: 'own@contoso.example' }),
    );
    expect([inReplyTo, references, messageId]).toEqual(['<a@b.cc>', '<a@b.cc>', '<own@contoso.example>']);
    const long = Array.from({ length: 100 }, (_, n) => `<${n}.${'x'.repeat(100)}@b.cc>`);
    expect((await parse(await composed({ references: long }))).references?.split(/\s+/)).toEqual(long);
  });

  test('a header of lists as it is written, since programs do not decode it', async () => {
    const value = `<https://contoso.example/leave?a=?b&c="${'x'.repeat(200)}">, <mailto:leave@contoso.example>`;
    const { headers } = await parse(
      await composed({ html: '<p>a</p>', headers: { 'List-Unsubscribe': value } }),
    );
    expect(headers.find(({ key }) => key === 'list-unsubscribe')?.value).toBe(value);
  });

  test('importance and receipts', async () => {
    const { headers } = await parse(
      await composed({ importance: 'high', readReceipt: true, deliveryReceipt: true }),
    );
    const valueOfKey = (wanted: string) => headers.find(({ key }) => key === wanted)?.value;
    expect(['importance', 'disposition-notification-to', 'return-receipt-to'].map(valueOfKey)).toEqual([
      'high',
      SENDER.address,
      SENDER.address,
    ]);
  });

  test('an invitation, as the last alternative and not as a file', async () => {
    const ics = anInvitation({ SUMMARY: `薪資 ${'長'.repeat(200)}` });
    const email = await parse(await composed({ html: '<p>a</p>', calendar: { method: 'REQUEST', ics } }));
    expect(
      email.attachments.map((one) => [
        one.mimeType,
        one.method,
        asText(bytesOf(one).toString()),
        one.disposition,
      ]),
    ).toEqual([['text/calendar', 'REQUEST', asText(ics), null]]);
  });

  test('an invitation without the mark of the byte order', async () => {
    const ics = anInvitation();
    const email = await parse(await composed({ calendar: { method: 'REQUEST', ics: `\ufeff${ics}` } }));
    expect(email.attachments.map((one) => bytesOf(one).toString('latin1').slice(0, 15))).toEqual([
      'BEGIN:VCALENDAR',
    ]);
  });

  test('a text that holds the boundary of the message ends no part', async () => {
    const boundary = ID.replaceAll('-', '');
    const text = `a\n----_NmP-${boundary}-Part_1--\nb`;
    expect(asText((await parse(await composed({ text, html: '<p>a</p>' }))).text)).toBe(text);
  });
});
