import { rm, writeFile } from 'node:fs/promises';
import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import { certificateFiles, listener, openDoor, PASSWORD, plainToken, SCANNER } from './door-for-tests.ts';
import { talkTo } from './smtp-talk.ts';

const TRUSTING = { rejectUnauthorized: false };
const STARTTLS = listener({ tls: 'starttls', plainAuth: false });
const IMPLICIT = listener({ tls: 'implicit', plainAuth: false });

/** The name in the certificate that the door shows. */
const nameShown = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', ...TRUSTING }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once('error', reject);
  });

describe('STARTTLS', () => {
  test('comes before AUTH, which is not even announced', async () => {
    const { files } = await certificateFiles();
    const { port } = await openDoor({ listeners: [STARTTLS], certificate: files });
    const talk = await talkTo(port);
    const before = await talk.say('EHLO x');
    expect(before).toContain('STARTTLS');
    expect(before).not.toContain('AUTH');
    expect(await talk.say(`AUTH PLAIN ${plainToken('scanner', PASSWORD)}`)).toBe(
      '530 5.7.0 Send STARTTLS first: passwords are accepted with TLS only.',
    );
    expect(await talk.say('MAIL FROM:<a@contoso.com>')).toMatch(
      /^530 5\.7\.0 Authentication required\. Send STARTTLS, then AUTH/,
    );
    expect(await talk.say('STARTTLS')).toBe('220 2.0.0 Ready to start TLS');
    await talk.startTls(TRUSTING);
    const after = await talk.say('EHLO x');
    expect(after).toContain('AUTH PLAIN LOGIN');
    expect(after).not.toContain('STARTTLS');
    expect(await talk.say(`AUTH PLAIN ${plainToken('scanner', PASSWORD)}`)).toMatch(/^235 /);
    expect(await talk.say('MAIL FROM:<a@contoso.com>')).toMatch(/^250 /);
  });

  test('forgets what was said before it', async () => {
    const { files } = await certificateFiles();
    const { port } = await openDoor({ listeners: [{ ...STARTTLS, plainAuth: true }], certificate: files });
    const talk = await talkTo(port);
    await talk.say('EHLO x');
    await talk.say(`AUTH PLAIN ${plainToken('scanner', PASSWORD)}`);
    await talk.say('MAIL FROM:<a@contoso.com>');
    await talk.say('STARTTLS');
    await talk.startTls(TRUSTING);
    expect(await talk.say('MAIL FROM:<a@contoso.com>')).toMatch(/^503 5\.5\.1 .*HELO/);
    await talk.say('EHLO x');
    expect(await talk.say('MAIL FROM:<a@contoso.com>')).toMatch(/^530 5\.7\.0 /);
  });

  test('drops what comes in the same packet: nobody can put commands before those of the client', async () => {
    const { files } = await certificateFiles();
    const { port, delivered } = await openDoor({
      listeners: [STARTTLS],
      certificate: files,
      accounts: [{ ...SCANNER, networks: ['127.0.0.1'] }],
    });
    const talk = await talkTo(port);
    await talk.say('EHLO x');
    talk.write('STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@contoso.com>\r\nRCPT TO:<x@contoso.com>\r\n');
    expect(await talk.reply()).toMatch(/^220 /);
    await talk.startTls(TRUSTING).catch(() => undefined);
    const reply = await talk.say('RCPT TO:<chan@contoso.com>');
    expect(['', '503']).toContain(reply.slice(0, 3));
    expect(delivered).toEqual([]);
  });
});

describe('TLS', () => {
  test('from the first byte offers AUTH and no STARTTLS', async () => {
    const { files } = await certificateFiles();
    const { port } = await openDoor({ listeners: [IMPLICIT], certificate: files });
    const talk = await talkTo(port, { secure: TRUSTING });
    const reply = await talk.say('EHLO x');
    expect(reply).toContain('AUTH PLAIN LOGIN');
    expect(reply).not.toContain('STARTTLS');
  });

  test.each<['TLSv1' | 'TLSv1.1', string]>([
    ['TLSv1', 'TLSv1'],
    ['TLSv1.1', 'TLSv1.1'],
  ])('%s is for listeners that name it', async (version, expected) => {
    const { files } = await certificateFiles();
    const { door } = await openDoor({
      listeners: [{ ...IMPLICIT, minVersion: version }, IMPLICIT],
      certificate: files,
    });
    const [old = 0, usual = 0] = door.ports;
    const connect = (port: number) =>
      new Promise<string>((resolve) => {
        const socket = tls.connect(
          {
            port,
            host: '127.0.0.1',
            ...TRUSTING,
            minVersion: version,
            maxVersion: version,
            ciphers: 'DEFAULT@SECLEVEL=0',
          },
          () => {
            resolve(String(socket.getProtocol()));
            socket.destroy();
          },
        );
        socket.once('error', () => resolve('refused'));
      });
    expect(await connect(old)).toBe(expected);
    expect(await connect(usual)).toBe('refused');
  });

  test('needs a certificate of its own', async () => {
    await expect(openDoor({ listeners: [STARTTLS] })).rejects.toThrow(
      /^Expected `certificate` for listeners with TLS/,
    );
  });
});

describe('the certificate', () => {
  test('is read again for new connections; those that are open go on', async () => {
    const { files, renew } = await certificateFiles();
    const { door, port } = await openDoor({ listeners: [IMPLICIT], certificate: files });
    const open = await talkTo(port, { secure: TRUSTING });
    expect(await nameShown(port)).toBe('first.example.com');
    await renew('second.example.com');
    expect(await door.reloadCertificate()).toBe(true);
    expect(await nameShown(port)).toBe('second.example.com');
    expect(await open.say('NOOP')).toMatch(/^250 /);
  });

  test.each<[string, (files: { certFile: string; keyFile: string }) => Promise<void>]>([
    ['is gone', ({ certFile }) => rm(certFile)],
    ['is no certificate', ({ certFile }) => writeFile(certFile, 'x')],
    [
      'has another key',
      async ({ keyFile }) => {
        const other = await certificateFiles();
        await writeFile(keyFile, await (await import('node:fs/promises')).readFile(other.files.keyFile));
      },
    ],
  ])('that %s leaves the old one in place, and says so', async (_, spoil) => {
    const { files } = await certificateFiles();
    const { door, port, events } = await openDoor({ listeners: [IMPLICIT], certificate: files });
    const validTo = door.certificateValidTo();
    await spoil(files);
    expect(await door.reloadCertificate()).toBe(false);
    expect(door.certificateValidTo()).toEqual(validTo);
    expect(await nameShown(port)).toBe('first.example.com');
    expect(events).toContainEqual({
      level: 'error',
      event: 'CertificateKept',
      facts: expect.objectContaining({ reason: expect.stringMatching(/^Expected /) }),
    });
  });

  test('that cannot be read at the start is told with its path', async () => {
    const certificate = { certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' };
    await expect(openDoor({ listeners: [IMPLICIT], certificate })).rejects.toThrow(
      /^Expected .* in PEM at \/nowhere\/\w+\.pem, received ENOENT\. Check the path/,
    );
  });
});
