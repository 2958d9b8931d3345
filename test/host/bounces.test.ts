import { afterAll, expect, test } from 'vitest';
import { KEYS } from '../support/cloud-for-tests.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, LANES, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay({ settings: { MAIL_BOUNCES: 'true', MAIL_EVENTS: 'queue' } });
afterAll(() => relay.close());

test('an email that comes back is told as bounced: in its status, in an event and in the log', async () => {
  const { body } = await relay.send(
    canaryMail(newMarker(), {
      from: LANES[0],
      to: ['ada@fabrikam.example', 'bounce-de@fabrikam.example'],
    }),
  );
  expect(body).toMatchObject({ state: 'sent' });
  const before = await relay.statusOf(body.id);
  expect(before.body).not.toHaveProperty('deliveries');

  expect((await relay.runNow('pollBounces')).status).toBe(202);
  expect(await relay.logged('MailBounced', { mailId: body.id })).toMatchObject({
    code: '5.1.10',
    kind: 'permanent',
    matchedBy: 'sent-items',
  });
  const { body: status } = await relay.statusOf(body.id);
  expect(status).toMatchObject({
    state: 'sent',
    bounced: true,
    internetMessageId: expect.stringMatching(/^<.+>$/),
    deliveries: [
      {
        recipient: 2,
        status: 'failed',
        source: 'report',
        code: '5.1.10',
        remedy: expect.stringMatching(/Correct/),
      },
    ],
  });
  const events = await eventually(async () => {
    const { receivedMessageItems } = await relay.queueClient('mail-events').receiveMessages({
      numberOfMessages: 32,
      visibilityTimeout: 1,
    });
    const found = receivedMessageItems
      .map(({ messageText }) => messageText)
      .filter((one) => one.includes('Mail.Bounced'));
    if (found.length === 0) throw new Error('no event yet');
    return found;
  });
  expect(events.join()).toContain(body.id);
  expect(events.join()).not.toContain('@');
});

test('a mailbox that the relay may not read is counted as refused, and keeps no other from being read', async () => {
  await relay.send(canaryMail(newMarker(), { from: 'hr@contoso.example', to: 'bounce@fabrikam.example' }));
  const { body } = await relay.send(
    canaryMail(newMarker(), { from: LANES[1], to: 'bounce@fabrikam.example' }),
  );
  await relay.runNow('pollBounces');
  await relay.logged('BouncesPolled', { refused: 1 });
  expect((await relay.statusOf(body.id, KEYS.functionKey)).body).toMatchObject({ bounced: true });
});

test('nothing of an email or of a report is in the log', () => {
  expectNoCanary(relay);
});
