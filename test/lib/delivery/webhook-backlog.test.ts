import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type DeliverWebhookNeeds, deliverWebhook } from '../../../src/lib/delivery/deliver-webhook.ts';
import { toWebhooks } from '../../../src/lib/delivery/event-sinks.ts';
import { makeWebhookLanes } from '../../../src/lib/events/webhook-lanes.ts';
import { readSigningSecret } from '../../../src/lib/events/webhook-signature.ts';
import type { WebhookReport } from '../../../src/lib/ports.ts';
import { EVENTS, SIGNING_SECRET, SOURCE } from '../../support/an-event.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { NOW } from '../../support/in-memory-ports.ts';

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

/** host.json: batchSize and newBatchThreshold. */
const WORKERS = 24;
/** Of a storage account in the same region. */
const QUEUE_OPERATION_MS = 10;
const LONGEST_POLL_MS = 2000;

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The times and answers of receivers: one works, and each of the others fails in its own way. */
const ANSWERS: Readonly<Record<string, readonly [ms: number, WebhookReport]>> = {
  good: [50, { kind: 'answered', status: 204 }],
  'bad-hangs': [15_000, { kind: 'failed', reason: 'timeout' }],
  'bad-hangs-too': [15_000, { kind: 'failed', reason: 'timeout' }],
  'bad-down': [5, { kind: 'failed', reason: 'connection' }],
  'bad-error': [100, { kind: 'answered', status: 500 }],
  'bad-gateway': [1000, { kind: 'answered', status: 502 }],
  'bad-limited': [50, { kind: 'answered', status: 429, retryAfter: '60' }],
  'bad-drips': [15_000, { kind: 'failed', reason: 'timeout' }],
};

/** An instance of the app with its queue, in moved time: messages become visible, and 24 of them are worked on. */
const anInstance = () => {
  const messages: { readonly text: string; readonly visibleAt: number }[] = [];
  const counts = { operations: 0 };
  const lateMs: number[] = [];
  let isOver = false;
  let seed = 1;
  const needs: DeliverWebhookNeeds = {
    receivers: Object.keys(ANSWERS).map((name) => ({
      ...{ name, url: `https://${name}.example`, secretName: name },
    })),
    lanes: makeWebhookLanes(),
    readIdentity: async () => IDENTITY,
    webhookQueue: {
      put: async (text, delayMs) => {
        counts.operations += 1;
        await wait(QUEUE_OPERATION_MS);
        messages.push({ text, visibleAt: Date.now() + Math.ceil(delayMs / 1000) * 1000 });
      },
    },
    signingKeys: { read: async () => [readSigningSecret(SIGNING_SECRET) ?? Buffer.alloc(0)] },
    eventWebhooks: {
      post: async (url, _headers, body) => {
        const [ms, report] = ANSWERS[new URL(url).hostname.replace('.example', '')] ?? [0, undefined];
        const { time } = JSON.parse(body) as { readonly time: string };
        if (url.includes('good')) lateMs.push(Date.now() - Date.parse(time));
        await wait(ms);
        if (report === undefined) throw new Error(`expected a receiver of this test, received ${url}`);
        return report;
      },
    },
    clock: { now: () => new Date(), sleep: wait },
    random: () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    },
    log: () => undefined,
  };
  const { receivers = [] } = needs;
  const sink = toWebhooks({ ...needs, source: SOURCE, receivers: () => receivers });
  const takeVisible = () => {
    const now = Date.now();
    let first = -1;
    for (const [index, { visibleAt }] of messages.entries())
      if (visibleAt <= now && (first === -1 || visibleAt < (messages[first]?.visibleAt ?? 0))) first = index;
    return first === -1 ? undefined : messages.splice(first, 1)[0];
  };
  const work = async () => {
    let idleMs = 100;
    while (!isOver) {
      const message = takeVisible();
      idleMs = message === undefined ? Math.min(idleMs * 2, LONGEST_POLL_MS) : 100;
      if (message === undefined) await wait(idleMs);
      else {
        counts.operations += 1;
        await wait(QUEUE_OPERATION_MS);
        await deliverWebhook(needs, message.text);
        counts.operations += 1;
        await wait(QUEUE_OPERATION_MS);
      }
    }
  };
  const workers = Array.from({ length: WORKERS }, work);
  return {
    counts,
    lateMs,
    messages,
    tell: (number: number) =>
      sink.put({ ...EVENTS.mail, id: `event-${number}`, eventTime: new Date().toISOString() }),
    /** Lets the messages that are worked on come to an end. */
    stop: async () => {
      isOver = true;
      await vi.advanceTimersByTimeAsync(60_000);
      await Promise.all(workers);
    },
  };
};

const EVENT_COUNT = 500;

test('seven receivers that fail delay the events of one that works by seconds, also beside their backlog', async () => {
  const { tell, lateMs, counts, messages, stop } = anInstance();
  for (let number = 0; number < EVENT_COUNT; number += 1) {
    await Promise.all([tell(number), vi.advanceTimersByTimeAsync(100)]);
  }
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lateMs).toHaveLength(EVENT_COUNT);
  const firstLate = Math.max(...lateMs);
  // Then six minutes, while 3,500 messages of the others wait and come back.
  for (let number = 0; number < 6; number += 1) {
    await Promise.all([tell(EVENT_COUNT + number), vi.advanceTimersByTimeAsync(60_000)]);
  }
  expect(messages.length).toBeGreaterThan(3000);
  expect(lateMs).toHaveLength(EVENT_COUNT + 6);
  const lastLate = Math.max(...lateMs.slice(EVENT_COUNT));
  expect(firstLate).toBeLessThan(5000);
  expect(lastLate).toBeLessThan(5000);
  // Put, read and deleted once for each event, and so for each attempt of a receiver that fails.
  expect(counts.operations).toBeLessThan(3 * (EVENT_COUNT + 6) * 7 * 4);
  await stop();
});
