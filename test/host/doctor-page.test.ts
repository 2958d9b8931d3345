import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, afterEach, expect, test } from 'vitest';
import { SECRET_NAME } from '../../local/cloud.ts';
import { type AppRegistration, LOCAL_CLIENT_ID } from '../../local/directory.ts';
import { openHeartbeatTable } from '../../src/lib/storage/heartbeat-table.ts';
import { MAIL_QUEUE } from '../../src/lib/storage/storage-connection.ts';
import { openWarningTable } from '../../src/lib/storage/warning-table.ts';
import { readDocument } from '../support/documents.ts';
import { startClinic } from './doctor-for-tests.ts';

/*
 * docs/doctor.md shows what the doctor says of a relay in order and of sick ones. Each text is what it really said, of a relay with a local
 * cloud that has this trouble. To write them anew: npm exec -- vitest run test/host/doctor-page.test.ts -u
 */

const PAGE = 'docs/doctor.md';
const HOUR_MS = 3_600_000;
const PATIENCE_MS = 60_000;

const clinic = await startClinic();
const { cloud, change } = clinic;
const { connectionString } = cloud.azurite;
const connection = { kind: 'connection-string', connectionString } as const;
const mailQueue = QueueServiceClient.fromConnectionString(connectionString).getQueueClient(MAIL_QUEUE);
const original = cloud.secrets.current(SECRET_NAME);

afterAll(() => clinic.close());
afterEach(async () => {
  clinic.heal();
  await mailQueue.clearMessages();
});

/** Settings of the relay, where the trouble is there. */
type Settings = Readonly<Record<string, string>>;

/** Changes the registration of the relay. */
const registration = (how: (app: AppRegistration) => Partial<AppRegistration>): Settings => {
  change((directory) => ({
    ...directory,
    apps: directory.apps.map((app) => (app.clientId === LOCAL_CLIENT_ID ? { ...app, ...how(app) } : app)),
  }));
  return {};
};

/** The clock of Entra agrees with that of this patient. */
const later = (name: string): Settings => {
  cloud.entra.faults.add({
    path: '/discovery/v2.0/keys',
    status: 200,
    headers: { date: new Date(Date.now() + (CLOCKS[name] ?? 0)).toUTCString() },
  });
  return {};
};

/** As the vault answers a caller that it does not let in (Key Vault: REST error codes). */
const vaultDenies = (innererror: string, message: string): Settings => {
  cloud.keyVault.faults.add({
    path: '/secrets',
    status: 403,
    body: { error: { code: 'Forbidden', message, innererror: { code: innererror } } },
    times: 100,
  });
  return {};
};

/** What runs by itself has just run. */
const haveRun = async (endedAt: Date): Promise<void> => {
  await openHeartbeatTable(connection).note('sweep', endedAt);
  const warnings = openWarningTable(connection);
  const { etag } = await warnings.readClaim();
  const counts = { secrets: 1, warnings: 0, told: 0, undelivered: 0, unproven: [], startedAt: new Date() };
  await warnings.writeClaim(
    { id: 'a-run', startedAt: endedAt, state: 'over', lastRun: { endedAt, ...counts } },
    etag,
  );
};

/** By its heading on the page: what makes a relay so sick, and settings that it has then. */
const PATIENTS: Readonly<Record<string, () => Settings | Promise<Settings>>> = {
  'A healthy relay': () => ({}),
  'The client secret has expired': () =>
    registration(({ secrets }) => ({
      secrets: secrets.map((one) => ({ ...one, expiresOn: new Date(Date.now() - HOUR_MS) })),
    })),
  'The client secret is wrong': () =>
    later('The client secret is wrong') &&
    registration(({ secrets }) => ({
      secrets: secrets.map((one) => ({ ...one, value: 'another-secret' })),
    })),
  'The vault denies access': () =>
    vaultDenies('ForbiddenByRbac', 'Caller is not authorized to perform action on resource.'),
  'The firewall of the vault is closed': () =>
    vaultDenies(
      'ForbiddenByFirewall',
      'Client address is not authorized and caller is not a trusted service.',
    ),
  'The tenant is wrong': () => ({ ENTRA_TENANT_ID: '00000000-0000-4000-8000-000000000001' }),
  'The application is disabled': () => registration(() => ({ enabled: false })),
  'Entra cannot be reached': () => ({ ENTRA_AUTHORITY: 'https://localhost:1' }),
  'A sender has no mailbox': () => ({
    MAIL_ALLOWED_SENDERS: 'payroll@contoso.example, invoices@contoso.example',
  }),
  'The relay may not look in Sent Items': () =>
    registration(({ exchangeRoles }) => ({
      exchangeRoles: exchangeRoles.filter(({ role }) => role !== 'Application Mail.Read'),
    })),
  'The relay can send from every mailbox': () => registration(() => ({ roles: ['Mail.Send'] })),
  'The sender is at onmicrosoft.com': () => ({ MAIL_DEFAULT_SENDER: 'noreply@contoso.onmicrosoft.com' }),
  'Emails stay in the queue': async () => {
    for (const text of ['e30=', 'e30=', 'e30=']) await mailQueue.sendMessage(text);
    return later('Emails stay in the queue');
  },
  'Storage cannot be reached': () => ({
    AzureWebJobsStorage: connectionString.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1'),
  }),
  'The clock is wrong': () => ({}),
  'A setting is invalid': () => ({ MAIL_GIVE_UP_HOURS: 'one day' }),
  'Sending is switched off, or this is a test environment': () => ({
    MAIL_ENABLED: 'false',
    MAIL_REDIRECT_TO: 'tester@contoso.example',
  }),
};

/** Of the patients whose clock is not the real one. */
const CLOCKS: Readonly<Record<string, number>> = {
  // A secret that is younger may only be too new for Entra.
  'The client secret is wrong': 10 * 60_000,
  'Emails stay in the queue': 3 * HOUR_MS,
  'The clock is wrong': -420_000,
};

/** What differs from run to run, in the form that it has. */
const masked = (text: string): string =>
  text
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, '2026-11-26 09:30:00 UTC')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\dZ/g, '2026-11-26T09:17Z')
    .replaceAll(/\(\d{4}-\d\d-\d\d\)/g, '(2027-11-26)')
    .replaceAll(/(\bversion\s+)[0-9a-f]{8}\b/g, '$13f2a9c1e')
    .replaceAll(/last completed (?:less than a minute|\d+ minutes?) ago/g, 'last completed 12 minutes ago')
    .replaceAll(/expires in 36\d days/g, 'expires in 364 days');

const texts = new Map<string, string>();

test.each(Object.keys(PATIENTS))(
  'the doctor finds: %s',
  async (name) => {
    const aheadMs = CLOCKS[name] ?? 0;
    await haveRun(new Date(Date.now() + aheadMs));
    const settings = (await PATIENTS[name]?.()) ?? {};
    const { said, events } = await clinic.examine({ settings, aheadMs });
    expect(events).toEqual([]);
    expect(said).not.toContain('No result within the time');
    expect(said.includes('Everything is in order.')).toBe(name === 'A healthy relay');
    for (const secret of [original?.value ?? '', 'eyJ']) expect(said).not.toContain(secret);
    texts.set(name, masked(said).trimEnd());
  },
  PATIENCE_MS,
);

test('docs/doctor.md shows these texts, each under its heading, and no other', async () => {
  const { text } = readDocument(PAGE);
  expect([...text.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading)).toEqual(Object.keys(PATIENTS));
  const page = text.replaceAll(
    /^(### (.+)\n(?:(?!^##).*\n)*?)```text\n(?:(?!```).*\n)*```$/gm,
    (_whole, before: string, heading: string) => `${before}\`\`\`text\n${texts.get(heading) ?? ''}\n\`\`\``,
  );
  await expect(page).toMatchFileSnapshot(`../../${PAGE}`);
});
