import { afterAll, expect, test } from 'vitest';
import { SECRET_NAME } from '../../local/cloud.ts';
import { LOCAL_CLIENT_ID } from '../../local/directory.ts';
import { openRotationTable } from '../../src/lib/storage/rotation-table.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, newMarker, scopedByExchange, startRelay } from './relay-for-tests.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);
const OWNER = { roles: ['Application.ReadWrite.OwnedBy'], owners: [LOCAL_CLIENT_ID] };

const relay = await startRelay({
  directory: scopedByExchange(OWNER),
  limits: { on: false },
  settings: {
    SECRET_ROTATION_DAYS: '30',
    // Pacing is for other tests: what is accepted while the secrets change would wait for minutes.
    MAIL_PER_MINUTE_PER_MAILBOX: '10000',
    MAIL_CONCURRENT_PER_MAILBOX: '100',
  },
});
afterAll(() => relay.close());
const { cloud } = relay;
cloud.graph.settings.change({ newSecretDelayMs: 1500 });
const rotations = openRotationTable({
  kind: 'connection-string',
  connectionString: cloud.azurite.connectionString,
});

const newest = () => {
  const version = cloud.secrets.versions(SECRET_NAME).at(-1);
  if (version === undefined) throw new Error('expected a secret in the vault');
  return version;
};
/** The secret that the relay uses ends in some days. */
const endsIn = (days: number) =>
  cloud.secrets.update(SECRET_NAME, newest().version, { expiresOn: inDays(days) }, new Date());
const keyIds = () => cloud.directory().apps[0]?.secrets.map(({ keyId }) => keyId);

let runs = 0;
const rotate = async (): Promise<Record<string, unknown>> => {
  expect((await relay.runNow('rotateSecrets')).status).toBe(202);
  runs += 1;
  await expect.poll(() => relay.events('SecretsRotated').length, { timeout: 60_000 }).toBe(runs);
  return relay.events('SecretsRotated')[runs - 1] ?? {};
};

/** As if the relay had made its secrets so many days earlier. */
const passDays = async (days: number): Promise<void> => {
  const { state, etag } = await rotations.read('main');
  if (state === undefined) throw new Error('expected a state of rotation');
  const made = state.made.map((one) => ({
    ...one,
    storedAt: new Date(new Date(one.storedAt).getTime() - days * DAY_MS).toISOString(),
  }));
  expect(await rotations.write('main', { ...state, made }, etag)).toBeTruthy();
};

test('a relay that sends all the time renews its secret twice and removes the first of its own: no email fails', async () => {
  const marker = newMarker();
  const counts = { sent: 0, queued: 0, tokens: 0 };
  const failed: unknown[] = [];
  let isOver = false;
  const send = async (lane: number): Promise<void> => {
    while (!isOver) {
      const from = `lane${lane}@contoso.example`;
      // Graph refuses the token of each of these once, so that the relay needs its secret all the time.
      if (lane === 0)
        cloud.graph.faults.add({ on: 'sendMail', mailbox: from, fault: { kind: 'answer', status: 401 } });
      const mail = canaryMail(marker, { from });
      const { status, body } = await relay.send(mail);
      if (status === 200) counts.sent += 1;
      else if (status === 202) counts.queued += 1;
      else failed.push(body);
    }
  };
  const sending = Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(send));
  const [first] = keyIds() ?? [];

  await endsIn(20);
  expect(await rotate()).toMatchObject({ connections: 1, renewed: 1, failed: 0 });
  const made = newest();
  expect(made.tags).toEqual({ 'entra-key-id': keyIds()?.[1], 'made-by': 'graph-mail-relay' });
  expect(Math.round((made.expiresOn?.getTime() ?? 0) / DAY_MS)).toBe(
    Math.round(inDays(60).getTime() / DAY_MS),
  );

  // Nothing is left to do.
  expect(await rotate()).toMatchObject({ renewed: 0, removed: 0, waiting: 0, failed: 0 });

  await passDays(31);
  await endsIn(5);
  expect(await rotate()).toMatchObject({ renewed: 1, removed: 0, failed: 0 });
  const [, second, third] = keyIds() ?? [];
  expect(await rotate()).toMatchObject({ renewed: 0, removed: 0, failed: 0 });
  await passDays(8);
  expect(await rotate()).toMatchObject({ renewed: 0, removed: 1, failed: 0 });
  expect(keyIds()).toEqual([first, third]);
  expect(second).toBeDefined();

  const before = counts.sent + counts.queued;
  await expect.poll(() => counts.sent + counts.queued).toBeGreaterThan(before + 20);
  isOver = true;
  await sending;
  counts.tokens = cloud.entra.tokenRequests().length;
  console.info(`rotation under load: ${JSON.stringify({ ...counts, failed: failed.length })}`);
  expect(failed).toEqual([]);
  await relay.arrives(marker, counts.sent + counts.queued);

  const steps = relay.events('RotationStep').map(({ step, keyId }) => [step, keyId]);
  expect(steps).toEqual([
    ...['added', 'proved', 'stored'].map((step) => [step, second]),
    ...['added', 'proved', 'stored'].map((step) => [step, third]),
    ['removed', second],
  ]);
  // The first was made by somebody else.
  expect(relay.events('SecretLeft')).toHaveLength(1);
});

test('a tenant that takes the permission away is reported with its reason, and emails go on', async () => {
  cloud.changeDirectory((directory) => ({
    ...directory,
    apps: directory.apps.map((app) => ({ ...app, owners: [] })),
  }));
  expect(await rotate()).toMatchObject({ renewed: 0, failed: 1 });
  expect(await relay.logged('RotationRefused')).toMatchObject({
    connection: 'main',
    code: 'REGISTRATION_ACCESS_DENIED',
  });
  expect((await relay.send(canaryMail(newMarker()))).status).toBe(200);
});

test('no value of a secret is in the log, in the table or in a problem answer', async () => {
  await expectNoCanary(relay);
  const { state } = await rotations.read('main');
  const texts = [...relay.lines, ...relay.problems, JSON.stringify(state)].join('\n');
  for (const { value } of cloud.secrets.versions(SECRET_NAME)) expect(texts).not.toContain(value);
});
