import { describe, expect, test } from 'vitest';
import { LOCAL_CLIENT_ID } from '../../../local/directory.ts';
import { type RotateSecretsNeeds, rotateSecrets } from '../../../src/lib/credentials/rotate-secrets.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { LogEvent } from '../../../src/lib/log.ts';
import { makeFakeHeartbeats } from '../../support/fake-heartbeats.ts';
import { asRotations, makeFakeRotations } from '../../support/fake-rotations.ts';
import { aSecret, makeFakeVault } from '../../support/fake-vault.ts';
import { settle } from '../../support/stepper.ts';
import { aConnection, DAY_MS, makeRotationWorld, type Rules, START } from './rotation-world.ts';

const MINUTE_MS = 60_000;
const due = () => {
  const world = makeRotationWorld();
  world.pass(30 * DAY_MS);
  return world;
};
const eventsOf = (logged: readonly LogEvent[], event: LogEvent['event']) =>
  logged.filter((one) => one.event === event);
const COUNTS = { connections: 1, renewed: 0, removed: 0, waiting: 0, failed: 0 };

describe('a run', () => {
  test('that finds a young secret changes nothing, and says that it ran', async () => {
    const world = makeRotationWorld();
    await world.run();
    expect(world.logged).toEqual([{ event: 'SecretsRotated', ...COUNTS }]);
    expect([world.state(), world.passwords().length]).toEqual([undefined, 1]);
  });

  test('that finds an old one adds, proves and stores another, and says each step without a value', async () => {
    const world = due();
    await world.run();
    const [, added] = world.passwords();
    const step = { event: 'RotationStep', connection: 'main', keyId: 'key-2', validDays: 60 };
    expect(world.logged).toEqual([
      { ...step, step: 'added' },
      { ...step, step: 'proved' },
      { ...step, step: 'stored' },
      { event: 'SecretsRotated', ...COUNTS, renewed: 1 },
    ]);
    expect(world.working()).toMatchObject({
      value: added?.value,
      expiresOn: added?.expiresOn,
      tags: { 'entra-key-id': 'key-2', 'made-by': 'graph-mail-relay' },
    });
    expect(JSON.stringify([world.logged, world.state()])).not.toContain(added?.value);
    expect(added?.displayName).toMatch(/^Graph Mail Relay \S+$/);
  });

  test('a week later names what others made, once, and a month later replaces its own', async () => {
    const world = due();
    for (let day = 0; day < 80; day += 1) {
      await world.run();
      world.pass(DAY_MS);
    }
    expect(eventsOf(world.logged, 'SecretLeft')).toEqual([
      {
        event: 'SecretLeft',
        connection: 'main',
        keyId: 'key-1',
        command: `az ad app credential delete --id ${LOCAL_CLIENT_ID} --key-id key-1`,
      },
    ]);
    const told = world.logged.flatMap((one) =>
      one.event === 'RotationStep' ? [`${one.step} ${one.keyId}`] : [],
    );
    const renewal = (keyId: string) => ['added', 'proved', 'stored'].map((step) => `${step} ${keyId}`);
    expect(told).toEqual([
      ...renewal('key-2'),
      ...renewal('key-3'),
      'removed key-2',
      ...renewal('key-4'),
      'removed key-3',
    ]);
    expect(world.passwords().map(({ keyId }) => keyId)).toEqual(['key-1', 'key-4']);
    expect(world.broken()).toEqual([]);
  });
});

describe('a refusal', () => {
  const refusedWith = async (change: Partial<Rules>) => {
    const world = due();
    Object.assign(world.rules, change);
    await world.run();
    const refusals = eventsOf(world.logged, 'RotationRefused');
    expect(world.logged.at(-1)).toEqual({ event: 'SecretsRotated', ...COUNTS, failed: 1 });
    return { world, refusals };
  };

  test.each<[Partial<Rules>, string]>([
    [{ mayAdd: false }, 'REGISTRATION_ACCESS_DENIED'],
    [{ isAllowed: false }, 'CLIENT_SECRETS_NOT_ALLOWED'],
    [{ maxDays: 40 }, 'CLIENT_SECRET_LIFETIME_LIMITED'],
  ])('of the tenant (%j) is %s, and the next run may try again immediately', async (change, code) => {
    const { world, refusals } = await refusedWith(change);
    expect(refusals).toEqual([{ event: 'RotationRefused', connection: 'main', code }]);
    Object.assign(world.rules, { mayAdd: true, isAllowed: true, maxDays: 800 });
    await world.run();
    expect(world.logged.at(-1)).toEqual({ event: 'SecretsRotated', ...COUNTS, renewed: 1 });
  });

  test('of a life of 60 days is answered with one of 44', async () => {
    const world = due();
    world.rules.maxDays = 44;
    await world.run();
    expect(world.logged[0]).toMatchObject({ step: 'added', validDays: 44 });
    expect(world.broken()).toEqual([]);
  });

  test('of the vault is VAULT_WRITE_DENIED; what was made is cleared away, and made again', async () => {
    const { world, refusals } = await refusedWith({ mayStore: false });
    expect(refusals).toMatchObject([{ code: 'VAULT_WRITE_DENIED' }]);
    expect(world.orphans()).toHaveLength(1);
    world.rules.mayStore = true;
    // Nobody knows yet whether the other run goes on.
    await world.run();
    expect(world.logged.at(-1)).toEqual({ event: 'SecretsRotated', ...COUNTS, waiting: 1 });
    world.pass(DAY_MS);
    await world.run();
    const steps = eventsOf(world.logged, 'RotationStep').slice(-4);
    expect(steps.map((one) => one.event === 'RotationStep' && one.step)).toEqual([
      'cleared',
      'added',
      'proved',
      'stored',
    ]);
    expect(world.orphans()).toEqual([]);
  });
});

test('of two instances that run at the same time, one renews and the other waits', async () => {
  const world = due();
  await world.start(0);
  await world.start(1);
  while (world.waiting() > 0) {
    await world.take(0, 'answered');
    await world.take(1, 'answered');
  }
  expect(world.passwords()).toHaveLength(2);
  const counted = eventsOf(world.logged, 'SecretsRotated');
  expect(counted).toEqual(
    expect.arrayContaining([
      { event: 'SecretsRotated', ...COUNTS, renewed: 1 },
      { event: 'SecretsRotated', ...COUNTS, waiting: 1 },
    ]),
  );
});

describe('among several connections', () => {
  type Connections = NonNullable<RotateSecretsNeeds['renewing']>['connections'];

  /** Connections whose secrets are old, and what becomes of each. */
  const several = (names: readonly string[], change: (name: string) => Partial<Connections[number]>) => {
    const logged: LogEvent[] = [];
    let now = START;
    const secrets = names.map((name) =>
      aSecret({ name: `secret-${name}`, version: name, createdOn: new Date(START.getTime() - 90 * DAY_MS) }),
    );
    const vault = makeFakeVault(() => now, secrets);
    const renewed: string[] = [];
    const connections: Connections = names.map((name, index) => ({
      connection: aConnection({ name, credential: { kind: 'client-secret', secretName: `secret-${name}` } }),
      proveCredential: async () => ({ version: secrets[index]!, roles: [], expiresOn: now }),
      proveSecret: async () => undefined,
      registration: {
        read: async () => [],
        addPassword: async (_displayName, expiresOn) => {
          renewed.push(name);
          return { keyId: name, value: 'a value', expiresOn };
        },
        removePassword: async () => undefined,
      },
      ...change(name),
    }));
    const needs: RotateSecretsNeeds = {
      heartbeats: makeFakeHeartbeats(),
      clock: { now: () => now, sleep: async () => undefined },
      log: (event) => void logged.push(event),
      rotations: asRotations(makeFakeRotations()),
      newId: () => 'a name',
      renewing: { rotationDays: 30, vault, connections },
    };
    return {
      needs,
      logged,
      renewed,
      pass: (ms: number) => {
        now = new Date(now.getTime() + ms);
      },
    };
  };

  test('one that fails, whatever it throws, stops no other', async () => {
    const failures: Record<string, Error> = {
      one: new AppError('CLIENT_SECRET_EXPIRED', { upstreamCode: 'AADSTS7000222' }),
      two: new RangeError('canary'),
    };
    const { needs, logged, renewed } = several(['one', 'two', 'three'], (name) => {
      const failure = failures[name];
      return failure === undefined ? {} : { proveCredential: () => Promise.reject(failure) };
    });
    await rotateSecrets(needs);
    expect(renewed).toEqual(['three']);
    expect(eventsOf(logged, 'RotationRefused')).toEqual([
      {
        event: 'RotationRefused',
        connection: 'one',
        code: 'CLIENT_SECRET_EXPIRED',
        upstreamCode: 'AADSTS7000222',
      },
    ]);
    expect(eventsOf(logged, 'Unexpected')).toMatchObject([{ name: 'RangeError' }]);
    expect(JSON.stringify(logged)).not.toContain('canary');
    expect(logged.at(-1)).toEqual({
      event: 'SecretsRotated',
      connections: 3,
      renewed: 1,
      removed: 0,
      waiting: 0,
      failed: 2,
    });
  });

  test('only those with a client secret are renewed', async () => {
    const { needs, logged, renewed } = several(['one', 'two'], (name) =>
      name === 'one' ? { connection: aConnection({ name, credential: { kind: 'federated' } }) } : {},
    );
    await rotateSecrets(needs);
    expect(renewed).toEqual(['two']);
    expect(logged.at(-1)).toMatchObject({ connections: 1, renewed: 1 });
  });

  test('those that share a registration and its secret are one, in the tenant of the first', async () => {
    const shared = { kind: 'client-secret', secretName: 'secret-one' } as const;
    const { needs, logged, renewed } = several(['one', 'two'], (name) => ({
      connection: aConnection({ name, tenantId: `${name}.example`, credential: shared }),
    }));
    await rotateSecrets(needs);
    expect(renewed).toEqual(['one']);
    expect(logged.at(-1)).toMatchObject({ connections: 1, renewed: 1, failed: 0 });
  });

  test('none is begun that could last longer than the invocation, and another is first the next day', async () => {
    const world = several(['one', 'two', 'three'], () => ({
      proveSecret: async () => world.pass(2 * MINUTE_MS),
    }));
    await rotateSecrets(world.needs);
    const first = [...world.renewed];
    expect(first).toHaveLength(2);
    expect(world.logged.at(-1)).toMatchObject({ connections: 3, renewed: 2, waiting: 1 });
    world.pass(DAY_MS);
    await rotateSecrets(world.needs);
    expect(world.renewed[2]).not.toBe(first[0]);
    expect(new Set(world.renewed).size).toBe(3);
  });
});

test('where secrets are not renewed, nothing is opened or read, and the run says so', async () => {
  const logged: LogEvent[] = [];
  const never = () => expect.unreachable();
  await rotateSecrets({
    clock: { now: () => START, sleep: never },
    log: (event) => void logged.push(event),
    rotations: { read: never, write: never },
    heartbeats: { read: never, note: never },
    newId: never,
  });
  expect(logged).toEqual([{ event: 'SecretsRotated', ...COUNTS, connections: 0 }]);
});

test('another registration than before begins with nothing known', async () => {
  const world = due();
  await world.run();
  const rotations = makeFakeRotations();
  const kept = world.state();
  rotations.write('main', { ...kept!, clientId: 'another' }, undefined);
  world.pass(40 * DAY_MS);
  const running = rotateSecrets(world.needsWith(asRotations(rotations)));
  await settle();
  while (world.waiting() > 0) await world.take(0, 'answered');
  await running;
  expect(rotations.read('main').state?.clientId).toBe(LOCAL_CLIENT_ID);
  expect(world.logged.at(-1)).toMatchObject({ renewed: 1 });
});
