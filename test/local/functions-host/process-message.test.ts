import { beforeEach, describe, expect, test } from 'vitest';
import type { QueueOptions } from '../../../local/functions-host/host-json.ts';
import {
  type MessageDependencies,
  poisonQueueName,
  processMessage,
} from '../../../local/functions-host/process-message.ts';
import type { QueueMessage, TriggerQueue } from '../../../local/functions-host/trigger-queue.ts';
import { createTestClock, type TestClock } from './test-clock.ts';

const OPTIONS: QueueOptions = {
  batchSize: 16,
  newBatchThreshold: 8,
  maxPollingIntervalMs: 1000,
  visibilityTimeoutMs: 30_000,
  maxDequeueCount: 5,
  messageEncoding: 'none',
};

const MINUTE_MS = 60_000;

let clock: TestClock;
let calls: string[];
let warnings: string[];
let runs: number;

const recordingQueue = (name: string): TriggerQueue => ({
  name,
  exists: async () => true,
  receive: async () => [],
  async hide(message, seconds) {
    calls.push(`${name}: hide ${message.popReceipt} for ${seconds} s`);
    message.popReceipt = `${message.popReceipt}+`;
    return 'done';
  },
  async delete(message) {
    calls.push(`${name}: delete ${message.popReceipt}`);
    return 'done';
  },
  async add(text) {
    calls.push(`${name}: add ${text}`);
  },
});

const aMessage = (values: Partial<QueueMessage> = {}): QueueMessage => ({
  messageId: 'id',
  popReceipt: 'r',
  messageText: 'text',
  dequeueCount: 1,
  insertedOn: new Date(0),
  expiresOn: new Date(0),
  nextVisibleOn: new Date(0),
  ...values,
});

const dependencies = (values: Partial<MessageDependencies> = {}): MessageDependencies => ({
  queue: recordingQueue('mail'),
  poisonQueue: recordingQueue('mail-poison'),
  options: OPTIONS,
  leaseSeconds: 600,
  clock,
  log: (level, _category, message) => level === 'warning' && warnings.push(message),
  run: async () => {
    runs++;
    return true;
  },
  onPoison: () => {},
  ...values,
});

beforeEach(() => {
  clock = createTestClock('2026-11-22T08:00:00Z');
  calls = [];
  warnings = [];
  runs = 0;
});

const failing = { run: async () => false };

test('success deletes the message', async () => {
  await processMessage(dependencies(), aMessage());
  expect(calls).toEqual(['mail: delete r']);
});

test('failure releases the message after visibilityTimeout', async () => {
  await processMessage(dependencies(failing), aMessage({ dequeueCount: 4 }));
  expect(calls).toEqual(['mail: hide r for 30 s']);
});

test('the last allowed failure moves the message to the poison queue', async () => {
  await processMessage(dependencies(failing), aMessage({ dequeueCount: 5 }));
  expect(calls).toEqual(['mail-poison: add text', 'mail: delete r']);
  expect(warnings).toEqual([
    "Message has reached MaxDequeueCount of 5. Moving message to queue 'mail-poison'.",
  ]);
});

test('a message beyond maxDequeueCount is moved without running the function', async () => {
  await processMessage(dependencies(), aMessage({ dequeueCount: 6 }));
  expect(runs).toBe(0);
  expect(calls).toEqual(['mail-poison: add text', 'mail: delete r']);
});

test('without a poison queue a failed message is left hidden, whatever its count', async () => {
  for (const dequeueCount of [1, 5]) {
    await processMessage(dependencies({ ...failing, poisonQueue: undefined }), aMessage({ dequeueCount }));
  }
  expect(calls).toEqual([]);
});

test('the lease is renewed every five minutes while the function runs, and the last receipt deletes', async () => {
  let end = (_: boolean) => {};
  const processing = processMessage(
    dependencies({ run: () => new Promise<boolean>((resolve) => (end = resolve)) }),
    aMessage(),
  );
  await clock.advance(11 * MINUTE_MS);
  end(true);
  await processing;
  expect(calls).toEqual(['mail: hide r for 600 s', 'mail: hide r+ for 600 s', 'mail: delete r++']);
  await clock.advance(60 * MINUTE_MS);
  expect(calls).toHaveLength(3);
});

describe('messageEncoding base64', () => {
  const base64 = { options: { ...OPTIONS, messageEncoding: 'base64' as const } };

  test('the function gets the decoded text', async () => {
    const texts: string[] = [];
    const run = async (_: QueueMessage, text: string) => texts.push(text) > 0;
    await processMessage(dependencies({ ...base64, run }), aMessage({ messageText: btoa('plain') }));
    expect(texts).toEqual(['plain']);
  });

  test('a message that is not base64 fails without running the function, and ends in the poison queue as it came', async () => {
    await processMessage(dependencies(base64), aMessage({ messageText: '{"a":1}' }));
    await processMessage(dependencies(base64), aMessage({ messageText: '{"a":1}', dequeueCount: 5 }));
    expect(runs).toBe(0);
    expect(calls).toEqual(['mail: hide r for 30 s', 'mail-poison: add {"a":1}', 'mail: delete r']);
  });
});

test.each([
  ['mail', 'mail-poison'],
  ['mail-poison', undefined],
  ['q'.repeat(56), `${'q'.repeat(56)}-poison`],
  ['q'.repeat(57), undefined],
])('the poison queue of %s is %s', (name, expected) => {
  expect(poisonQueueName(name)).toBe(expected);
});
