import { afterAll, describe, expect, test } from 'vitest';
import { MAIL_QUEUE } from '../../src/lib/storage/storage-connection.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { BLIND_MAILBOX, canaryMail, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay();
afterAll(() => relay.close());

const ahead = (ms: number): string => new Date(Date.now() + ms).toISOString();
const DAY_MS = 86_400_000;

describe('an email with sendAt', () => {
  test('waits for it through a restart, by HTTP and by queue, and is then sent once', async () => {
    const [byHttp, byQueue] = [newMarker(), newMarker()];
    const sendAt = ahead(8000);
    const { status, body } = await relay.send(canaryMail(byHttp, { sendAt }));
    expect([status, body]).toEqual([202, expect.objectContaining({ state: 'queued', sendAt })]);
    await relay.enqueue(JSON.stringify(canaryMail(byQueue, { sendAt, from: 'lane1@contoso.example' })));
    await relay.logged('MailScheduled', { sendAt });
    await relay.restart();
    await relay.arrives(byHttp);
    await relay.arrives(byQueue);
    expect(await relay.reaches(body.id, 'sent')).toMatchObject({ sendAt });
    const { updatedAt } = (await relay.show(body.id)).body;
    expect(String(updatedAt) >= sendAt).toBe(true);
  });

  test('can be canceled by its caller, and its message is dropped', async () => {
    const marker = newMarker();
    const mail = canaryMail(marker, { sendAt: ahead(2 * DAY_MS) });
    const { body } = await relay.send(mail, { 'idempotency-key': marker });
    const cancel = (key?: string) =>
      relay.call('DELETE', `/api/mail/${body.id}`, key === undefined ? {} : { key });
    expect((await cancel(KEYS.masterKey)).status).toBe(404);
    const first = await cancel();
    expect([first.status, first.body]).toMatchObject([200, { id: body.id, state: 'canceled' }]);
    expect((await cancel()).body).toEqual(first.body);
    expect(await relay.send(mail, { 'idempotency-key': marker })).toMatchObject({
      status: 410,
      body: { code: 'MAIL_CANCELED', id: body.id },
    });
    expect(await relay.messagesOn(MAIL_QUEUE)).toBeGreaterThan(0);
    expect(await relay.mailsAbout(marker)).toEqual([]);
  });
});

test('a batch gives each email its own outcome, and a repeated one sends nothing twice', async () => {
  const marker = newMarker();
  const mails = [
    canaryMail(marker, { idempotencyKey: `${marker}-1`, from: 'lane2@contoso.example' }),
    canaryMail(marker, { to: 'nobody' }),
    canaryMail(marker, { idempotencyKey: `${marker}-2`, from: 'lane3@contoso.example' }),
  ];
  const post = () =>
    relay.call('POST', '/api/mail/batch', {
      body: JSON.stringify({ mails }),
      headers: { 'content-type': 'application/json' },
    });
  const { status, body } = await post();
  expect([status, body.results]).toMatchObject([
    207,
    [
      { status: 200, state: 'sent' },
      { status: 400, error: { problems: [{ pointer: '/mails/1/to' }] } },
      { status: 200, state: 'sent' },
    ],
  ]);
  expect((await post()).body.results).toMatchObject([
    { repeated: true, state: 'sent' },
    { status: 400 },
    { repeated: true, state: 'sent' },
  ]);
  await relay.arrives(marker, 2);
});

test('a message in MIME is sent as it is, once for its key', async () => {
  const marker = newMarker();
  const mime = [
    'From: noreply@contoso.example',
    'To: Canary Chan <canary-to@fabrikam.example>',
    `Subject: canary-subject ${marker}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'canary-body',
    '',
  ].join('\n');
  const post = () =>
    relay.call('POST', '/api/mail', {
      body: mime,
      headers: { 'content-type': 'message/rfc822', 'idempotency-key': marker },
    });
  const first = await post();
  expect([first.status, first.body.state]).toEqual([200, 'sent']);
  expect((await post()).body.id).toBe(first.body.id);
  await relay.arrives(marker);
});

test('a dry run shows the request, and sends nothing', async () => {
  const marker = newMarker();
  const { status, body } = await relay.call('POST', '/api/mail?DryRun=1', {
    body: JSON.stringify(canaryMail(marker)),
    headers: { 'content-type': 'application/json' },
  });
  expect([status, body]).toMatchObject([
    200,
    {
      dryRun: true,
      plan: { kind: 'json' },
      requests: [{ body: { message: { subject: `canary-subject ${marker}` } } }],
    },
  ]);
  expect(await relay.mailsAbout(marker)).toEqual([]);
});

describe('the status of an email that was sent', () => {
  test('has the Message-ID of the copy in Sent Items', async () => {
    const { body } = await relay.send(canaryMail(newMarker(), { from: 'lane4@contoso.example' }));
    const { body: status } = await relay.statusOf(body.id);
    expect(status).toMatchObject({ state: 'sent', internetMessageId: expect.stringMatching(/^<\S+@\S+>$/) });
    expect((await relay.show(body.id)).body.internetMessageId).toBe(status.internetMessageId);
  });

  test('says to a caller that only a pattern allows nothing of whether the relay may look', async () => {
    const { body } = await relay.send(canaryMail(newMarker(), { from: BLIND_MAILBOX }));
    expect((await relay.statusOf(body.id)).body).toMatchObject({
      state: 'sent',
      internetMessageIdUnknown: 'NOT_FOUND_YET',
    });
  });
});
