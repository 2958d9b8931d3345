import parsePrometheus from 'parse-prometheus-text-format';
import { afterEach, describe, expect, test } from 'vitest';
import { type HealthFacts, reasonsOf, serveHealth } from '../../../clients/smtp-door/src/health.ts';
import { readOutcome } from '../../../clients/smtp-door/src/relay/outcome.ts';
import { Watch } from '../../../clients/smtp-door/src/watch.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const START = Date.UTC(2026, 10, 26, 12);
const EMPTY = {
  emails: 0,
  bytes: 0,
  oldest: undefined,
  failed: 0,
  damaged: 0,
  maxEmails: 100,
  maxBytes: 1000,
};

let time = START;
const now = (): Date => new Date(time);
const aWatch = (): Watch => {
  time = START;
  return new Watch(now);
};
const facts = (change: Partial<HealthFacts> = {}): HealthFacts => ({
  now: now(),
  version: '1.2.3',
  watch: change.watch ?? aWatch(),
  spool: EMPTY,
  ...change,
});
const away = readOutcome({ kind: 'none', why: 'network', cause: 'ECONNREFUSED' });
const sent = { kind: 'accepted', id: 'm', state: 'sent' } as const;
const wrongKey = readOutcome({
  kind: 'response',
  status: 401,
  retryAfterMs: undefined,
  body: { kind: 'foreign' },
});

describe('the door is not ok', () => {
  test.each([
    [
      'if the spool has failed emails',
      { spool: { ...EMPTY, failed: 2 } },
      'Emails of the spool that failed: 2. Look at them with smtp-door spool list',
    ],
    [
      'if a file of the spool is damaged',
      { spool: { ...EMPTY, damaged: 1 } },
      'Files of the spool that are damaged and were not sent: 1.',
    ],
    [
      'if an email waits for half an hour',
      { spool: { ...EMPTY, emails: 3, oldest: new Date(START - 30 * MINUTE) } },
      'The oldest email in the spool (of 3) waits since 2026-11-26T11:30:00.000Z',
    ],
    [
      'if the spool could not write an email',
      { spool: { ...EMPTY, refuses: 'ENOSPC' } },
      'The spool cannot be written (ENOSPC), and clients get 452.',
    ],
    [
      'if the spool had no room for an email',
      { spool: { ...EMPTY, refuses: 'FULL' } },
      'The spool is full, and clients get 452.',
    ],
    ['if the spool is nearly full of emails', { spool: { ...EMPTY, emails: 80 } }, '80 of 100 emails'],
    ['if the spool is nearly full of bytes', { spool: { ...EMPTY, bytes: 800 } }, '800 of 1000 bytes'],
    [
      'two weeks before its certificate expires',
      { certificateUntil: new Date(START + 13 * DAY) },
      'The certificate expires on 2026-12-09',
    ],
    [
      'after its certificate expired',
      { certificateUntil: new Date(START - 1) },
      'The certificate expired on 2026-11-26',
    ],
    [
      'if files of the drop folder have failed',
      { dropFolder: { failed: 1, fault: undefined } },
      'Files of the drop folder that failed: 1.',
    ],
    ['if the drop folder cannot be used', { dropFolder: { failed: 0, fault: 'The reason.' } }, 'The reason.'],
  ])('%s', (_, change, reason) => {
    expect(reasonsOf(facts(change as Partial<HealthFacts>))).toEqual([expect.stringContaining(reason)]);
  });

  test('if the relay does not accept a key, until it does', () => {
    const watch = aWatch();
    watch.attempted('erp', wrongKey);
    expect(reasonsOf(facts({ watch }))).toEqual([
      expect.stringContaining('does not accept the account erp (HTTP 401)'),
    ]);
    watch.attempted('erp', sent);
    expect(reasonsOf(facts({ watch }))).toEqual([]);
  });

  test.each(['configuration', 'certificate'] as const)(
    'if its changed %s cannot be used, until another one can',
    (what) => {
      const watch = aWatch();
      watch.reloaded(what, 'The reason.');
      expect(reasonsOf(facts({ watch }))).toEqual(['The reason.']);
      watch.reloaded(what);
      expect(reasonsOf(facts({ watch }))).toEqual([]);
    },
  );

  test('if the relay has not responded for five minutes, until it does', () => {
    const watch = aWatch();
    watch.attempted('erp', away);
    time += 5 * MINUTE - 1;
    expect(reasonsOf(facts({ watch, now: now() }))).toEqual([]);
    time += 1;
    watch.attempted('scanner', away);
    expect(reasonsOf(facts({ watch, now: now() }))).toEqual([
      expect.stringContaining('has not responded since 2026-11-26T12:00:00.000Z (ECONNREFUSED)'),
    ]);
    watch.attempted('scanner', sent);
    expect(reasonsOf(facts({ watch, now: now() }))).toEqual([]);
  });
});

test.each([
  { spool: undefined },
  { spool: { ...EMPTY, emails: 79, bytes: 799, oldest: new Date(START - 29 * MINUTE) } },
  { certificateUntil: new Date(START + 15 * DAY) },
])('the door is ok otherwise: %j', (change) => {
  expect(reasonsOf(facts(change))).toEqual([]);
});

describe('monitors', () => {
  let close: (() => Promise<void>) | undefined;
  afterEach(() => close?.());
  const serve = async (change: Partial<HealthFacts> = {}) => {
    const served = await serveHealth({ host: '127.0.0.1', port: 0 }, () => facts(change));
    close = served.close;
    return (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${served.port}${path}`, init);
  };

  test('get 200 and what there is to know, or 503 and the reasons', async () => {
    const ok = await (await serve())('/health');
    expect([ok.status, await ok.json()]).toEqual([
      200,
      {
        status: 'ok',
        reasons: [],
        version: '1.2.3',
        startedAt: '2026-11-26T12:00:00.000Z',
        lastSuccessAt: null,
        certificateUntil: null,
        spool: { emails: 0, bytes: 0, oldest: null, failed: 0, damaged: 0 },
      },
    ]);
    await close?.();
    const get = await serve({ spool: { ...EMPTY, failed: 1 } });
    const failed = await get('/health');
    expect((await get('/live')).status).toBe(200);
    expect([failed.status, await failed.json()]).toMatchObject([
      503,
      { status: 'not ok', reasons: [expect.any(String)] },
    ]);
  });

  test('get metrics that Prometheus reads', async () => {
    const watch = aWatch();
    watch.answered('erp "x"\\', 'spooled');
    watch.answered('scanner', 'accepted');
    watch.answered('scanner', 'accepted');
    watch.attempted('scanner', sent);
    watch.attempted('erp', wrongKey);
    const get = await serve({
      watch,
      spool: { ...EMPTY, emails: 4, bytes: 40, oldest: new Date(START - 2000), failed: 1 },
      dropFolder: { failed: 0, fault: undefined },
      certificateUntil: new Date(START + 30 * DAY),
    });
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const families = parsePrometheus(await response.text());
    const samples = families.flatMap(({ name, metrics }) =>
      metrics.map(({ labels, value }) => [name, ...Object.values(labels ?? {}), Number(value)].join(' ')),
    );
    expect(samples).toEqual([
      'smtp_door_healthy 0',
      'smtp_door_emails_total erp "x"\\ spooled 1',
      'smtp_door_emails_total scanner accepted 2',
      'smtp_door_account_refused erp 1',
      `smtp_door_last_success_timestamp_seconds ${START / 1000}`,
      'smtp_door_spool_emails 4',
      'smtp_door_spool_bytes 40',
      'smtp_door_spool_oldest_seconds 2',
      'smtp_door_spool_failed_emails 1',
      'smtp_door_spool_damaged_files 0',
      'smtp_door_drop_folder_failed_files 0',
      `smtp_door_certificate_expiry_timestamp_seconds ${(START + 30 * DAY) / 1000}`,
    ]);
    expect(families.every(({ help }) => help.endsWith('.'))).toBe(true);
  });

  test('get 404 and 405 for anything else', async () => {
    const get = await serve();
    expect((await get('/')).status).toBe(404);
    expect((await get('/health', { method: 'POST' })).status).toBe(405);
  });
});
