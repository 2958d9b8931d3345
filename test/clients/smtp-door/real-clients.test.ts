import { spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nodemailer from 'nodemailer';
import PostalMime from 'postal-mime';
import { afterAll, describe, expect, test } from 'vitest';
import type { Submission } from '../../../clients/smtp-door/src/submission.ts';
import { CALLER_EXAMPLES, endCompilers, run } from '../../support/caller-examples.ts';
import { TOOLS_MS } from '../../support/patience.ts';
import { certificateFiles, listener, openDoor, PASSWORD } from './door-for-tests.ts';

const has = (program: string, ...args: readonly string[]): boolean => spawnSync(program, args).status === 0;
const hasDotnet = CALLER_EXAMPLES.some(({ page, present }) => page === 'csharp.md' && present);

const folder = await mkdtemp(join(tmpdir(), 'smtp-door-clients-'));
afterAll(async () => {
  await endCompilers(folder);
  await rm(folder, { recursive: true });
});

/** A door with STARTTLS, and one with TLS from the first byte. */
const open = async () => {
  const { files } = await certificateFiles();
  const opened = await openDoor({
    certificate: files,
    listeners: [
      listener({ tls: 'starttls', plainAuth: false }),
      listener({ tls: 'implicit', plainAuth: false }),
    ],
  });
  const [starttls = 0, implicit = 0] = opened.door.ports;
  return { ...opened, starttls, implicit };
};

const read = ({ body }: Submission) => PostalMime.parse(body, { attachmentEncoding: 'base64' });

describe('real clients send through the door', () => {
  test.skipIf(!(has('swaks', '--version') && has('perl', '-MNet::SSLeay', '-e', '1')))(
    'swaks, where it is installed with TLS',
    async () => {
      const { starttls, implicit, delivered } = await open();
      const login = ['--auth-user', 'scanner', '--auth-password', PASSWORD, '--server', '127.0.0.1'];
      const people = ['--from', 'scanner@contoso.com', '--to', 'chan@contoso.com,lee@contoso.com'];
      const tls = await run(
        ['swaks', ...login, ...people, '--tls', '--port', String(starttls), '--auth', 'LOGIN'],
        { folder },
      );
      expect(tls.output).toMatch(/<~ +250 2\.0\.0 Ok: 01a2055c/);
      expect(tls.status).toBe(0);
      const tlsc = await run(
        [
          'swaks',
          ...login,
          ...people,
          '--tlsc',
          '--port',
          String(implicit),
          '--auth',
          'PLAIN',
          '--attach-type',
          'text/plain',
          '--attach',
          'A file',
        ],
        { folder },
      );
      expect(tlsc.status).toBe(0);
      const plain = await run(['swaks', ...login, ...people, '--port', String(starttls)], { folder });
      expect(plain.status).toBe(28);
      const stranger = await run(
        ['swaks', ...people, '--server', '127.0.0.1', '--tls', '--port', String(starttls)],
        { folder },
      );
      expect(stranger.output).toMatch(/<~\* +530 5\.7\.0 Authentication required/);
      expect(delivered.map(({ account, contentType }) => [account, contentType])).toEqual([
        ['scanner', 'message/rfc822'],
        ['scanner', 'message/rfc822'],
      ]);
    },
  );

  test('nodemailer, with its pool, attachments, a Bcc and an error that it can read', async () => {
    const { implicit, delivered } = await open();
    const transport = nodemailer.createTransport({
      host: '127.0.0.1',
      port: implicit,
      secure: true,
      pool: true,
      tls: { rejectUnauthorized: false },
      auth: { user: 'scanner', pass: PASSWORD },
    });
    const mail = {
      from: 'Löhne <payroll@contoso.com>',
      to: '陳 <chan@contoso.com>',
      bcc: 'hidden@contoso.com',
      subject: 'Größe',
      text: 'A line.\n.\nA dot alone.',
      html: '<p>大小</p>',
      attachments: [{ filename: 'größe.pdf', content: Buffer.from([0, 1, 2, 10, 13, 46, 255]) }],
    };
    const sent = await Promise.all([1, 2, 3].map(() => transport.sendMail(mail)));
    expect(sent.map(({ response }) => response)).toEqual(
      Array(3).fill('250 2.0.0 Ok: 01a2055c-e268-762b-8556-1836e3fff5b7'),
    );
    await expect(transport.sendMail({ ...mail, to: 'x%y@contoso.com', bcc: [] })).rejects.toMatchObject({
      responseCode: 550,
      response: '550 5.7.1 Routes in addresses are not supported. Send to name@example.com alone.',
    });
    transport.close();
    expect(new Set(delivered.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(3);
    const [first] = delivered;
    expect(first && (await read(first))).toMatchObject({
      from: { name: 'Löhne', address: 'payroll@contoso.com' },
      to: [{ name: '陳', address: 'chan@contoso.com' }],
      bcc: [{ address: 'hidden@contoso.com' }],
      subject: 'Größe',
      text: 'A line.\n.\nA dot alone.\n',
      attachments: [{ filename: 'größe.pdf', content: 'AAECCg0u/w==' }],
    });
  });

  test.skipIf(!has('python3', '--version'))(
    'smtplib of Python, where it is installed, and a repeated email has the same key',
    async () => {
      const { starttls, delivered } = await open();
      await copyFile(new URL('programs/send.py', import.meta.url), join(folder, 'send.py'));
      const { output, status } = await run(
        ['python3', 'send.py', '127.0.0.1', String(starttls), PASSWORD, '2'],
        { folder },
      );
      expect(output).toMatch(
        /^(refused: \{\}\nerror: 535 5\.7\.8 The user name or the password is wrong.*\n){2}$/,
      );
      expect(status).toBe(0);
      const [first, again] = delivered;
      expect(again?.idempotencyKey).toBe(first?.idempotencyKey);
      expect(again?.body.toString('latin1')).toBe(first?.body.toString('latin1'));
      expect(first && (await read(first))).toMatchObject({
        subject: 'Größe und 大小',
        bcc: [{ address: 'hidden@contoso.com' }],
        text: expect.stringContaining('A line.\n.\nA dot alone, and 大小.'),
        attachments: [{ filename: 'scan.pdf', mimeType: 'application/pdf' }],
      });
    },
  );

  test.skipIf(!hasDotnet)(
    'System.Net.Mail and MailKit, where .NET 10 is installed',
    async () => {
      const { starttls, delivered } = await open();
      await copyFile(new URL('programs/send.cs', import.meta.url), join(folder, 'send.cs'));
      await writeFile(join(folder, 'Directory.Build.props'), '<Project />');
      const { output, status } = await run(
        ['dotnet', 'run', 'send.cs', '127.0.0.1', String(starttls), PASSWORD],
        { folder },
      );
      expect(output).toContain('SmtpClient: sent\n');
      expect(output).toMatch(/SmtpClient: .*5\.7\.1 Routes in addresses are not supported/);
      expect(output).toMatch(/MailKit: .*Size.*, at most 1000000 bytes\n/);
      expect(output).toContain('MailKit: 2.0.0 Ok: 01a2055c-e268-762b-8556-1836e3fff5b7\n');
      expect(output).toMatch(/MailKit: 550 .*The header From has several addresses/);
      expect(status).toBe(0);
      const [system, mailKit] = await Promise.all(delivered.map((submission) => read(submission)));
      expect(system).toMatchObject({
        subject: 'Größe und 大小',
        bcc: [{ address: 'hidden@contoso.com' }],
        attachments: [{ filename: 'scan.txt' }],
      });
      expect(mailKit).toMatchObject({
        from: { name: 'Löhne' },
        to: [{ name: '陳' }],
        bcc: [{ address: 'hidden@contoso.com' }],
        attachments: [{ filename: 'scan.pdf', content: 'AAECCg0u/w==' }],
      });
    },
    TOOLS_MS,
  );
});
