import { afterAll, describe, expect, test } from 'vitest';
import { KEYS } from '../support/cloud-for-tests.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, SOON_LOST, startRelay } from './relay-for-tests.ts';

// So that a message that met its mail while it was being sent comes back soon.
const relay = await startRelay(SOON_LOST);
afterAll(() => relay.close());

const keyed = (key: string) => ({ 'idempotency-key': key });
const newKey = () => `canary-${newMarker()}`;

describe.concurrent('an Idempotency-Key', () => {
  test('the same key and body: the first answer again, marked as such, and one mail', async () => {
    const [marker, key] = [newMarker(), newKey()];
    const mail = canaryMail(marker);
    const first = await relay.send(mail, keyed(key));
    const again = await relay.send(mail, keyed(key));

    expect([first.status, first.headers.get('idempotent-replayed')]).toEqual([200, null]);
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
    expect(again.body).toEqual(first.body);
    expect(await relay.mailsAbout(marker)).toHaveLength(1);
  });

  test('in the mail it means the same as in the header', async () => {
    const [marker, key] = [newMarker(), newKey()];
    const first = await relay.send(canaryMail(marker, { idempotencyKey: key }));
    const again = await relay.send(canaryMail(marker), keyed(key));

    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toEqual(first.body);
    expect(await relay.mailsAbout(marker)).toHaveLength(1);
  });

  test('the same key, another body: 422, and nothing is sent', async () => {
    const [marker, key] = [newMarker(), newKey()];
    await relay.send(canaryMail(marker), keyed(key));
    const other = await relay.send(canaryMail(marker, { text: 'canary, but another' }), keyed(key));

    expect([other.status, other.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(await relay.mailsAbout(marker)).toHaveLength(1);
  });

  test('the same key while the first is under way: 409 with Retry-After, then the answer to the first', async () => {
    const [marker, key] = [newMarker(), newKey()];
    const from = 'lane1@contoso.example';
    relay.cloud.graph.faults.add({ on: 'sendMail', mailbox: from, fault: { kind: 'delay', ms: 1000 } });
    const mail = canaryMail(marker, { from });
    const first = relay.send(mail, keyed(key));
    const seen = () => relay.cloud.graph.requests.list().filter(({ mailbox }) => mailbox === from);
    await eventually(() => expect(seen()).toHaveLength(1));
    const second = await relay.send(mail, keyed(key));

    expect([second.status, second.body.code]).toEqual([409, 'MAIL_UNDER_WAY']);
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await first).status).toBe(200);
    expect((await relay.send(mail, keyed(key))).body).toEqual((await first).body);
    expect(await relay.mailsAbout(marker)).toHaveLength(1);
  });

  test('keys are per caller: another caller with the same key sends a mail of his own', async () => {
    const [marker, key] = [newMarker(), newKey()];
    const mine = await relay.send(canaryMail(marker), keyed(key));
    const theirs = await relay.send(canaryMail(marker), keyed(key), KEYS.masterKey);

    expect([mine.status, theirs.status]).toEqual([200, 200]);
    expect(theirs.body.id).not.toBe(mine.body.id);
    expect(await relay.mailsAbout(marker)).toHaveLength(2);
  });

  test('a waiting mail asked for again keeps waiting, and is sent once', async () => {
    const [marker, key] = [newMarker(), newKey()];
    const from = 'lane2@contoso.example';
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: from,
      fault: { kind: 'answer', status: 429, retryAfter: '2' },
    });
    const mail = canaryMail(marker, { from });
    const first = await relay.send(mail, keyed(key));
    const again = await relay.send(mail, keyed(key));

    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toEqual(first.body);
    await relay.reaches(first.body.id, 'sent');
    expect(await relay.mailsAbout(marker)).toHaveLength(1);
  });

  test('a mail that was rejected for what an administrator mends is tried afresh with the same key', async () => {
    const [marker, key] = [newMarker(), newKey()];
    const from = 'lane3@contoso.example';
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: from,
      fault: { kind: 'answer', status: 403, code: 'ErrorAccessDenied' },
    });
    const mail = canaryMail(marker, { from });
    const first = await relay.send(mail, keyed(key));
    const again = await relay.send(mail, keyed(key));

    // The settings allow the whole domain, so what is the matter with the mailbox is not told.
    expect([first.status, first.body.code]).toEqual([403, 'SENDER_NOT_USABLE']);
    expect(again.status).toBe(200);
    expect(await relay.mailsAbout(marker)).toHaveLength(1);
  });

  test('two queue messages with the same idempotencyKey are one mail', async () => {
    const [marker, idempotencyKey] = [newMarker(), newKey()];
    const text = JSON.stringify(canaryMail(marker, { idempotencyKey, from: 'lane4@contoso.example' }));
    await Promise.all([relay.enqueue(text), relay.enqueue(text)]);

    await relay.arrives(marker);
    await eventually(async () => expect(await relay.messagesOn('mail')).toBe(0));
    expect(await relay.mailsAbout(marker)).toHaveLength(1);
  });
});

test('nothing of these mails stands in the log or in a problem answer', () => expectNoCanary(relay));
