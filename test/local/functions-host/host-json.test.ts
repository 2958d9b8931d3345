import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { parseHostJson } from '../../../local/functions-host/host-json.ts';

const parse = (host: object, development = false) =>
  parseHostJson(JSON.stringify({ version: '2.0', ...host }), '/app/host.json', development);
const queues = (options: object) => parse({ extensions: { queues: options } }).queues;

test('defaults are those of the extension', () => {
  expect(parse({})).toEqual({
    queues: {
      batchSize: 16,
      newBatchThreshold: 8 * availableParallelism(),
      maxPollingIntervalMs: 60_000,
      visibilityTimeoutMs: 0,
      maxDequeueCount: 5,
      messageEncoding: 'base64',
    },
    routePrefix: 'api',
    customHeaders: {},
    functionTimeoutMs: 1_800_000,
    logLevels: {},
    ignored: [],
  });
  expect(parse({}, true).queues.maxPollingIntervalMs).toBe(2_000);
});

test('what host.json says is used', () => {
  const options = parse({
    functionTimeout: '00:05:00',
    logging: { logLevel: { default: 'Warning', 'Function.sendMail': 'Debug' } },
    telemetryMode: 'OpenTelemetry',
    extensionBundle: { id: 'Microsoft.Azure.Functions.ExtensionBundle', version: '[4.*, 5.0.0)' },
    extensions: {
      http: { routePrefix: '' },
      queues: {
        batchSize: 4,
        newBatchThreshold: 0,
        maxPollingInterval: '00:00:05',
        visibilityTimeout: '00:00:30',
        messageEncoding: 'None',
      },
    },
  });
  expect(options).toMatchObject({
    functionTimeoutMs: 300_000,
    routePrefix: '',
    logLevels: { default: 'warning', 'Function.sendMail': 'debug' },
    queues: {
      batchSize: 4,
      newBatchThreshold: 0,
      maxPollingIntervalMs: 5_000,
      visibilityTimeoutMs: 30_000,
      messageEncoding: 'none',
    },
  });
  expect(parse({ functionTimeout: '-1' }).functionTimeoutMs).toBeUndefined();
});

test.each([
  [{ batchSize: 33 }, 'extensions.queues.batchSize'],
  [
    { maxPollingInterval: '5 seconds' },
    'expected a time span "hh:mm:ss" from 0.1 to 86400 seconds, got "5 seconds"',
  ],
  [{ visibilityTimeout: 30 }, 'extensions.queues.visibilityTimeout'],
  [{ messageEncoding: 'utf8' }, 'extensions.queues.messageEncoding'],
])('queues %j is refused and named', (options, named) => {
  expect(() => queues(options)).toThrow(named);
});

test('a key that nobody reads is ignored, and named', () => {
  const { queues, ignored } = parse({ extensions: { queues: { maxDequeuCount: 3 } } });
  expect([queues.maxDequeueCount, ignored]).toEqual([5, ['extensions.queues.maxDequeuCount']]);
});

test('all problems are told at once, with the path of the file', () => {
  expect(() => parse({ version: '1.0', extensions: { queues: { batchSize: 0 } } })).toThrow(
    /^\/app\/host\.json is not valid:\n {2}version: .*\n {2}extensions\.queues\.batchSize: /,
  );
  expect(() => parseHostJson('{', '/app/host.json', false)).toThrow('/app/host.json is not JSON');
});
