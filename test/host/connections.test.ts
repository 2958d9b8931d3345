import { afterAll, describe, expect, test } from 'vitest';
import { FABRIKAM_SECRET_NAME } from '../../local/cloud.ts';
import { type Directory, FABRIKAM_CLIENT_ID } from '../../local/directory.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, scopedByExchange, startRelay } from './relay-for-tests.ts';

const HEALTHY = { tenantId: 'fabrikam.example', clientId: FABRIKAM_CLIENT_ID };
const BUSY_TENANT = 'busy.example';
const SILENT_TENANT = 'silent.example';

/** Every way in which a connection can be sick, by its name, with the code that says so. */
const SICK = {
  'wrong-secret': [{ ...HEALTHY, secretName: 'wrong-secret' }, 'CLIENT_SECRET_WRONG'],
  'no-secret': [{ ...HEALTHY, secretName: 'no-such-secret' }, 'SECRET_NOT_FOUND'],
  'no-tenant': [{ ...HEALTHY, tenantId: 'gone.example', secretName: FABRIKAM_SECRET_NAME }, 'TENANT_UNKNOWN'],
  throttled: [{ ...HEALTHY, tenantId: BUSY_TENANT, secretName: FABRIKAM_SECRET_NAME }, 'ENTRA_THROTTLED'],
  silent: [{ ...HEALTHY, tenantId: SILENT_TENANT, secretName: FABRIKAM_SECRET_NAME }, 'ENTRA_UNREACHABLE'],
  'slow-vault': [{ ...HEALTHY, secretName: 'slow-secret' }, 'VAULT_UNREACHABLE'],
  'wrong-settings': [{ ...HEALTHY, clientId: 'mail-relay' }, 'CONNECTION_INVALID'],
} as const;
type Sickness = keyof typeof SICK;
const sicknesses = Object.keys(SICK) as Sickness[];

const senderOf = (name: string, number = 0): string => `sender${number}@${name}.example`;

/** Mailboxes that both tenants have, as while an organisation moves from one to the other. */
const MOVING = 'lane6@contoso.example';

/** In Fabrikam they are there too, where the relay may send and not look: what is looked for there is held. */
const directory = (usual: Directory): Directory => {
  const [tenant] = usual.furtherTenants ?? [];
  const scoped = scopedByExchange()(usual);
  const moved = scoped.mailboxes.filter(({ address }) => address === MOVING);
  const apps = tenant!.apps.map((app) => ({ ...app, roles: ['Mail.Send'] }));
  const mailboxes = [...tenant!.mailboxes, ...moved];
  return { ...scoped, furtherTenants: [{ ...tenant!, apps, mailboxes }] };
};

const relay = await startRelay({
  withFabrikam: true,
  directory,
  settings: {
    GRAPH_TIMEOUT_SECONDS: '10',
    MAIL_VERIFY_SECONDS: '4',
    MAIL_ALLOWED_SENDERS: '*@contoso.example',
    GRAPH_CONNECTION_FABRIKAM: JSON.stringify({ ...HEALTHY, senders: ['*@fabrikam.example'] }),
    GRAPH_CONNECTIONS: JSON.stringify(
      sicknesses.map((name) => ({ ...SICK[name][0], name, senders: [`*@${name}.example`] })),
    ),
  },
});
const { cloud } = relay;
afterAll(async () => {
  expectNoCanary(relay);
  await relay.close();
});

const LANES = Array.from({ length: 6 }, (_, number) => `lane${number}@contoso.example`);

/** A secret that was stored just now may still be on its way through Entra. */
const LONG_AGO = new Date(Date.now() - 86_400_000);

const makeSick = async () => {
  for (const name of ['wrong-secret', 'slow-secret'])
    await cloud.secrets.set(name, { value: 'wrong' }, LONG_AGO);
  cloud.entra.faults.add({ path: `/${BUSY_TENANT}/`, status: 429, retryAfter: 600, times: 10_000 });
  cloud.entra.faults.add({ path: `/${SILENT_TENANT}/`, delayMs: 600_000, times: 10_000 });
  cloud.keyVault.faults.add({ path: '/secrets/slow-secret', delayMs: 600_000, times: 10_000 });
};

describe('a connection that is sick', () => {
  test('in any way does not touch the emails of others, by HTTP and by the queue', async () => {
    await makeSick();
    const marker = newMarker();
    const mailFrom = (from: string) => canaryMail(marker, { from });
    // First those that wait for what never answers, so that the others come while they wait.
    const sick = sicknesses.flatMap((name) =>
      [0, 1, 2].map((number) => [name, senderOf(name, number)] as const),
    );
    for (const [, from] of sick) await relay.enqueue(JSON.stringify(mailFrom(from)));
    const sickAnswers = sick.map(async ([name, from]) => {
      const { status, body } = await relay.send(mailFrom(from));
      return [name, status, body.code ?? body.state] as const;
    });

    // Fewer than what the callers of one connection may have under way, above which they wait on the queue.
    const well = [...LANES, 'noreply@fabrikam.example', 'invoices@fabrikam.example'];
    const answers = await Promise.all(well.flatMap((from) => [0, 1].map(() => relay.send(mailFrom(from)))));
    for (const from of well)
      for (let number = 0; number < 3; number += 1) await relay.enqueue(JSON.stringify(mailFrom(from)));

    expect(answers.map(({ status, body }) => [status, body.state])).toEqual(answers.map(() => [200, 'sent']));
    const arrived = await relay.arrives(marker, well.length * 5);
    expect(arrived.every(({ mailbox }) => well.includes(mailbox))).toBe(true);
    const told = await Promise.all(sickAnswers);
    for (const [name, status, code] of told) expect([name, status, code]).toEqual(expected(name));
    await eventually(() => {
      const codes = new Set(relay.events('MailQueued').map(({ code }) => code));
      for (const [, code] of Object.values(SICK)) expect(codes).toContain(code);
    });
    expect(await relay.mailsAbout(marker)).toHaveLength(well.length * 5);
    console.log(
      `${well.length * 5} of ${well.length * 5} emails by 2 healthy connections arrived; of ${sick.length * 2} by ${sicknesses.length} sick ones, 0 were sent`,
    );
  });

  /** What only time corrects is taken over by the relay; what an administrator corrects is told to the caller. */
  const expected = (name: Sickness): readonly unknown[] =>
    ['throttled', 'silent', 'slow-vault'].includes(name)
      ? [name, 202, 'queued']
      : [name, expect.any(Number), SICK[name][1]];
});

describe('a mailbox that moves to another connection', () => {
  const settingsAfter = (senders: readonly string[]) => ({
    GRAPH_CONNECTION_FABRIKAM: JSON.stringify({ ...HEALTHY, senders }),
  });
  test('while an email is in doubt: the email is found in the tenant of its attempt, and not sent twice', async () => {
    const marker = newMarker();
    cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: MOVING,
      fault: { kind: 'answer', status: 504, accept: true },
    });
    const { body } = await relay.send(canaryMail(marker, { from: MOVING }));
    await relay.restart(settingsAfter(['*@fabrikam.example', MOVING]));
    const sent = await relay.reaches(body.id, 'sent');
    expect(sent).toMatchObject({ verified: true, connection: 'main' });
    expect(await relay.mailsAbout(marker)).toHaveLength(1);

    const next = newMarker();
    const later = await relay.send(canaryMail(next, { from: MOVING }));
    expect((await relay.show(later.body.id)).body).toMatchObject({ state: 'sent', connection: 'fabrikam' });
  });
});
