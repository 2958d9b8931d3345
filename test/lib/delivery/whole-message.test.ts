import { describe, expect, test } from 'vitest';
import { judgeMail } from '../../../src/lib/delivery/accept-mail.ts';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { withWholeMessage } from '../../../src/lib/delivery/whole-message.ts';
import { aCaller } from '../../support/a-caller.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const NAME = '2026/11/4711.eml';
const message = (from = 'noreply@contoso.example') =>
  Buffer.from(
    [`From: ${from}`, 'To: chan@contoso.example', 'Subject: Pay slip', '', 'Ready.', ''].join('\r\n'),
  );

const world = (content: Buffer = message()) => {
  const ports = inMemoryPorts();
  ports.blobs.set(NAME, { content, etag: '"1"' });
  return ports;
};

const deliver = ({ needs }: ReturnType<typeof world>, mail: unknown) =>
  deliverMail({ ...needs, sending: needs }, {
    text: JSON.stringify(mail),
    messageId: 'm-1',
    insertedAt: NOW,
    caller: 'queue',
    redelivered: false,
  } as never);

describe('a whole message that is in a blob', () => {
  test('is sent as it is, by a queue message that only names it', async () => {
    const ports = world();
    await deliver(ports, { mime: { blob: NAME }, tags: ['pay-slip'] });
    expect(ports.rows()).toMatchObject([{ state: 'sent', recipients: 1, tags: ['pay-slip'] }]);
    const [plan] = ports.plans;
    expect(plan?.kind).toBe('mime');
    expect(Buffer.from(String(plan?.body), 'base64').toString()).toContain('Subject: Pay slip\r\n');
  });

  test('is sent for a caller who waits, who repeats the request by its name', async () => {
    const ports = world();
    const request = {
      input: { mime: { blob: NAME } },
      caller: aCaller('key:test'),
      idempotencyKey: 'k',
      respondAsync: false,
    };
    expect((await sendMail(ports.needs, request)).row.fate.state).toBe('sent');
    expect(await sendMail(ports.needs, request)).toMatchObject({ repeated: true });
    expect(ports.plans).toHaveLength(1);
  });

  test('is held to the senders that are allowed, as any other', async () => {
    const { needs } = world(message('ceo@contoso.example'));
    const input = await withWholeMessage(needs, { mime: { blob: NAME } });
    expect(() => judgeMail(needs.accept, aCaller(), 'http', input)).toThrow(
      expect.objectContaining({ code: 'SENDER_NOT_ALLOWED' }),
    );
  });

  test.each<[string, string, unknown]>([
    ['that is not there', 'ATTACHMENT_NOT_FOUND', { blob: 'other.eml' }],
    ['that is no name', 'FIELD_INVALID', { blob: '../mail-held/x.json' }],
    ['that is a URL', 'FIELD_INVALID', { blob: 'https://contoso.example/x.eml' }],
    ['with something beside the name', 'FIELD_INVALID', { blob: NAME, etag: '1' }],
    ['whose name is no text', 'FIELD_INVALID', { blob: 7 }],
  ])('%s is held with its reason, and nothing is sent', async (_case, code, mime) => {
    const ports = world();
    await deliver(ports, { mime });
    expect(ports.rows()).toMatchObject([{ state: 'held', reason: { code } }]);
    expect(ports.plans).toEqual([]);
  });

  test.each<[string, Buffer, string]>([
    ['is too large', Buffer.alloc(3_000_001, 0x61), 'MAIL_TOO_LARGE'],
    ['is empty', Buffer.alloc(0), 'MIME_INVALID'],
    ['is no message', Buffer.from('hello'), 'MIME_INVALID'],
  ])('%s: its caller hears so', async (_case, content, code) => {
    const { needs } = world(content);
    const request = { input: { mime: { blob: NAME } }, caller: aCaller('key:test'), respondAsync: false };
    await expect(sendMail(needs, request)).rejects.toMatchObject({
      facts: { problems: [expect.objectContaining({ code })] },
    });
  });

  test('that changes while it is read is refused', async () => {
    const { needs, blobs, meanwhile } = world();
    meanwhile('attachments.read', () => blobs.set(NAME, { content: message(), etag: '"2"' }));
    await expect(withWholeMessage(needs, { mime: { blob: NAME } })).rejects.toMatchObject({
      code: 'ATTACHMENT_CHANGED',
    });
  });

  test('and cannot be read now waits: storage fails, and not the email', async () => {
    const ports = world();
    ports.fail('attachments.find');
    await deliver(ports, { mime: { blob: NAME } });
    expect(ports.rows()).toEqual([]);
    expect(ports.messages).toHaveLength(1);
  });
});
