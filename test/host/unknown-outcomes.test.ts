import { afterAll, describe, expect, test } from 'vitest';
import type { FaultRuleInput } from '../../local/graph/fault-rules.ts';
import { expectNoCanary } from './no-canary.ts';
import { BLIND_MAILBOX, canaryMail, eventually, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay({
  settings: { MAIL_VERIFY_SECONDS: '4', GRAPH_TIMEOUT_SECONDS: '2' },
  sentItemsDelayMs: 500,
});
afterAll(() => relay.close());

type CallFault = Exclude<FaultRuleInput, { on: 'connect' }>['fault'];

const ACCEPTED_BUT_504: CallFault = { kind: 'answer', status: 504, accept: true };
const NOT_ACCEPTED_504: CallFault = { kind: 'answer', status: 504 };

const fault = (mailbox: string, what: CallFault) =>
  relay.cloud.graph.faults.add({ on: 'sendMail', mailbox, fault: what });

const sendsFrom = (mailbox: string) =>
  relay.cloud.graph.requests.list().filter((one) => one.mailbox === mailbox && one.method === 'POST');

describe.concurrent('a mail of which Graph did not say whether it was sent', () => {
  test.each<[string, string, CallFault]>([
    ['answered 504', 'lane0@contoso.example', ACCEPTED_BUT_504],
    ['cut the connection', 'lane1@contoso.example', { kind: 'reset', when: 'after' }],
    [
      'did not answer in time',
      'lane2@contoso.example',
      { kind: 'delay', ms: 30_000, whenClientLeaves: 'accept' },
    ],
  ])('Graph accepted it and %s: it is found in Sent Items and not sent twice', async (_case, from, what) => {
    const marker = newMarker();
    fault(from, what);
    const { status, headers, body } = await relay.send(canaryMail(marker, { from }));

    expect([status, body.state]).toEqual([202, 'unknown']);
    expect(headers.get('location')).toContain(body.id);
    const sent = await relay.reaches(body.id, 'sent');
    expect(sent.verified).toBe(true);
    expect(await relay.mailsAbout(marker)).toHaveLength(1);
    expect(sendsFrom(from)).toHaveLength(1);
  });

  test('until it is settled, its status says so', async () => {
    const from = 'lane3@contoso.example';
    fault(from, ACCEPTED_BUT_504);
    const { body } = await relay.send(canaryMail(newMarker(), { from }));

    const { body: status } = await relay.statusOf(body.id);
    expect(status).toMatchObject({ state: 'unknown', reason: { code: 'OUTCOME_UNKNOWN' } });
    await relay.reaches(body.id, 'sent');
    expect((await relay.statusOf(body.id)).body).toMatchObject({ state: 'sent', verified: true });
  });

  test('Graph did not accept it: after the time Sent Items are given it is sent again, once', async () => {
    const marker = newMarker();
    const from = 'lane4@contoso.example';
    fault(from, NOT_ACCEPTED_504);
    const { body } = await relay.send(canaryMail(marker, { from }));

    await relay.arrives(marker);
    await relay.reaches(body.id, 'sent');
    expect(sendsFrom(from).map(({ status }) => status)).toEqual([504, 202]);
    expect(relay.events('MailLookedUp').filter(({ mailId }) => mailId === body.id)).toHaveLength(4);
  });

  test('where the relay may not read, it is held and not sent twice', async () => {
    const marker = newMarker();
    fault(BLIND_MAILBOX, ACCEPTED_BUT_504);
    const { messageId } = await relay.enqueue(JSON.stringify(canaryMail(marker, { from: BLIND_MAILBOX })));

    await relay.arrives(marker);
    const shown = await relay.reaches((await relay.identity()).mailIdOfMessage(messageId), 'held');
    expect(shown.reason).toMatchObject({
      detail: expect.stringContaining('Mail.Read'),
      upstreamCode: 'ErrorAccessDenied',
    });
    expect(sendsFrom(BLIND_MAILBOX)).toHaveLength(1);
  });

  test('onUnknown: hold holds it at once', async () => {
    const marker = newMarker();
    const from = 'lane5@contoso.example';
    fault(from, ACCEPTED_BUT_504);
    const { status, body } = await relay.send(canaryMail(marker, { from, onUnknown: 'hold' }));

    expect([status, body.state]).toEqual([202, 'unknown']);
    expect((await relay.show(body.id)).body).toMatchObject({ state: 'held' });
    expect(sendsFrom(from)).toHaveLength(1);
  });

  test('a mail that leaves no copy in Sent Items is held too', async () => {
    const from = 'lane6@contoso.example';
    fault(from, ACCEPTED_BUT_504);
    const { body } = await relay.send(canaryMail(newMarker(), { from, saveToSentItems: false }));

    expect(body.state).toBe('unknown');
    expect(sendsFrom(from)).toHaveLength(1);
  });

  test('onUnknown: resend sends it once more, and only once', async () => {
    const marker = newMarker();
    const from = 'lane7@contoso.example';
    fault(from, ACCEPTED_BUT_504);
    fault(from, NOT_ACCEPTED_504);
    const { body } = await relay.send(canaryMail(marker, { from, onUnknown: 'resend' }));

    await relay.reaches(body.id, 'held');
    expect(sendsFrom(from).map(({ status }) => status)).toEqual([504, 504]);
  });

  test('a connection that breaks before Graph takes the mail is unknown too, and looked up before it is sent', async () => {
    const marker = newMarker();
    const from = 'lane8@contoso.example';
    fault(from, { kind: 'reset', when: 'before' });
    await relay.enqueue(JSON.stringify(canaryMail(marker, { from })));

    await relay.arrives(marker);
    expect(sendsFrom(from).map(({ outcome }) => outcome)).toEqual(['reset', 'answered']);
  });
});

test('the queue is empty in the end, and no mail arrived more than once', async () => {
  await eventually(async () => expect(await relay.messagesOn('mail')).toBe(0));
  const ids = relay.cloud.mails.list().mails.map(({ summary }) => summary.Subject);
  expect(new Set(ids).size).toBe(ids.length);
});

test('nothing of these mails stands in the log or in a problem answer', () => expectNoCanary(relay));
