import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { type DeliverWebhookNeeds, deliverWebhook } from '../../../src/lib/delivery/deliver-webhook.ts';
import { toWebhooks } from '../../../src/lib/delivery/event-sinks.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { makeWebhookLanes } from '../../../src/lib/events/webhook-lanes.ts';
import { readWebhookText, toWebhookText } from '../../../src/lib/events/webhook-message.ts';
import type { WebhookReceiver } from '../../../src/lib/events/webhook-receiver.ts';
import { MOST_ATTEMPTS } from '../../../src/lib/events/webhook-retry.ts';
import { readSigningSecret } from '../../../src/lib/events/webhook-signature.ts';
import type { LogEvent } from '../../../src/lib/log.ts';
import type { WebhookReport } from '../../../src/lib/ports.ts';
import { EVENTS, SIGNING_SECRET, SOURCE } from '../../support/an-event.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { NOW } from '../../support/in-memory-ports.ts';

const OK: WebhookReport = { kind: 'answered', status: 204 };
const receiver = (name: string, more: object = {}) => ({
  name,
  url: `https://${name}.example/hook?canary`,
  secretName: `webhook-secret-${name}`,
  ...more,
});
const [crm, hr] = [receiver('crm'), receiver('hr')];

/** A relay with these receivers, its queue, and what arrived where. */
const aRelay = (given: readonly WebhookReceiver[] | 'invalid' = [crm]) => {
  const receivers = given === 'invalid' ? undefined : given;
  let now = NOW;
  const queue: { readonly text: string; readonly delayMs: number }[] = [];
  const arrived: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    body: string;
  }[] = [];
  const logged: LogEvent[] = [];
  const answers = new Map<string, WebhookReport>();
  const needs: DeliverWebhookNeeds = {
    receivers,
    lanes: makeWebhookLanes(),
    readIdentity: async () => IDENTITY,
    webhookQueue: { put: async (text, delayMs) => void queue.push({ text, delayMs }) },
    signingKeys: { read: async () => [readSigningSecret(SIGNING_SECRET) ?? Buffer.alloc(0)] },
    eventWebhooks: {
      post: async (url, headers, body) => {
        arrived.push({ url, headers, body });
        return answers.get(url) ?? OK;
      },
    },
    clock: { now: () => now, sleep: async () => undefined },
    random: () => 0,
    log: (event) => void logged.push(event),
  };
  return {
    needs,
    queue,
    arrived,
    logged,
    answers,
    /** The event of a mail, as `announce` puts it. */
    tell: () => toWebhooks({ ...needs, source: SOURCE, receivers: () => receivers }).put(EVENTS.mail),
    /** Takes the next message, once its time has come. */
    next: async (changed: Partial<DeliverWebhookNeeds> = {}) => {
      const message = queue.shift();
      if (message === undefined) throw new Error('expected a message on the queue, found none');
      now = new Date(now.getTime() + message.delayMs);
      await deliverWebhook({ ...needs, ...changed }, message.text);
      return message;
    },
  };
};

describe('an event', () => {
  test('is posted to its one receiver, signed, by the message that told of it', async () => {
    const { tell, next, arrived, queue, logged } = aRelay();
    await tell();
    await next();
    expect(queue).toEqual([]);
    expect(arrived).toMatchObject([{ url: crm.url }]);
    const [{ headers = {}, body = '' } = {}] = arrived;
    expect(new Webhook(SIGNING_SECRET).sign(EVENTS.mail.id, NOW, body)).toBe(headers['webhook-signature']);
    expect(headers['webhook-id']).toBe(EVENTS.mail.id);
    expect(logged).toEqual([
      {
        event: 'WebhookSent',
        receiver: 'crm',
        type: EVENTS.mail.eventType,
        eventId: EVENTS.mail.id,
        attempts: 1,
      },
    ]);
  });

  test('is posted to all its receivers by that message; one that failed gets a message of its own', async () => {
    const { tell, next, arrived, queue, answers } = aRelay([crm, hr]);
    answers.set(crm.url, { kind: 'answered', status: 500 });
    await tell();
    await next();
    expect(arrived.map(({ url }) => url)).toEqual([crm.url, hr.url]);
    expect(queue.map(({ text }) => readWebhookText(text, IDENTITY))).toMatchObject([
      { receiver: 'crm', attempts: 1 },
    ]);
    answers.set(crm.url, OK);
    await next();
    expect(arrived.map(({ url }) => url)).toEqual([crm.url, hr.url, crm.url]);
    expect(arrived.at(2)?.headers['webhook-id']).toBe(arrived.at(0)?.headers['webhook-id']);
    expect(queue).toEqual([]);
  });

  test('that nobody wants is not even put on the queue', async () => {
    const { tell, queue } = aRelay([receiver('crm', { caller: 'another' })]);
    await tell();
    expect(queue).toEqual([]);
  });

  test('arrives at each attempt with the same id and body, and the time of the attempt', async () => {
    const { tell, next, arrived, answers } = aRelay();
    answers.set(crm.url, { kind: 'failed', reason: 'timeout' });
    await tell();
    await next();
    answers.set(crm.url, OK);
    await next();
    const [first, second] = arrived;
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(Number(second?.headers['webhook-timestamp'])).toBe(
      Number(first?.headers['webhook-timestamp']) + 5,
    );
  });

  test('is tried nine times within about a day, then given up, which the log says without the URL', async () => {
    const { tell, next, arrived, queue, answers, logged } = aRelay();
    answers.set(crm.url, { kind: 'answered', status: 404 });
    await tell();
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) await next();
    expect([arrived.length, queue.length]).toEqual([MOST_ATTEMPTS, 0]);
    expect(logged.at(0)).toMatchObject({
      event: 'WebhookFailed',
      fault: 'status',
      status: 404,
      waitMs: 5000,
    });
    expect(logged.at(-1)).toMatchObject({
      event: 'WebhookGivenUp',
      receiver: 'crm',
      type: EVENTS.mail.eventType,
      fault: 'status',
      status: 404,
      attempts: 9,
    });
    expect(JSON.stringify(logged)).not.toMatch(/canary|https/);
  });

  test('is given up immediately where the receiver is gone', async () => {
    const { tell, next, queue, answers, logged } = aRelay();
    answers.set(crm.url, { kind: 'answered', status: 410 });
    await tell();
    await next();
    expect(queue).toEqual([]);
    expect(logged).toMatchObject([{ event: 'WebhookGivenUp', fault: 'gone', status: 410 }]);
  });

  test('waits as long as the receiver asks', async () => {
    const { tell, next, queue, answers } = aRelay();
    answers.set(crm.url, { kind: 'answered', status: 429, retryAfter: '90' });
    await tell();
    await next();
    expect(queue).toMatchObject([{ delayMs: 90_000 }]);
  });

  test('is not posted unsigned: without a secret in the vault it is tried again, and the log says why', async () => {
    const { tell, next, queue, arrived, logged } = aRelay();
    await tell();
    const read = () => Promise.reject(new AppError('WEBHOOK_SECRET_INVALID'));
    await next({ signingKeys: { read } });
    expect([arrived.length, queue.length]).toEqual([0, 1]);
    expect(logged).toMatchObject([
      { event: 'WebhookFailed', fault: 'secret', code: 'WEBHOOK_SECRET_INVALID' },
    ]);
  });
});

describe('a receiver that fails all the time', () => {
  test('is not asked by each event: while it is left alone, an event only waits for its next attempt', async () => {
    const { tell, next, queue, arrived, answers, logged } = aRelay();
    answers.set(crm.url, { kind: 'failed', reason: 'connection' });
    for (let event = 0; event < 5; event += 1) await tell();
    for (let event = 0; event < 5; event += 1) await next();
    expect(arrived).toHaveLength(3);
    expect(queue).toHaveLength(5);
    expect(logged.map((one) => 'fault' in one && one.fault)).toEqual([
      ...['connection', 'connection', 'connection'],
      ...['paused', 'paused'],
    ]);
    // Not before the pause is over.
    expect(queue.slice(3).map(({ delayMs }) => delayMs)).toEqual([30_000, 30_000]);
  });

  test('that hangs keeps eight requests at most; another event comes again some seconds later, as it was', async () => {
    const { tell, next, queue, needs } = aRelay();
    const hanging = { post: () => new Promise<WebhookReport>(() => {}) };
    for (let event = 0; event < 9; event += 1) await tell();
    for (let event = 0; event < 8; event += 1)
      void deliverWebhook({ ...needs, eventWebhooks: hanging }, queue.shift()?.text ?? '');
    await next();
    expect(queue).toMatchObject([{ delayMs: 5000 }]);
    expect(readWebhookText(queue[0]?.text ?? '', IDENTITY)).toMatchObject({ receiver: 'crm', attempts: 0 });
  });
});

describe('what the relay did not write', () => {
  test.each([
    ['an event in the clear', JSON.stringify({ event: EVENTS.mail })],
    [
      'a message that another key has sealed',
      toWebhookText(
        { event: { ...EVENTS.mail } as never, attempts: 0, since: NOW },
        { tagOf: () => 'forged' },
      ),
    ],
  ])('is signed and posted to nobody: %s', async (_what, text) => {
    const { needs, arrived, queue, logged } = aRelay();
    await deliverWebhook(needs, text);
    expect([arrived, queue]).toEqual([[], []]);
    expect(logged).toEqual([{ event: 'WebhookMessageDropped', reason: 'not-ours' }]);
  });
});

describe('settings that changed meanwhile', () => {
  test('an event for a receiver that was removed is given up', async () => {
    const { tell, next, queue, answers, logged } = aRelay();
    answers.set(crm.url, { kind: 'answered', status: 500 });
    await tell();
    await next();
    await next({ receivers: [hr] });
    expect(queue).toEqual([]);
    expect(logged.at(-1)).toMatchObject({ event: 'WebhookGivenUp', receiver: 'crm', fault: 'removed' });
  });

  test('a receiver that was added gets the events that are not yet told', async () => {
    const { tell, next, arrived } = aRelay();
    await tell();
    await next({ receivers: [hr] });
    expect(arrived).toMatchObject([{ url: hr.url }]);
  });

  test('an event is kept while the setting is invalid, for a day', async () => {
    const { tell, next, arrived, queue, logged } = aRelay('invalid');
    await tell();
    await next();
    expect(queue).toMatchObject([{ delayMs: 300_000 }]);
    await next({ receivers: [crm] });
    expect(arrived).toMatchObject([{ url: crm.url }]);

    await tell();
    while (queue.length > 0) await next();
    expect(logged.at(-1)).toMatchObject({ event: 'WebhookGivenUp', fault: 'settings' });
  });
});

test('where the queue takes nothing, the message fails, and the host delivers it again', async () => {
  const { tell, queue, needs, answers, arrived } = aRelay([crm, hr]);
  answers.set(crm.url, { kind: 'answered', status: 500 });
  await tell();
  const put = () => Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
  await expect(
    deliverWebhook({ ...needs, webhookQueue: { put } }, queue[0]?.text ?? ''),
  ).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(arrived).toHaveLength(2);
});
