import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { catalogue, type ErrorCode } from '../../src/lib/error-catalogue.ts';
import { type LogEvent, levelOf } from '../../src/lib/log.ts';
import { readCode } from './bicep-text.ts';

const alerts = readCode('modules/alerts.bicep');
const eventsOfTheLog = new Set(
  readFileSync(join(import.meta.dirname, '../../src/lib/log.ts'), 'utf8').match(/(?<=')[A-Z]\w+(?=')/g),
);
const namesOf = (property: string) =>
  [...alerts.matchAll(new RegExp(`^ {4}${property}: '([^'$]+)'$`, 'gm'))].map(([, name]) => name ?? '');

test('somebody is told of expiring secrets, mail given up or stuck, a silent timer, errors, and failures', () => {
  expect(namesOf('name').sort()).toEqual([
    'administrator-needed',
    'failure-rate',
    'graph-wasted',
    'heartbeat-missing',
    'mail-held',
    'mail-overdue',
    'mailbox-near-limit',
    'queue-waits',
    'secret-expiring',
    'sending-blocked',
    'sweep-missing',
  ]);
});

test('alerts watch for events that the relay logs', () => {
  const quoted = [...alerts.matchAll(/"([A-Z][A-Za-z]+)"/g)].map(([, name]) => name ?? '');
  const watched = [...namesOf('event'), ...quoted];
  expect(watched).toContain('SecretsChecked');
  for (const event of watched) expect(eventsOfTheLog).toContain(event);
});

const WARNING = { name: 'graph-client-secret', kind: 'secret', connection: 'main' } as const;
const refused = (code: ErrorCode): LogEvent => ({ event: 'RotationRefused', connection: 'main', code });
const allCodes = Object.keys(catalogue) as readonly ErrorCode[];

test.each<[string, readonly LogEvent[]]>([
  [
    'a client secret that the relay could not renew for a reason that an administrator must correct',
    allCodes.filter((code) => catalogue[code].fixedBy === 'administrator').map(refused),
  ],
  [
    'a warning that reached nobody',
    (['no-channel', 'mail-lost'] as const).map(
      (reason) => ({ event: 'WarningNotDelivered', reason, ...WARNING }) as unknown as LogEvent,
    ),
  ],
  ['a check that could not look at everything', [{ event: 'SecretsUnchecked', name: 'VAULT_UNREACHABLE' }]],
  ['an event of the vault whose check failed', [{ event: 'VaultEventDropped', reason: 'failed' }]],
])('an administrator is called for %s', (_what, events) => {
  const [, query = ''] = /name: 'administrator-needed'([\s\S]*?)\n {2}\}/.exec(alerts) ?? [];
  expect(query).toContain('severityLevel >= 3');
  const elsewhere = /event !in \(([^)]*)\)/.exec(query)?.[1];
  expect(elsewhere).toBeDefined();
  expect(events.length).toBeGreaterThan(0);
  for (const one of events) {
    expect(levelOf(one), JSON.stringify(one)).toBe('error');
    expect(elsewhere).not.toContain(`"${one.event}"`);
  }
});

test('what only time corrects calls nobody', () => {
  const later = allCodes.filter((code) => catalogue[code].fixedBy === 'time');
  expect(later.length).toBeGreaterThan(0);
  for (const code of later) expect(levelOf(refused(code)), code).toBe('info');
});

test('the heartbeat may be two hours late, and is not missed before there can have been one', () => {
  expect(alerts).toContain('timestamp > ago(26h)');
  expect(alerts).toMatch(/todatetime\("\$\{installedOn\}"\) \+ 26h/);
  const app = readFileSync(join(import.meta.dirname, '../../src/app.ts'), 'utf8');
  // Once a day, at one hour.
  expect(/app\.timer\('warnExpiringSecrets', \{[\s\S]*?schedule: '([^']+)'/.exec(app)?.[1]).toMatch(
    /^\d+ \d+ \d+ \* \* \*$/,
  );
});

test('the sweep is missed after three of its hours', () => {
  expect(alerts).toContain('timestamp > ago(3h)');
  expect(alerts).toMatch(/todatetime\("\$\{installedOn\}"\) \+ 3h/);
  const app = readFileSync(join(import.meta.dirname, '../../src/app.ts'), 'utf8');
  expect(/app\.timer\('sweepMail', \{[\s\S]*?schedule: '([^']+)'/.exec(app)?.[1]).toMatch(
    /^\d+ \d+ \* \* \* \*$/,
  );
});

const METRICS: Required<Extract<LogEvent, { event: 'Metrics' }>> = {
  event: 'Metrics',
  queueMessages: 0,
  queueAge: 0,
  poisonMessages: 0,
  held: 0,
  secretDaysLeft: 0,
  mailboxMinuteShare: 0,
  mailboxDayShare: 0,
  mailboxesPaused: 0,
  accepted: 0,
  sent: 0,
  rejected: 0,
  heldInAll: 0,
  graphRequests: 0,
  graphWasted: 0,
};

test('rules and the workbook ask samples only for fields that a sample in the log has', () => {
  const workbook = readFileSync(join(import.meta.dirname, '../../infra/modules/workbook.json'), 'utf8');
  const { items } = JSON.parse(workbook) as {
    readonly items: readonly { readonly content: { readonly query?: string } }[];
  };
  const queries = items.flatMap(({ content: { query } }) => (query === undefined ? [] : [query]));
  const ofSamples = [...queries.filter((query) => query.includes('"Metrics"')), alerts];
  expect(ofSamples.length).toBeGreaterThan(5);
  const fields = ofSamples.flatMap((query) => [...query.matchAll(/\be\.(\w+)/g)].map(([, field]) => field));
  expect(Object.keys(METRICS)).toEqual(expect.arrayContaining([...new Set(fields)]));
  for (const query of queries.filter((one) => one.includes('"MailSent"')))
    for (const [, field] of query.matchAll(/\be\.(\w+)/g))
      expect(['event', 'tookMs', 'attempts']).toContain(field);
});

test('windows and intervals are ones that Azure Monitor has', () => {
  // https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule
  for (const window of namesOf('window')) expect(['PT15M', 'PT30M', 'PT2H', 'P1D', 'P2D']).toContain(window);
  for (const every of namesOf('every')) expect(['PT5M', 'PT15M', 'PT1H']).toContain(every);
  expect(namesOf('window')).toHaveLength(11);
  expect(namesOf('every')).toHaveLength(11);
});
