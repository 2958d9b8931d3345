import { beforeEach, expect, test } from 'vitest';
import { makeInFlight } from '../../../local/functions-host/in-flight.ts';
import {
  type ListenerDependencies,
  startQueueListener,
} from '../../../local/functions-host/queue-listener.ts';
import type { QueueMessage, TriggerQueue } from '../../../local/functions-host/trigger-queue.ts';
import { createTestClock, settle, type TestClock } from './test-clock.ts';

let clock: TestClock;
let log: string[];
let waiting: string[];
let polls: number;
let storage: 'up' | 'down' | 'without the queue';

/** A queue that gives each text once. */
const queue: TriggerQueue = {
  name: 'mail',
  exists: async () => {
    if (storage === 'down') throw new Error('connect ECONNREFUSED');
    return storage === 'up';
  },
  async receive(count) {
    polls++;
    if (storage === 'down') throw new Error('connect ECONNREFUSED');
    if (storage !== 'up') return undefined;
    return waiting.splice(0, count).map(
      (messageText): QueueMessage => ({
        messageId: messageText,
        messageText,
        popReceipt: 'r',
        dequeueCount: 1,
        insertedOn: new Date(0),
        expiresOn: new Date(0),
        nextVisibleOn: new Date(0),
      }),
    );
  },
  hide: async () => 'done',
  delete: async () => 'done',
  add: async () => {},
};

const listen = (values: Partial<ListenerDependencies> = {}) =>
  startQueueListener({
    queue,
    poisonQueue: undefined,
    options: {
      batchSize: 2,
      newBatchThreshold: 1,
      maxPollingIntervalMs: 2_000,
      visibilityTimeoutMs: 0,
      maxDequeueCount: 5,
      messageEncoding: 'none',
    },
    leaseSeconds: 600,
    clock,
    random: () => 0.5,
    log: (level, _category, message) => log.push(`${level}: ${message}`),
    inFlight: makeInFlight(),
    run: async () => true,
    onPoison: () => {},
    ...values,
  });

beforeEach(() => {
  clock = createTestClock('2026-11-22T08:00:00Z');
  log = [];
  waiting = [];
  polls = 0;
  storage = 'up';
});

test('an empty queue is polled ever more rarely, up to maxPollingInterval', async () => {
  const listener = listen();
  const pollsAfter = async (ms: number) => {
    await clock.advance(ms);
    return polls;
  };
  expect(await pollsAfter(0)).toBe(1);
  expect(await pollsAfter(200)).toBe(2);
  expect(await pollsAfter(300)).toBe(3);
  await clock.advance(60_000);
  const later = polls;
  await clock.advance(20_000);
  expect(polls - later).toBe(10);
  await listener.stop();
});

test('while messages come there is no pause', async () => {
  waiting = ['1', '2', '3', '4', '5'];
  const listener = listen();
  await settle();
  await settle();
  expect(polls).toBe(4);
  await listener.stop();
});

test('the next batch is fetched only when no more than newBatchThreshold messages run', async () => {
  waiting = ['1', '2', '3'];
  const ends: (() => void)[] = [];
  const listener = listen({ run: () => new Promise((resolve) => ends.push(() => resolve(true))) });
  await settle();
  expect(ends).toHaveLength(2);
  expect(polls).toBe(1);
  ends[0]?.();
  await settle();
  expect(ends).toHaveLength(3);
  for (const end of ends) end();
  await listener.stop();
});

test('storage that is away is said once, waited for, and said again when it is back', async () => {
  storage = 'down';
  const listener = listen();
  await clock.advance(30_000);
  storage = 'up';
  waiting = ['1'];
  await clock.advance(5_000);
  expect(waiting).toEqual([]);
  expect(log).toEqual([
    "warning: Queue 'mail' cannot be read; trying again: connect ECONNREFUSED",
    "information: Queue 'mail' can be read again.",
  ]);
  await listener.stop();
});

test('a queue that is not there, or was deleted, is looked for in silence', async () => {
  storage = 'without the queue';
  const listener = listen();
  await clock.advance(10_000);
  expect(polls).toBe(0);
  storage = 'up';
  await clock.advance(5_000);
  storage = 'without the queue';
  await clock.advance(10_000);
  storage = 'up';
  waiting = ['1'];
  await clock.advance(5_000);
  expect(waiting).toEqual([]);
  expect(log).toEqual([]);
  await listener.stop();
});

test('a message that cannot be completed is an entry in the log, and the next one runs', async () => {
  waiting = ['1'];
  const listener = listen({
    queue: {
      ...queue,
      delete: async () => {
        throw new Error('write EPIPE');
      },
    },
  });
  await settle();
  expect(log).toEqual([
    "error: A message of queue 'mail' could not be completed and will come back: write EPIPE",
  ]);
  await listener.stop();
});

test('wake ends the pause', async () => {
  const listener = listen();
  await clock.advance(60_000);
  const before = polls;
  listener.wake();
  await settle();
  expect(polls).toBe(before + 1);
  await listener.stop();
});
