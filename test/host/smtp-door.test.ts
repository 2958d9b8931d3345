import nodemailer from 'nodemailer';
import { afterAll, describe, expect, test } from 'vitest';
import type { LogFacts } from '../../clients/smtp-door/src/log.ts';
import { hashPassword } from '../../clients/smtp-door/src/password-hash.ts';
import { deliverTo } from '../../clients/smtp-door/src/relay/deliver.ts';
import { Pauses } from '../../clients/smtp-door/src/relay/pauses.ts';
import { postMailTo } from '../../clients/smtp-door/src/relay/post-mail.ts';
import { startDoor } from '../../clients/smtp-door/src/server/start-door.ts';
import { Watch } from '../../clients/smtp-door/src/watch.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { newMarker, scopedByExchange, startRelay } from './relay-for-tests.ts';

const FROM = 'noreply@contoso.example';

const relay = await startRelay({
  settings: { MAIL_LARGE_ATTACHMENTS: 'true', MAIL_MAX_REQUEST_MB: '30' },
  directory: scopedByExchange({
    exchangeRoles: ['Mail.Send', 'Mail.ReadWrite'].map((role) => ({
      role: `Application ${role}`,
      mailboxes: [FROM],
    })),
  }),
});
const now = () => new Date();
const events: { readonly event: string; readonly facts: LogFacts }[] = [];
const log = (_: string, event: string, facts: LogFacts = {}): void => void events.push({ event, facts });
const door = await startDoor(
  {
    name: 'door.example.com',
    listeners: [{ host: '127.0.0.1', port: 0, tls: 'none', plainAuth: true }],
    accounts: [
      { name: 'scanner', passwordHash: await hashPassword('Password1'), networks: [], replaceFrom: false },
    ],
    maxBytes: 30_000_000,
    maxConnections: 10,
    maxConnectionsPerAddress: 10,
    idleMs: 60_000,
    bareLineEnds: 'mend',
    otherRecipients: 'remove',
  },
  deliverTo({
    post: postMailTo({ url: `${relay.url()}/api` }, now),
    keyOf: () => KEYS.functionKey,
    pauses: new Pauses(now),
    watch: new Watch(now),
    log,
    replyMs: 100_000,
  }),
  { now, log },
);
const transport = nodemailer.createTransport({
  host: '127.0.0.1',
  port: door.ports[0],
  ignoreTLS: true,
  auth: { user: 'scanner', pass: 'Password1' },
});
afterAll(async () => {
  transport.close();
  await door.close(0);
  await relay.close();
});

const bytesOf = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, place) => (place * place) % 251));

describe('through the SMTP door and the relay', () => {
  test('an email arrives, with the recipient whom only the envelope names, and its id leads to it', async () => {
    const marker = newMarker();
    const { response } = await transport.sendMail({
      from: FROM,
      to: 'chan@contoso.example',
      bcc: 'lee@contoso.example',
      subject: marker,
      text: 'Größe',
      attachments: [{ filename: 'scan.pdf', content: bytesOf(1000) }],
    });
    const [, id = ''] = /^250 2\.0\.0 Ok: (.+)$/.exec(response) ?? [];
    const { body } = await relay.show(id);
    expect(body).toMatchObject({ state: 'sent' });
    const [mail] = await relay.arrives(marker);
    const { toRecipients, bccRecipients } = mail?.request.body.message ?? {};
    expect(toRecipients).toEqual([{ emailAddress: { address: 'chan@contoso.example' } }]);
    expect(bccRecipients).toEqual([{ emailAddress: { address: 'lee@contoso.example' } }]);
  });

  test('an email that is sent again after a lost reply arrives once', async () => {
    const marker = newMarker();
    const raw = `From: ${FROM}\r\nTo: chan@contoso.example\r\nSubject: ${marker}\r\nDate: ${new Date().toUTCString()}\r\nMessage-ID: <${marker}@contoso.example>\r\n\r\nHello\r\n`;
    const envelope = { from: FROM, to: ['chan@contoso.example'] };
    const one = await transport.sendMail({ envelope, raw });
    const again = await transport.sendMail({ envelope, raw });
    expect(again.response).toBe(one.response);
    await relay.arrives(marker);
  });

  test('a scan of 10 MB arrives with every byte', async () => {
    const marker = newMarker();
    const content = bytesOf(10_000_000);
    await transport.sendMail({
      from: FROM,
      to: 'chan@contoso.example',
      subject: marker,
      text: 'See the file.',
      attachments: [{ filename: 'scan.pdf', content }],
    });
    const [mail] = await relay.arrives(marker);
    expect(mail?.request.body.message.attachments).toEqual([
      expect.objectContaining({ name: 'scan.pdf', size: content.length }),
    ]);
    expect(events.at(-1)).toMatchObject({
      event: 'MessageAccepted',
      facts: { rebuilt: true, state: 'sent' },
    });
  });

  test('a sender that the relay does not allow is rejected with its remedy, and without an address', async () => {
    const refused = transport.sendMail({
      from: 'boss@fabrikam.example',
      to: 'chan@contoso.example',
      subject: 'x',
      text: 'x',
    });
    await expect(refused).rejects.toMatchObject({
      responseCode: 550,
      response: expect.stringMatching(/^550 5\.7\.1 SENDER_NOT_ALLOWED: (?!.*fabrikam)/),
    });
  });
});
