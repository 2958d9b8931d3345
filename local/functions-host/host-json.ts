import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../message-of.ts';
import type { HostLogLevel } from './host-log.ts';
import { parseTimespan } from './timespan.ts';

export type QueueOptions = {
  readonly batchSize: number;
  readonly newBatchThreshold: number;
  readonly maxPollingIntervalMs: number;
  /** How long a failed message stays hidden before it is tried again; not the processing lease. */
  readonly visibilityTimeoutMs: number;
  readonly maxDequeueCount: number;
  readonly messageEncoding: 'none' | 'base64';
};

export type HostOptions = {
  readonly queues: QueueOptions;
  readonly routePrefix: string;
  readonly customHeaders: Readonly<Record<string, string>>;
  /** Undefined: an invocation may run for ever. */
  readonly functionTimeoutMs: number | undefined;
  readonly logLevels: Readonly<Record<string, HostLogLevel>>;
  /** Keys that nobody reads, by their path: most likely misspelt. */
  readonly ignored: readonly string[];
};

const LARGEST_BATCH = 32;
const SHORTEST_POLLING_INTERVAL_MS = 100;
const LONGEST_VISIBILITY_MS = 7 * 86_400_000;
// The extension looks into an empty queue every minute, and every two seconds where AZURE_FUNCTIONS_ENVIRONMENT says Development.
const POLLING_INTERVAL_MS = 60_000;
const DEVELOPMENT_POLLING_INTERVAL_MS = 2_000;
// https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout (Flex Consumption)
const DEFAULT_FUNCTION_TIMEOUT_MS = 30 * 60_000;
const UNLIMITED = '-1';

const timespan = (minMs: number, maxMs: number) =>
  z.string().transform((text, context) => {
    const ms = parseTimespan(text);
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
    context.addIssue({
      code: 'custom',
      message: `expected a time span "hh:mm:ss" from ${minMs / 1000} to ${maxMs / 1000} seconds, got ${JSON.stringify(text)}`,
    });
    return z.NEVER;
  });

const lowerCased = <T extends string>(values: readonly [T, ...T[]]) =>
  z.preprocess((value) => (typeof value === 'string' ? value.toLowerCase() : value), z.enum(values));

const level = lowerCased(['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none']);

const queues = z.looseObject({
  batchSize: z.int().min(1).max(LARGEST_BATCH).default(16),
  newBatchThreshold: z.int().min(0).optional(),
  maxPollingInterval: timespan(SHORTEST_POLLING_INTERVAL_MS, 86_400_000).optional(),
  visibilityTimeout: timespan(0, LONGEST_VISIBILITY_MS).default(0),
  maxDequeueCount: z.int().min(1).default(5),
  messageEncoding: lowerCased(['none', 'base64']).default('base64'),
});

const hostJson = z.looseObject({
  version: z.literal('2.0'),
  functionTimeout: z
    .union([
      z.literal(UNLIMITED).transform(() => Number.POSITIVE_INFINITY),
      timespan(1_000, Number.MAX_SAFE_INTEGER),
    ])
    .default(DEFAULT_FUNCTION_TIMEOUT_MS),
  extensions: z
    .looseObject({
      queues: queues.prefault({}),
      http: z
        .looseObject({
          routePrefix: z.string().default('api'),
          customHeaders: z.record(z.string(), z.string()).default({}),
        })
        .prefault({}),
    })
    .prefault({}),
  logging: z.looseObject({ logLevel: z.record(z.string(), level).default({}) }).prefault({}),
});

/** Reads host.json of an app. Throws with every value that is wrong. */
export const readHostJson = (appFolder: string, development: boolean): HostOptions => {
  const path = join(appFolder, 'host.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read; a Functions app has one, at least {"version": "2.0"}.`, {
      cause: error,
    });
  }
  return parseHostJson(text, path, development);
};

/** The options in the text of a host.json; `path` is for errors. */
export const parseHostJson = (text: string, path: string, development: boolean): HostOptions => {
  const parsed = hostJson.safeParse(parseJson(text, path));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path: at, message }) => `  ${at.join('.') || '(root)'}: ${message}`,
    );
    throw new Error(`${path} is not valid:\n${problems.join('\n')}`);
  }
  const { extensions, functionTimeout, logging } = parsed.data;
  const { batchSize, newBatchThreshold, maxPollingInterval, visibilityTimeout, ...rest } = extensions.queues;
  const { maxDequeueCount, messageEncoding, ...unread } = rest;
  return {
    queues: {
      batchSize,
      newBatchThreshold: newBatchThreshold ?? Math.floor(batchSize / 2) * availableParallelism(),
      maxPollingIntervalMs:
        maxPollingInterval ?? (development ? DEVELOPMENT_POLLING_INTERVAL_MS : POLLING_INTERVAL_MS),
      visibilityTimeoutMs: visibilityTimeout,
      maxDequeueCount,
      messageEncoding,
    },
    ignored: Object.keys(unread).map((key) => `extensions.queues.${key}`),
    routePrefix: extensions.http.routePrefix,
    customHeaders: extensions.http.customHeaders,
    functionTimeoutMs: Number.isFinite(functionTimeout) ? functionTimeout : undefined,
    logLevels: logging.logLevel,
  };
};

const parseJson = (text: string, path: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: ${messageOf(error)}`);
  }
};
