import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterAll, expect, test } from 'vitest';
import { WEBHOOK_QUEUE } from '../../src/lib/storage/storage-connection.ts';
import { EARLIER_SIGNING_SECRET, SIGNING_SECRET } from '../support/an-event.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, LANES, newMarker, startRelay } from './relay-for-tests.ts';

/** A system that receives events; what it answers is up to the test. */
const aReceiver = async (answer: (attempt: number) => number | 'never') => {
  const received: { readonly body: string; readonly headers: Record<string, string>; status: unknown }[] = [];
  const server = http.createServer(async (request, response) => {
    const body = await text(request);
    const { id } = JSON.parse(body) as { readonly id: string };
    const status = answer(received.filter((one) => one.body.includes(id)).length + 1);
    received.push({ body, headers: request.headers as Record<string, string>, status });
    if (status !== 'never') response.writeHead(status).end('canary of an answer');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/canary-hook`,
    /** What arrived about an email, as the event with the status that it was answered with. */
    about: (mailId: string) => received.filter(({ body }) => body.includes(mailId)),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

const flaky = await aReceiver((attempt) => (attempt === 1 ? 500 : 200));
const hanging = await aReceiver(() => 'never');
const works = await aReceiver(() => 204);
const relay = await startRelay({
  settings: {
    MAIL_WEBHOOKS: JSON.stringify([
      { name: 'flaky', url: flaky.url },
      { name: 'hangs', url: hanging.url, events: ['GraphMailRelay.Mail.Sent'], secretName: 'shared' },
      { name: 'works', url: works.url, secretName: 'shared' },
      { name: 'payroll-only', url: works.url, caller: 'payroll', secretName: 'shared' },
    ]),
  },
});
for (const [name, value] of [
  ['webhook-secret-flaky', SIGNING_SECRET],
  ['shared', EARLIER_SIGNING_SECRET],
  ['shared', SIGNING_SECRET],
] as const)
  await relay.cloud.secrets.set(name, { value }, new Date());
afterAll(async () => {
  for (const one of [flaky, hanging, works]) one.close();
  await relay.close();
});

test('an email that is sent is told of by a signed webhook, again after a 500, while another receiver hangs', async () => {
  const { body: sent } = await relay.send(canaryMail(newMarker(), { tags: ['hr'] }));

  const attempts = await eventually(() => {
    const found = flaky.about(sent.id);
    expect(found).toHaveLength(2);
    return found;
  });
  expect(attempts.map(({ status }) => status)).toEqual([500, 200]);
  for (const { body, headers } of attempts)
    expect(new Webhook(SIGNING_SECRET).verify(body, headers)).toEqual({
      specversion: '1.0',
      id: `${sent.id}/0/sent`,
      source: expect.stringMatching(/^\/graph-mail-relay\/./),
      type: 'GraphMailRelay.Mail.Sent',
      subject: `mail/${sent.id}`,
      time: expect.any(String),
      datacontenttype: 'application/json',
      data: {
        mailId: sent.id,
        state: 'sent',
        caller: expect.stringMatching(/^key:/),
        tags: ['hr'],
        graphRequestId: sent.graphRequestId,
      },
    });
  expect(attempts[0]?.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');

  const [once, ...more] = works.about(sent.id);
  expect(more).toEqual([]);
  // By the secret before the rotation and by the new one.
  for (const secret of [EARLIER_SIGNING_SECRET, SIGNING_SECRET])
    expect(new Webhook(secret).verify(once?.body ?? '', once?.headers ?? {})).toBeTruthy();
  expect(await relay.logged('WebhookFailed', { receiver: 'flaky' })).toMatchObject({
    status: 500,
    attempts: 1,
  });
  expect(await relay.logged('WebhookSent', { receiver: 'flaky' })).toMatchObject({ attempts: 2 });
});

test('many emails for a receiver that hangs delay neither emails nor another receiver', async () => {
  const sent = await Promise.all(LANES.map((from) => relay.send(canaryMail(newMarker(), { from }))));
  for (const { status, body } of sent) {
    expect(status).toBe(200);
    await eventually(() => expect(works.about(body.id)).toHaveLength(1));
  }
  // As many as one receiver may have, and the one of the test before.
  expect(hanging.about('').length).toBeLessThanOrEqual(9);
});

test('a message on the queue that the relay did not write is posted to nobody', async () => {
  const forged = {
    body: JSON.stringify({ id: 'forged' }),
    attempts: 0,
    since: new Date().toISOString(),
    tag: 'x',
  };
  const queue = relay.queueClient(WEBHOOK_QUEUE);
  await queue.sendMessage(Buffer.from(JSON.stringify(forged)).toString('base64'));
  await queue.sendMessage(JSON.stringify({ event: forged, id: 'canary', dequeueCount: 1 }));
  await eventually(() => expect(relay.events('WebhookMessageDropped')).toHaveLength(2));
  expect(works.about('forged')).toEqual([]);
});

test('nothing of an email, of an answer or of a URL stands in the log', () => expectNoCanary(relay));
