import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Azurite, startAzurite } from '../../../local/azurite.ts';
import { createTimerStatusStore } from '../../../local/functions-host/timer-status.ts';
import { hostApp, KEYS } from './hosted-app.ts';
import { createTestClock } from './test-clock.ts';

let azurite: Azurite;
let timers: { isPastDue: boolean; schedule: unknown; scheduleStatus: { next: string } }[];

beforeAll(async () => {
  azurite = await startAzurite({ blobPort: 0, queuePort: 0, tablePort: 0 });
});
afterAll(() => azurite.close());

beforeEach(() => {
  timers = [];
  Object.assign(globalThis, {
    timerAppTest: { onTimer: (timer: (typeof timers)[number]) => timers.push(timer) },
  });
});

const hostTimerApp = (hostId: string, now: string) => {
  const clock = createTestClock(now);
  const settings = { DAILY: '0 0 8 * * *', AzureWebJobsHostId: hostId };
  const storageConnectionString = azurite.connectionString;
  return { clock, hosting: hostApp('timer-app', { clock, settings, storageConnectionString }) };
};

const admin = { 'x-functions-key': KEYS.masterKey };

test('a timer function gets its argument in camel case when the time comes', async () => {
  const { clock, hosting } = hostTimerApp('on-schedule', '2026-11-22T07:00:00Z');
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
        lastUpdated: '0001-01-01T00:00:00+00:00',
      },
    },
  ]);
});

test('the status survives a restart, so a run missed in between is made up', async () => {
  const first = await hostTimerApp('restarted', '2026-11-22T07:00:00Z').hosting;
  await first.idle();
  await first.close();
  const stored = await createTimerStatusStore(azurite.connectionString, 'restarted').read('daily');
  expect(stored).toEqual({ last: undefined, next: new Date('2026-11-22T08:00:00Z'), lastUpdated: undefined });

  const { idle } = await hostTimerApp('restarted', '2026-11-22T10:00:00Z').hosting;
  await idle();
  expect(timers.map(({ isPastDue }) => isPastDue)).toEqual([true]);
});

test('POST /admin/functions/{name} runs a timer now', async () => {
  const { url, idle, lines } = await hostTimerApp('by-hand', '2026-11-22T07:00:00Z').hosting;
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

test('a body that is no {"input": "..."} and a function that is not there are refused', async () => {
  const { url } = await hostTimerApp('refused', '2026-11-22T07:00:00Z').hosting;
  const post = async (name: string, body: string) => {
    const response = await fetch(`${url}/admin/functions/${name}`, { method: 'POST', headers: admin, body });
    return { status: response.status, ...((await response.json()) as object) };
  };
  expect(await post('daily', 'rubbish')).toMatchObject({
    status: 400,
    message: expect.stringContaining('"input"'),
  });
  expect(await post('daily', '{"input":1}')).toMatchObject({ status: 400 });
  expect(await post('pid', '{}')).toMatchObject({
    status: 400,
    message: expect.stringContaining(`${url}/api/pid`),
  });
  expect(await post('nightly', '{}')).toMatchObject({
    status: 404,
    message: expect.stringContaining('daily, pid'),
  });
  expect(timers).toEqual([]);
});

test('the admin API lists functions with their triggers, and says that the host runs', async () => {
  const { url, functions } = await hostTimerApp('listed', '2026-11-22T07:00:00Z').hosting;
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
