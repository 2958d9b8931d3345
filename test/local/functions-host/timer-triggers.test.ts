import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Azurite, startAzurite } from '../../../local/azurite.ts';
import { openTimerStatusStore } from '../../../local/functions-host/timer-status.ts';
import { hostApp, KEYS } from './hosted-app.ts';
import { createTestClock } from './test-clock.ts';

let azurite: Azurite;
let timers: { isPastDue: boolean; schedule: unknown; scheduleStatus: { next: string } }[];

// The status of a timer outlives its host, so each test has a storage of its own.
afterEach(() => azurite.close());

beforeEach(async () => {
  azurite = await startAzurite({ blobPort: 0, queuePort: 0, tablePort: 0 });
  timers = [];
  Object.assign(globalThis, {
    timerAppTest: { onTimer: (timer: (typeof timers)[number]) => timers.push(timer) },
  });
});

const hostTimerApp = (now: string) => {
  const clock = createTestClock(now);
  const settings = { DAILY: '0 0 8 * * *', AzureWebJobsHostId: 'not read any more' };
  const storageConnectionString = azurite.connectionString;
  return { clock, hosting: hostApp('timer-app', { clock, settings, storageConnectionString }) };
};

const admin = { 'x-functions-key': KEYS.masterKey, 'content-type': 'application/json' };

test('a timer function gets its argument in camel case when the time comes', async () => {
  const { clock, hosting } = hostTimerApp('2026-11-22T07:00:00Z');
  const { idle } = await hosting;
  await idle();
  await clock.advance(3_600_000);
  await idle();
  expect(timers).toEqual([
    {
      isPastDue: false,
      schedule: { adjustForDST: true },
      scheduleStatus: {
        last: '0001-01-01T00:00:00+00:00',
        next: '2026-11-22T08:00:00.000Z',
        lastUpdated: '2026-11-22T07:00:00.000Z',
      },
    },
  ]);
});

test('the status survives a restart, so a run missed in between is made up', async () => {
  const first = await hostTimerApp('2026-11-22T07:00:00Z').hosting;
  await first.idle();
  await first.close();
  const stored = await openTimerStatusStore(azurite.connectionString).read('daily');
  expect(stored).toEqual({
    last: undefined,
    next: new Date('2026-11-22T08:00:00Z'),
    lastUpdated: new Date('2026-11-22T07:00:00Z'),
  });

  const { idle } = await hostTimerApp('2026-11-22T10:00:00Z').hosting;
  await idle();
  expect(timers.map(({ isPastDue }) => isPastDue)).toEqual([true]);
});

test('POST /admin/functions/{name} runs a timer now', async () => {
  const { url, idle, lines } = await hostTimerApp('2026-11-22T07:00:00Z').hosting;
  const response = await fetch(`${url}/admin/functions/daily`, {
    method: 'POST',
    headers: admin,
    body: '{}',
  });
  expect(response.status).toBe(202);
  await idle();
  expect(timers.map(({ isPastDue }) => isPastDue)).toEqual([false]);
  expect(lines.join('\n')).toContain('past due: false');
});

test.each([
  ['daily', admin, 'rubbish', 400],
  ['daily', admin, '', 400],
  ['daily', admin, '{"input":1}', 400],
  ['daily', admin, '{"input":null}', 202],
  ['daily', { 'x-functions-key': KEYS.masterKey }, '{}', 415],
  ['pid', admin, '{}', 202],
  ['nightly', admin, '{}', 404],
])('POST /admin/functions/%s with %j and %j answers %i', async (name, headers, body, status) => {
  const { url } = await hostTimerApp('2026-11-22T07:00:00Z').hosting;
  const response = await fetch(`${url}/admin/functions/${name}`, { method: 'POST', headers, body });
  expect(response.status).toBe(status);
});

test.each([
  ['/', {}, 200],
  ['/admin/host/ping', {}, 200],
  ['/admin/warmup', {}, 200],
  ['/admin/host/status', {}, 401],
  ['/admin/host/status', { 'x-functions-key': 'wrong' }, 401],
  ['/admin/host/status', { 'x-functions-key': KEYS.functionKey }, 403],
  ['/admin/host/status', { 'x-functions-key': KEYS.masterKey }, 200],
])('GET %s with %j answers %i', async (path, headers, status) => {
  const { url } = await hostTimerApp('2026-11-22T07:00:00Z').hosting;
  expect((await fetch(url + path, { headers: headers as Record<string, string> })).status).toBe(status);
});

test('POST /admin/host/drain stops the timers, and HTTP goes on', async () => {
  const { clock, hosting } = hostTimerApp('2026-11-22T07:00:00Z');
  const { url, idle } = await hosting;
  const stateOf = async () => (await fetch(`${url}/admin/host/drain/status`, { headers: admin })).json();
  expect(await stateOf()).toEqual({ state: 'Disabled', outstandingInvocations: 0, outstandingRetries: 0 });
  await idle();
  expect((await fetch(`${url}/admin/host/drain`, { method: 'POST', headers: admin })).status).toBe(202);
  await clock.advance(86_400_000);
  expect(timers).toEqual([]);
  expect(await stateOf()).toMatchObject({ state: 'Completed' });
  expect((await fetch(`${url}/api/pid`)).status).toBe(200);
});

test('the admin API lists functions with their triggers, and says that the host runs', async () => {
  const { url, functions } = await hostTimerApp('2026-11-22T07:00:00Z').hosting;
  expect(functions.map(({ name, trigger }) => [name, trigger.type])).toEqual([
    ['daily', 'timer'],
    ['pid', 'http'],
  ]);
  const listed = await (await fetch(`${url}/admin/functions`, { headers: admin })).json();
  expect(listed).toMatchObject([
    {
      name: 'daily',
      isDisabled: false,
      config: { bindings: [{ type: 'timerTrigger', schedule: '%DAILY%' }] },
    },
    { name: 'pid', invoke_url_template: `${url}/api/pid` },
  ]);
  const status = await (await fetch(`${url}/admin/host/status`, { headers: admin })).json();
  expect(status).toMatchObject({ state: 'Running' });
  expect((await fetch(`${url}/admin/functions`)).status).toBe(401);
});
