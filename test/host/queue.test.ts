import { afterAll, describe, expect, test } from 'vitest';
import { HELD_CONTAINER } from '../../src/lib/storage/storage-connection.ts';
import { blobNames, readBlob } from './blobs.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay();
afterAll(() => relay.close());

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** The one mail that was held for this reason. */
const heldFor = (code: string) => relay.logged('MailHeld', { code });

describe.concurrent('a queue message', () => {
  test('as plain JSON is sent once, from the default sender', async () => {
    const marker = newMarker();
    const { from: _, ...mail } = canaryMail(marker);
    await relay.enqueue(JSON.stringify(mail));

    const [sent] = await relay.arrives(marker);
    expect(sent?.request.body.message).toMatchObject({
      from: { emailAddress: { address: 'noreply@contoso.example' } },
      toRecipients: [{ emailAddress: { name: 'Canary Chan', address: 'canary-to@fabrikam.example' } }],
      subject: `canary-subject ${marker}`,
    });
  });

  test('as base64 of JSON is sent once, Chinese and all', async () => {
    const marker = newMarker();
    await relay.enqueue(base64(JSON.stringify(canaryMail(marker, { text: '薪資單 canary-body' }))));

    const [sent] = await relay.arrives(marker);
    expect(sent?.request.body.message.body?.content).toBe('薪資單 canary-body');
  });

  test('with a byte order mark and line ends around it is read all the same', async () => {
    const marker = newMarker();
    await relay.enqueue(`${base64(`\ufeff${JSON.stringify(canaryMail(marker))}`)}\n`);

    await relay.arrives(marker);
  });

  test('that Graph throttles waits as long as Graph asks, then is sent once', async () => {
    const marker = newMarker();
    const from = 'lane1@contoso.example';
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: from,
      fault: { kind: 'answer', status: 429, retryAfter: '2' },
    });
    await relay.enqueue(JSON.stringify(canaryMail(marker, { from })));

    const [sent] = await relay.arrives(marker);
    const seen = relay.cloud.graph.requests.list().filter(({ mailbox }) => mailbox === from);
    expect(seen.map(({ status }) => status)).toEqual([429, 202]);
    expect(Date.parse(sent!.acceptedAt) - Date.parse(seen[0]!.time)).toBeGreaterThanOrEqual(2000);
  });

  test('whose mailbox waits does not hold up the mail of another mailbox', async () => {
    const [slow, quick] = [newMarker(), newMarker()];
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: 'lane2@contoso.example',
      fault: { kind: 'answer', status: 429, retryAfter: '4' },
    });
    await relay.enqueue(JSON.stringify(canaryMail(slow, { from: 'lane2@contoso.example' })));
    const seen = () => relay.cloud.graph.requests.list();
    await eventually(() =>
      expect(seen()).toContainEqual(expect.objectContaining({ mailbox: 'lane2@contoso.example' })),
    );
    await relay.enqueue(JSON.stringify(canaryMail(quick, { from: 'lane3@contoso.example' })));

    const [quickMail] = await relay.arrives(quick);
    const [slowMail] = await relay.arrives(slow);
    expect(Date.parse(quickMail!.acceptedAt)).toBeLessThan(Date.parse(slowMail!.acceptedAt));
  });

  test.each([
    ['no JSON at all', 'canary, hello', 'MESSAGE_UNREADABLE'],
    ['broken JSON', '{"to": canary', 'JSON_UNREADABLE'],
    ['base64 of something else', base64('canary, hello'), 'JSON_UNREADABLE'],
    ['a list', JSON.stringify([canaryMail(newMarker())]), 'MESSAGE_UNREADABLE'],
    ['an envelope of somebody else', JSON.stringify({ relay: {}, mail: {} }), 'MESSAGE_UNREADABLE'],
  ])('%s is held at once with its reason, and what came is kept', async (_case, text, code) => {
    const { messageId } = await relay.enqueue(text);
    const { mailIdOfMessage, mailIdOfText } = await relay.identity();
    // The host reads JSON more generously: what only looks like an object may have written its own id.
    const mailId =
      code === 'JSON_UNREADABLE' && text.startsWith('{') ? mailIdOfText(text) : mailIdOfMessage(messageId);
    const { record } = await relay.logged('MailHeld', { mailId, code, attempts: 0 });

    expect((await relay.show(mailId)).body).toMatchObject({ state: 'held', reason: { code } });
    expect(await readBlob(relay, HELD_CONTAINER, String(record))).toMatchObject({
      mailId,
      reason: { code },
      original: text,
    });
  });

  test('that is no valid mail is held at once, with every problem', async () => {
    const marker = newMarker();
    await relay.enqueue(JSON.stringify(canaryMail(marker, { to: [], subject: 'canary\n' })));

    const { mailId, attempts } = await heldFor('MAIL_INVALID');
    expect(attempts).toBe(0);
    const { body } = await relay.show(String(mailId));
    expect(body.reason).toMatchObject({
      code: 'MAIL_INVALID',
      problems: expect.arrayContaining([
        expect.objectContaining({ code: 'RECIPIENT_MISSING', pointer: '/to' }),
        expect.objectContaining({ code: 'LINE_BREAK_NOT_ALLOWED', pointer: '/subject' }),
      ]),
    });
    expect(await relay.mailsAbout(marker)).toEqual([]);
  });

  test('with top-level fields that the host copies over its own facts is refused for its fields', async () => {
    const mail = canaryMail(newMarker(), { id: 'canary', dequeueCount: 7, popReceipt: 'canary' });
    await relay.enqueue(JSON.stringify(mail));

    const { mailId } = await heldFor('FIELD_UNKNOWN');
    const { body } = await relay.show(String(mailId));
    const { problems } = body.reason as { readonly problems: { readonly pointer: string }[] };
    // Which fields these are is in its record: names that the relay does not know stay out of the ledger.
    expect(problems.map(({ pointer }) => pointer)).toEqual(['', '', '']);
  });

  test('that Graph rejects is held with its reason and keeps its history', async () => {
    const from = 'guest@contoso.example';
    await relay.enqueue(JSON.stringify(canaryMail(newMarker(), { from })));

    const { mailId } = await heldFor('MAILBOX_NOT_FOUND');
    const { body } = await relay.show(String(mailId));
    expect(body).toMatchObject({
      state: 'held',
      reason: { code: 'MAILBOX_NOT_FOUND', upstreamCode: 'MailboxNotEnabledForRESTAPI' },
      timeline: [{ event: 'accepted' }, { event: 'attempt rejected' }, { event: 'held' }],
    });
  });

  test('that Graph refuses with a page of HTML is held, and the page goes nowhere', async () => {
    const from = 'lane4@contoso.example';
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: from,
      fault: { kind: 'answer', status: 400, body: '<h1>canary</h1>', contentType: 'text/html' },
    });
    await relay.enqueue(JSON.stringify(canaryMail(newMarker(), { from })));

    await heldFor('GRAPH_REFUSED');
  });
});

test('every message was deleted once it was dealt with, and none went to the poison queue', async () => {
  await eventually(async () => expect(await relay.messagesOn('mail')).toBe(0));
  expect(await relay.messagesOn('mail-poison')).toBe(0);
  const records = await blobNames(relay, HELD_CONTAINER);
  expect(records.length).toBe(relay.events('MailHeld').length);
});

test('nothing of these mails stands in the log or in a problem answer', () => expectNoCanary(relay));
