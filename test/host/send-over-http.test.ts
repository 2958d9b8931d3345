import { afterAll, describe, expect, test } from 'vitest';
import { EVENT_QUEUE, PAYLOAD_CONTAINER } from '../../src/lib/storage/storage-connection.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { blobNames } from './blobs.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay({ settings: { MAIL_EVENTS: 'queue' } });
afterAll(() => relay.close());

const PDF = Buffer.from('%PDF-1.7\n% canary-attachment, not a real one\n%%EOF\n').toString('base64');

describe.concurrent('a mail over HTTP', () => {
  test('a pay slip in Chinese with HTML, an attachment, two recipients and a Bcc goes out as sent', async () => {
    const marker = newMarker();
    const html = '<p>陳小姐,您好:<br>本月薪資單如附件。canary-body</p>';
    const { status, body } = await relay.send({
      to: ['陳美玲 <canary-mei@fabrikam.example>', '"Li, Wei" <canary-wei@fabrikam.example>'],
      bcc: 'canary-audit@contoso.example',
      subject: `六月份薪資單 canary-subject ${marker}`,
      html,
      attachments: [{ filename: 'canary-薪資單.pdf', content: PDF }],
      tags: ['payslip'],
    });

    expect(status).toBe(200);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      state: 'sent',
      sender: 'noreply@contoso.example',
      graphRequestId: expect.any(String),
    });
    const [mail, ...more] = await relay.mailsAbout(marker);
    expect(more).toEqual([]);
    expect(mail?.mailbox).toBe('noreply@contoso.example');
    expect(mail?.graphRequestId).toBe(body.graphRequestId);
    expect(mail?.request.body).toEqual({
      message: {
        subject: `六月份薪資單 canary-subject ${marker}`,
        body: { contentType: 'html', content: html },
        from: { emailAddress: { name: 'Contoso', address: 'noreply@contoso.example' } },
        toRecipients: [
          { emailAddress: { name: '陳美玲', address: 'canary-mei@fabrikam.example' } },
          { emailAddress: { name: 'Li, Wei', address: 'canary-wei@fabrikam.example' } },
        ],
        bccRecipients: [{ emailAddress: { address: 'canary-audit@contoso.example' } }],
        importance: 'normal',
        attachments: [
          {
            '@odata.type': '#microsoft.graph.fileAttachment',
            name: 'canary-薪資單.pdf',
            contentType: 'application/pdf',
            contentBytes: PDF,
          },
        ],
        singleValueExtendedProperties: [{ id: expect.stringContaining('MailRelayId'), value: body.id }],
      },
      saveToSentItems: true,
    });
    expect(relay.events('MailSent')).toContainEqual(
      expect.objectContaining({ mailId: body.id, recipients: 3, tags: ['payslip'], attempts: 1 }),
    );
  });

  test('Prefer: respond-async is answered at once with a status URL, and the mail follows from the queue', async () => {
    const marker = newMarker();
    const { status, headers, body } = await relay.send(canaryMail(marker), {
      prefer: 'respond-async, wait=10',
    });

    expect(status).toBe(202);
    expect(body).toEqual({ id: body.id, state: 'queued', statusUrl: headers.get('location') });
    expect(headers.get('location')).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:\\d+/api/mail/${body.id}$`));
    await relay.arrives(marker);
    await relay.reaches(body.id, 'sent');
    const answer = await relay.call('GET', new URL(String(body.statusUrl)).pathname);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id: body.id, state: 'sent', recipients: 1 });
  });

  test('a mail that Graph throttles is queued, waits as long as Graph asks, and is sent once', async () => {
    const marker = newMarker();
    const from = 'lane1@contoso.example';
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: from,
      fault: { kind: 'answer', status: 429, retryAfter: '2' },
    });
    const before = Date.now();
    const { status, body } = await relay.send(canaryMail(marker, { from }));

    expect(status).toBe(202);
    expect(body).toMatchObject({ state: 'queued' });
    const { body: waiting } = await relay.statusOf(body.id);
    expect(waiting).toMatchObject({ state: 'deferred', reason: { code: 'GRAPH_THROTTLED' } });
    const [mail] = await relay.arrives(marker);
    expect(Date.parse(mail!.acceptedAt) - before).toBeGreaterThanOrEqual(2000);
    const sent = await relay.reaches(body.id, 'sent');
    expect(sent.timeline).toMatchObject([
      { event: 'accepted' },
      { event: 'attempt not-sent', code: 'GRAPH_THROTTLED' },
      { event: 'attempt accepted' },
      { event: 'sent' },
    ]);
  });

  test('a mail for which Graph has no time is queued and sent once later', async () => {
    const marker = newMarker();
    const from = 'lane2@contoso.example';
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: from,
      fault: { kind: 'answer', status: 503, retryAfter: '1' },
    });
    const { status, body } = await relay.send(canaryMail(marker, { from }));

    expect(status).toBe(202);
    await relay.arrives(marker);
    await relay.reaches(body.id, 'sent');
  });

  test('a big mail that must wait is kept as a blob, which is gone once the mail is sent', async () => {
    const marker = newMarker();
    const content = Buffer.alloc(200_000, 'canary').toString('base64');
    const { status, body } = await relay.send(
      canaryMail(marker, {
        from: 'lane3@contoso.example',
        attachments: [{ filename: 'canary.bin', content }],
      }),
      { prefer: 'respond-async' },
    );

    expect(status).toBe(202);
    const [mail] = await relay.arrives(marker);
    expect(mail?.request.body.message.attachments?.[0]?.contentBytes).toBe(content);
    await relay.reaches(body.id, 'sent');
    await eventually(async () =>
      expect(await blobNames(relay, PAYLOAD_CONTAINER)).not.toContain(`${body.id}.json`),
    );
  });

  test('the status of a mail is told to its caller only: to another there is no such mail', async () => {
    const { body } = await relay.send(canaryMail(newMarker(), { from: 'lane4@contoso.example' }));

    expect((await relay.statusOf(body.id)).body).toMatchObject({ id: body.id, state: 'sent' });
    const foreign = await relay.statusOf(body.id, KEYS.masterKey);
    const missing = await relay.statusOf('01890000-0000-7000-8000-000000000000', KEYS.masterKey);
    expect([foreign.status, foreign.body.code]).toEqual([404, 'MAIL_NOT_FOUND']);
    const withoutInvocation = ({ instance: _, ...rest }: Record<string, unknown>) => rest;
    expect(withoutInvocation(foreign.body)).toEqual(withoutInvocation(missing.body));
  });

  test.each([
    ['no key', '/api/mail', 'wrong', 401],
    ['the master key only, for the desk', '/api/mail?state=held', KEYS.functionKey, 401],
    ['no such route', '/api/mails', KEYS.functionKey, 404],
  ])('the door: %s', async (_case, path, key, status) => {
    expect((await relay.call('GET', path, { key })).status).toBe(status);
  });

  test('health needs no key and says only that the app is up, and its version', async () => {
    const { status, body } = await relay.call('GET', '/api/health', { key: '' });
    expect(status).toBe(200);
    expect(body).toEqual({ status: 'up', version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  });

  test('MAIL_EVENTS=queue: a mail that is sent is told of on the queue mail-events', async () => {
    const { body } = await relay.send(
      canaryMail(newMarker(), { from: 'lane5@contoso.example', tags: ['hr'] }),
    );

    const { peekedMessageItems } = await relay
      .queueClient(EVENT_QUEUE)
      .peekMessages({ numberOfMessages: 32 });
    const events = peekedMessageItems.map(({ messageText }) => JSON.parse(messageText));
    expect(events).toContainEqual({
      id: `${body.id}/0/sent`,
      eventType: 'GraphMailRelay.Mail.Sent',
      subject: `mail/${body.id}`,
      eventTime: expect.any(String),
      dataVersion: '1',
      data: {
        mailId: body.id,
        state: 'sent',
        caller: expect.stringMatching(/^key:/),
        tags: ['hr'],
        graphRequestId: body.graphRequestId,
      },
    });
    expect(JSON.stringify(events)).not.toContain('canary');
  });
});

test('nothing of these mails stands in the log or in a problem answer', () => expectNoCanary(relay));
