import { beforeEach, expect, test } from 'vitest';
import {
  type LaneEntry,
  makeWebhookLanes,
  type WebhookLanes,
} from '../../../src/lib/events/webhook-lanes.ts';
import type { AttemptResult } from '../../../src/lib/events/webhook-retry.ts';
import { NOW } from '../../support/in-memory-ports.ts';

const OK: AttemptResult = { kind: 'answered', status: 200 };
const HANGS: AttemptResult = { kind: 'failed', fault: 'timeout' };

let now: Date;
let lanes: WebhookLanes;
const pass = (seconds: number) => {
  now = new Date(now.getTime() + seconds * 1000);
};
beforeEach(() => {
  now = NOW;
  lanes = makeWebhookLanes();
});

/** Nobody waits: the time for it is over. */
const impatient = { now: () => now, sleep: async () => undefined };
const patient = { now: () => now, sleep: () => new Promise<void>(() => {}) };
const enter = (receiver = 'crm', clock: Parameters<WebhookLanes['enter']>[1] = impatient) =>
  lanes.enter(receiver, clock);
const entered = async (receiver = 'crm') => {
  const entry = await enter(receiver);
  if (entry.kind !== 'go') throw new Error(`expected a place, received ${entry.kind}`);
  return entry;
};
const kinds = async (entries: readonly Promise<LaneEntry>[]) =>
  (await Promise.all(entries)).map(({ kind }) => kind);
const fail = async (times: number, result: AttemptResult = HANGS) => {
  for (let time = 0; time < times; time += 1) (await entered()).leave(result, now);
};

test('a receiver has eight requests at the same time, and another receiver has its own', async () => {
  for (let place = 0; place < 8; place += 1) await entered('hangs');
  expect(await kinds([enter('hangs'), enter('works')])).toEqual(['busy', 'go']);
});

test('an event that finds no place takes the first that becomes free', async () => {
  const first = await entered();
  for (let place = 1; place < 8; place += 1) await entered();
  const next = enter('crm', patient);
  first.leave(OK, now);
  expect(await kinds([next])).toEqual(['go']);
});

test('once an event has waited for a place in vain, the next ones do not wait before a request has succeeded', async () => {
  const places = await Promise.all(Array.from({ length: 8 }, () => entered()));
  expect(await kinds([enter()])).toEqual(['busy']);
  expect(await kinds([enter('crm', patient)])).toEqual(['busy']);
  places[0]?.leave(OK, now);
  await entered();
  const waits = enter('crm', patient);
  places[1]?.leave(OK, now);
  expect(await kinds([waits])).toEqual(['go']);
});

test('of many receivers that fail, eight are asked at the same time', async () => {
  const names = Array.from({ length: 9 }, (_, number) => `down-${number}`);
  for (const name of names) for (let time = 0; time < 3; time += 1) (await entered(name)).leave(HANGS, now);
  pass(31);
  const entries = await kinds(names.map((name) => enter(name)));
  expect(entries.filter((kind) => kind === 'go')).toHaveLength(8);
  expect(await kinds([enter('works')])).toEqual(['go']);
});

test('what a failing receiver did not take comes back four a second, and that of another when it is due', async () => {
  await fail(1);
  const waits = Array.from({ length: 12 }, () => lanes.waitOf('crm', 5000, now));
  expect(waits).toEqual([5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7].map((seconds) => seconds * 1000));
  expect(lanes.waitOf('crm', 60_000, now)).toBe(60_000);
  expect(lanes.waitOf('works', 5000, now)).toBe(5000);
});

test('a backlog of a day is not shifted by more than an hour', async () => {
  await fail(1);
  const waits = Array.from({ length: 4 * 3600 * 2 }, () => lanes.waitOf('crm', 5000, now));
  expect(Math.max(...waits)).toBeLessThan(5000 + 3600_000);
});

test('after three failures in a row a receiver is left alone, first for half a minute', async () => {
  await fail(2);
  expect(await kinds([enter()])).toEqual(['go']);
  lanes = makeWebhookLanes();
  await fail(3);
  expect(await kinds([enter(), enter('other')])).toEqual(['paused', 'go']);
  pass(31);
  expect(await kinds([enter()])).toEqual(['go']);
});

test('then one event finds out, and the pause doubles up to ten minutes if it fails', async () => {
  await fail(3);
  for (const seconds of [30, 60, 120, 240, 480, 600, 600]) {
    pass(seconds - 1);
    expect(await kinds([enter()])).toEqual(['paused']);
    pass(1);
    const probe = await entered();
    expect(await kinds([enter()])).toEqual(['paused']);
    probe.leave(HANGS, now);
  }
});

test('one success ends it', async () => {
  await fail(3);
  pass(30);
  await fail(1, OK);
  expect(await kinds([enter(), enter(), enter()])).toEqual(['go', 'go', 'go']);
});

test('requests that hung at the same time count as the failures that began the pause, and no more', async () => {
  const together = await Promise.all(Array.from({ length: 8 }, () => entered()));
  for (const one of together) one.leave(HANGS, now);
  pass(30);
  expect(await kinds([enter()])).toEqual(['go']);
});

test.each<[string, AttemptResult, string]>([
  ['503', { kind: 'answered', status: 503 }, 'paused'],
  ['429', { kind: 'answered', status: 429 }, 'paused'],
  ['no connection', { kind: 'failed', fault: 'connection' }, 'paused'],
  ['400, which can be of one event', { kind: 'answered', status: 400 }, 'go'],
  ['no secret in the vault', { kind: 'failed', fault: 'secret' }, 'go'],
])('three times %s: %s', async (_what, result, kind) => {
  await fail(3, result);
  expect(await kinds([enter()])).toEqual([kind]);
});
