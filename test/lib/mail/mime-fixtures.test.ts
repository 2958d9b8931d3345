import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime, { addressParser } from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { outgoing } from '../../../src/lib/sending/outgoing-mail.ts';
import { planSend } from '../../../src/lib/sending/send-plan.ts';
import { ACCEPTED_AT, STANDARD } from '../../support/a-plan.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/mime');
const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.eml'));

test('there is a message of each library', () => {
  expect(files.sort()).toEqual([
    'jakarta-mail.eml',
    'mailkit.eml',
    'nodemailer.eml',
    'python-email.eml',
    'symfony-mailer.eml',
    'system-net-mail.eml',
  ]);
});

describe.each(files)('what %s holds', (file) => {
  const sent = async () => {
    const mail = readMail({ mime: (await readFile(join(FOLDER, file))).toString('base64') });
    const sender = mail.from ?? { address: '' };
    const plan = await planSend('id-1', sender, outgoing(mail), STANDARD, ACCEPTED_AT);
    if (plan.kind !== 'mime') throw new TypeError(`it goes as ${plan.kind}`);
    return { mail, plan, mime: Buffer.from(plan.body.toString(), 'base64') };
  };

  test('is judged by its addresses, Bcc among them', async () => {
    const { from, to, cc, bcc } = (await sent()).mail;
    const addresses = [from === undefined ? [] : [from], to, cc, bcc].map((people) =>
      people.map(({ address }) => address),
    );
    expect(addresses).toEqual([
      ['noreply@contoso.example'],
      ['chan@contoso.example', 'lee@contoso.example'],
      ['wong@contoso.example'],
      ['audit@contoso.example'],
    ]);
  });

  test('goes as MIME with CRLF, and arrives as it was', async () => {
    const { plan, mime } = await sent();
    expect([plan.mailbox, plan.contentType]).toEqual(['noreply@contoso.example', 'text/plain']);
    expect(mime.toString('latin1')).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
    const email = await PostalMime.parse(mime);
    const people = (key: string) =>
      email.headers
        .filter((header) => header.key === key)
        .flatMap(({ value }) => addressParser(value).map(({ name, address }) => `${name}:${address}`));
    expect(['from', 'to', 'cc', 'bcc'].map(people)).toEqual([
      ['Contoso 薪資:noreply@contoso.example'],
      ['陳大文:chan@contoso.example', ':lee@contoso.example'],
      ['Wong, Amy:wong@contoso.example'],
      [':audit@contoso.example'],
    ]);
    expect(email.subject).toBe('薪資單 2026年3月 – Pay slip');
    expect(email.text?.replaceAll('\r\n', '\n').trim()).toBe('你的薪資單已備妥。\nYour pay slip is ready.');
    expect(email.html).toMatch(/^<p>你的薪資單已備妥。<img src="cid:[^"]+"><\/p>\s*$/);
    expect([email.inReplyTo, email.messageId]).toEqual([
      '<question-7@contoso.example>',
      '<payslip-7@contoso.example>',
    ]);
    const [logo, slip] = ['image/png', 'application/pdf'].map((type) =>
      email.attachments.find(({ mimeType }) => mimeType === type),
    );
    expect(slip?.filename).toBe('薪資單 2026年3月.pdf');
    expect(Buffer.from(slip?.content as Uint8Array).toString()).toBe('%PDF-1.7 薪資單');
    expect(Buffer.from(logo?.content as Uint8Array).toString('base64')).toBe('iVBORw0KGgo=');
    expect(email.html).toContain(`cid:${logo?.contentId?.replaceAll(/[<>]/g, '')}`);
    expect(email.headers.filter(({ key }) => ['x-mailrelay-id', 'x-receiver'].includes(key))).toEqual([
      expect.objectContaining({ key: 'x-mailrelay-id', value: 'id-1' }),
    ]);
  });
});
