import { describe, expect, test } from 'vitest';
import type { DoctorFacts, DoctorSettings, Seen } from '../../../src/lib/desk/doctor-facts.ts';
import { decideFindings, worstOf } from '../../../src/lib/desk/doctor-findings.ts';
import type { Finding } from '../../../src/lib/desk/finding.ts';
import type { ErrorCode } from '../../../src/lib/error-catalogue.ts';
import type { SecretFacts } from '../../../src/lib/ports.ts';
import type { Sighting } from '../../../src/lib/sending/look-up-plan.ts';
import { aConnection, aProof, daysFromNow, healthyFacts, seen } from '../../support/doctor-facts.ts';
import { aSecret } from '../../support/fake-vault.ts';
import { NOW } from '../../support/in-memory-ports.ts';

const LATE = { kind: 'late' } as const;
const failing = (code: ErrorCode, more: object = {}): Seen<never> => ({
  kind: 'failed',
  reason: { code, ...more },
});
const settingsWith = (changes: Partial<DoctorSettings>): Partial<DoctorFacts> => ({
  settings: { ...healthyFacts().settings, ...changes },
});
const provenBy = (version: SecretFacts, roles: readonly string[] = []): Partial<DoctorFacts> => ({
  connections: [{ connection: aConnection(), proof: seen(aProof({ version, roles })) }],
});
const sighted = (sighting: Seen<Sighting>): Partial<DoctorFacts> => ({
  mailboxes: [{ mailbox: 'noreply@contoso.example', connection: 'main', sighting }],
});
const minutesAgo = (minutes: number): Date => new Date(NOW.getTime() - minutes * 60_000);

/** The findings that are not as on a healthy relay. */
const troubles = (changes: Partial<DoctorFacts>): readonly Finding[] =>
  decideFindings(healthyFacts(changes)).filter(({ state }) => state !== 'ok');

test('a healthy relay has no finding but ok, and each thing that was looked at is named', () => {
  const findings = decideFindings(healthyFacts());
  expect(findings.map(({ check, state }) => `${check} ${state}`)).toEqual([
    'settings ok',
    'token ok',
    'credential ok',
    'roles ok',
    'vault ok',
    'clock ok',
    'mailbox ok',
    'storage ok',
    'queue ok',
    'poison-queue ok',
    'held ok',
    'last-run ok',
  ]);
  expect(worstOf(findings)).toBe('ok');
});

type Case = readonly [string, Partial<DoctorFacts>, string, RegExp];

const cases: readonly Case[] = [
  [
    'a connection that is invalid, without which others send',
    settingsWith({
      connectionProblems: [
        {
          code: 'SETTINGS_INVALID',
          pointer: 'GRAPH_CONNECTION_FABRIKAM/tenantId',
          expected: 'a tenant',
          received: 'a number',
        },
      ],
    }),
    'failed settings GRAPH_CONNECTION_FABRIKAM/tenantId',
    /all others are sent/,
  ],
  [
    'each setting that is invalid',
    settingsWith({
      problems: [
        { code: 'SETTINGS_INVALID', pointer: 'MAIL_ENABLED', expected: 'true or false', received: 'a text' },
      ],
    }),
    'failed settings MAIL_ENABLED',
    /Expected true or false; received a text/,
  ],
  [
    'a name that is no setting',
    settingsWith({ strayNames: ['MAIL_SPEED'] }),
    'warning settings MAIL_SPEED',
    /no setting/,
  ],
  ['sending that is off', settingsWith({ isSendingOn: false }), 'warning sending', /MAIL_ENABLED=false/],
  [
    'a test environment',
    settingsWith({ safety: ['MAIL_CAPTURE is on.'] }),
    'warning test-environment',
    /MAIL_CAPTURE/,
  ],
  [
    'a credential that Entra refuses, with its AADSTS number',
    {
      connections: [
        {
          connection: aConnection(),
          proof: failing('CLIENT_SECRET_EXPIRED', { upstreamCode: 'AADSTS7000222' }),
        },
      ],
      mailboxes: [],
    },
    'failed token main',
    /AADSTS7000222/,
  ],
  [
    'a token that is late',
    { connections: [{ connection: aConnection(), proof: LATE }], mailboxes: [] },
    'failed token main',
    /No answer.*Entra/,
  ],
  ['a vault that is late', { vault: LATE }, 'failed vault', /No answer.*vault/],
  [
    'a newer version that is not used',
    {
      connections: [
        {
          connection: aConnection(),
          proof: seen(aProof({ passedOver: [{ version: 'abcdef0123', code: 'CLIENT_SECRET_IS_ID' }] })),
        },
      ],
    },
    'warning newest-credential main',
    /Version abcdef01 .*newer than the one in use/,
  ],
  [
    'a secret that expires soon',
    provenBy(aSecret({ expiresOn: daysFromNow(10.5) })),
    'warning credential main',
    /expires in 10 days/,
  ],
  ['a secret without a date', provenBy(aSecret()), 'warning credential main', /no expiry date/],
  [
    'a secret whose date is past and that Entra takes',
    provenBy(aSecret({ expiresOn: daysFromNow(-3) })),
    'warning credential main',
    /still accepts/,
  ],
  [
    'Mail.Send for the whole tenant',
    provenBy(aSecret({ expiresOn: daysFromNow(300) }), ['Mail.Send']),
    'warning roles main',
    /Mail\.Send for every mailbox/,
  ],
  [
    'a vault that denies access',
    {
      vault: failing('VAULT_ACCESS_DENIED'),
      connections: [
        {
          connection: aConnection({ credential: { kind: 'federated' } }),
          proof: seen({ roles: [], expiresOn: NOW }),
        },
      ],
    },
    'failed vault',
    /on the vault/,
  ],
  [
    'a vault that cannot be listed though it is read',
    { vault: failing('VAULT_ACCESS_DENIED') },
    'warning vault',
    /cannot list/,
  ],
  ['a clock that is six minutes off', { skewMs: seen(-360_000) }, 'failed clock', /360 s ahead of/],
  ['a clock that is two minutes off', { skewMs: seen(120_000) }, 'warning clock', /120 s behind/],
  [
    'a mailbox that does not exist',
    sighted(seen({ kind: 'not-now', status: 404, upstreamCode: 'ErrorInvalidUser' })),
    'failed mailbox noreply@contoso.example',
    /ErrorInvalidUser/,
  ],
  [
    'Graph that does not respond',
    sighted(seen({ kind: 'not-now' })),
    'failed mailbox noreply@contoso.example',
    /does not respond/,
  ],
  [
    'Graph that throttles',
    sighted(seen({ kind: 'not-now', status: 429 })),
    'unknown mailbox noreply@contoso.example',
    /429/,
  ],
  ['a mailbox that is late', sighted(LATE), 'unknown mailbox noreply@contoso.example', /No result/],
  [
    'a domain as sender',
    settingsWith({ senders: ['noreply@contoso.example', '*@contoso.example'] }),
    'unknown mailbox *@contoso.example',
    /do not name/,
  ],
  ['mailboxes beyond the limit', { mailboxesLeft: 3 }, 'unknown mailbox 3 more', /no more mailboxes/],
  [
    'a sender at onmicrosoft.com',
    settingsWith({ senders: ['a@contoso.onmicrosoft.com'] }),
    'warning sender-domain a@contoso.onmicrosoft.com',
    /100 external/,
  ],
  [
    'drafts that nobody knows to be allowed',
    settingsWith({ draftSettings: ['MAIL_DELIVERY=exact'] }),
    'unknown drafts main',
    /Mail\.ReadWrite/,
  ],
  [
    'storage that does not respond, by the name that it gave',
    {
      storage: {
        ...healthyFacts().storage,
        tables: { kind: 'failed', reason: { code: 'STORAGE_UNAVAILABLE' }, upstream: 'AuthorizationFailure' },
      },
    },
    'failed storage tables',
    /AuthorizationFailure/,
  ],
  [
    'a service of storage that is late',
    { storage: { ...healthyFacts().storage, blobs: LATE } },
    'failed storage blobs',
    /No answer/,
  ],
  [
    'a queue that does not exist',
    { queues: [seen({ name: 'mail-payroll', messages: undefined })] },
    'failed queue mail-payroll',
    /no queue/,
  ],
  [
    'a message that nothing takes',
    { queues: [seen({ name: 'mail', messages: 7, stuckSince: minutesAgo(180) })] },
    'failed queue mail',
    /7 messages.*3 hours/,
  ],
  [
    'a message that nothing takes yet',
    { queues: [seen({ name: 'mail', messages: 1, stuckSince: minutesAgo(20) })] },
    'warning queue mail',
    /20 minutes/,
  ],
  [
    'a queue that cannot be looked at',
    { queues: [failing('STORAGE_UNAVAILABLE')] },
    'unknown queue',
    /without storage/,
  ],
  [
    'messages on a poison queue',
    { poisonQueues: [seen({ name: 'mail-poison', messages: 1 })] },
    'failed poison-queue mail-poison',
    /1 message /,
  ],
  ['held emails', { held: seen({ count: 4, hasMore: false }) }, 'warning held', /4 emails are held/],
  [
    'more held emails than were counted',
    { held: seen({ count: 100, hasMore: true }) },
    'warning held',
    /More than 100/,
  ],
  [
    'a sweep that is overdue',
    { heartbeats: [{ name: 'sweep', lastRun: seen({ endedAt: minutesAgo(300) }) }] },
    'failed last-run sweep',
    /5 hours ago/,
  ],
  [
    'warnings that have not run for days',
    { heartbeats: [{ name: 'warnings', lastRun: seen({ endedAt: minutesAgo(72 * 60) }) }] },
    'failed last-run warnings',
    /3 days ago/,
  ],
  [
    'warnings that reached nobody',
    {
      heartbeats: [
        { name: 'warnings', lastRun: seen({ endedAt: NOW, trouble: '2 of its warnings reached nobody.' }) },
      ],
    },
    'warning last-run warnings',
    /reached nobody/,
  ],
  [
    'a sweep that never ran',
    { heartbeats: [{ name: 'sweep', lastRun: seen(undefined) }] },
    'unknown last-run sweep',
    /not completed/,
  ],
];

test.each([
  [59, 'ok'],
  [29, 'ok'],
  [27, 'warning'],
])('a secret that the relay renews every 30 days has %i of 60 days left: %s', (days, state) => {
  const version = aSecret({
    tags: { 'made-by': 'graph-mail-relay' },
    createdOn: daysFromNow(days - 60),
    expiresOn: daysFromNow(days),
  });
  const findings = decideFindings(
    healthyFacts({ ...provenBy(version), ...settingsWith({ rotationDays: 30 }) }),
  );
  const found = findings.find(({ check }) => check === 'credential');
  expect(found?.state).toBe(state);
  expect(/should have renewed it/.test(found?.seen ?? '')).toBe(state === 'warning');
});

test('a vault that is late is why the token is', () => {
  const found = troubles({
    connections: [{ connection: aConnection(), proof: LATE }],
    vault: LATE,
    mailboxes: [],
  });
  expect(found.map(({ check, state, code }) => [check, state, code])).toEqual([
    ['token', 'failed', 'VAULT_UNREACHABLE'],
    ['vault', 'failed', 'VAULT_UNREACHABLE'],
  ]);
});

test.each(cases)('%s is found alone', (_name, changes, expected, words) => {
  const found = troubles(changes);
  expect(found.map(({ state, check, subject }) => [state, check, subject].filter(Boolean).join(' '))).toEqual(
    [expected],
  );
  expect(found[0]?.seen).toMatch(words);
});

test('what is wrong says what to do, unless nothing can be done', () => {
  for (const [name, changes] of cases)
    for (const finding of troubles(changes).filter(({ state }) => state === 'failed' || state === 'warning'))
      expect(finding.remedy, name).toMatch(/\w{3,}.*/);
});

describe('mailboxes that the relay may not look into', () => {
  const blind = sighted(seen({ kind: 'cannot-tell' }));

  test('can be right all the same, and are tested by an email; with verify, Mail.Read is missing', () => {
    expect(troubles(blind).map(({ state, check }) => `${state} ${check}`)).toEqual([
      'warning look-up',
      'unknown mailbox',
    ]);
  });

  test('are no matter where the relay does not look', () => {
    const found = troubles({ ...blind, ...settingsWith({ looksUp: false }) });
    expect(found.map(({ check }) => check)).toEqual(['mailbox']);
  });
});

test('mailboxes of which the same is to be said are one finding', () => {
  const mailboxes = ['a@contoso.example', 'b@contoso.example'].map((mailbox) => ({
    mailbox,
    connection: 'main',
    sighting: seen({ kind: 'absent' } as const),
  }));
  const found = decideFindings(healthyFacts({ mailboxes })).filter(({ check }) => check === 'mailbox');
  expect(found.map(({ subject }) => subject)).toEqual(['a@contoso.example, b@contoso.example']);
});

test('a connection that is broken hides nothing of another one', () => {
  const broken = { connection: aConnection({ name: 'fabrikam' }), proof: failing('TENANT_UNKNOWN') };
  const found = decideFindings(
    healthyFacts({
      connections: [...healthyFacts().connections, broken],
      mailboxes: [
        ...healthyFacts().mailboxes,
        { mailbox: 'a@fabrikam.example', connection: 'fabrikam', sighting: seen({ kind: 'not-now' }) },
      ],
    }),
  );
  expect(found[0]).toMatchObject({
    check: 'token',
    subject: 'fabrikam',
    state: 'failed',
    code: 'TENANT_UNKNOWN',
  });
  const mailboxes = found.filter(({ check }) => check === 'mailbox');
  expect(mailboxes.map(({ subject, state }) => `${subject} ${state}`)).toEqual([
    'a@fabrikam.example unknown',
    'noreply@contoso.example ok',
  ]);
});

test('a managed identity has nothing that expires', () => {
  const connection = aConnection({ credential: { kind: 'managed-identity' } });
  const { version: _, ...proof } = aProof();
  const found = decideFindings(healthyFacts({ connections: [{ connection, proof: seen(proof) }] }));
  expect(found.find(({ check }) => check === 'credential')).toMatchObject({ state: 'ok' });
});

test('settings that let no connection be opened leave the rest to be seen', () => {
  const { skewMs: _, ...facts } = healthyFacts({ connections: [], mailboxes: [] });
  const found = decideFindings(facts);
  expect(found[0]).toMatchObject({ check: 'token', state: 'unknown' });
  expect(found.find(({ check }) => check === 'storage')).toMatchObject({ state: 'ok' });
});

test('the sender of a connection that is kept for look-ups alone, in .invalid, is no trouble', () => {
  const sighting = seen({ kind: 'not-now', status: 404 } as const);
  expect(troubles({ mailboxes: [{ mailbox: 'retired@old.invalid', connection: 'main', sighting }] })).toEqual(
    [],
  );
});
