import type { Timer } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import hostJson from '../../host.json' with { type: 'json' };
import { checkSecretsQueue } from '../../src/functions/check-secrets.queue.ts';
import { rotateSecretsTimer } from '../../src/functions/rotate-secrets.timer.ts';
import { sweepMailTimer } from '../../src/functions/sweep-mail.timer.ts';
import { warnExpiringSecretsTimer } from '../../src/functions/warn-expiring-secrets.timer.ts';
import { dayNumber, warningWorld } from '../lib/credentials/warning-world.ts';
import { asRotations, makeFakeRotations } from '../support/fake-rotations.ts';
import { aSecret } from '../support/fake-vault.ts';
import { inMemoryPorts } from '../support/in-memory-ports.ts';
import { invocation } from './invocation.ts';

const timer: Timer = {
  isPastDue: false,
  schedule: { adjustForDST: false },
  scheduleStatus: { last: '', next: '', lastUpdated: '' },
};

describe('sweepMail', () => {
  test('says in the log of its invocation what it found', async () => {
    const { needs } = inMemoryPorts();
    const { context, logged } = invocation();
    await sweepMailTimer((log) => ({ ...needs, log }))(timer, context);
    expect(logged).toMatchObject([{ level: 'information', event: { event: 'MailSwept', failed: 0 } }]);
  });

  test('fails its invocation where a part of it cannot be done', async () => {
    const { needs, fail } = inMemoryPorts();
    fail('payloads.list');
    const { context, events } = invocation();
    await expect(sweepMailTimer((log) => ({ ...needs, log }))(timer, context)).rejects.toThrow();
    expect(events()).toEqual([]);
  });
});

describe('warnExpiringSecrets', () => {
  test('says in the log of its invocation what it told', async () => {
    const world = warningWorld([aSecret({ expiresOn: dayNumber(-1) })]);
    const { context, logged } = invocation();
    await warnExpiringSecretsTimer((log) => ({ ...world.needs(), log }))(timer, context);
    expect(logged).toMatchObject([
      { level: 'error', event: { event: 'SecretExpiring', state: 'expired', daysLeft: -1 } },
      { level: 'information', event: { event: 'SecretsChecked', secrets: 1 } },
    ]);
  });

  test('fails its invocation where the vault cannot be read', async () => {
    const world = warningWorld([]);
    world.vaultIsAway();
    const { context } = invocation();
    const run = warnExpiringSecretsTimer((log) => ({ ...world.needs(), log }))(timer, context);
    await expect(run).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
  });
});

describe('checkSecrets', () => {
  const check = async (message: unknown, triggerMetadata: object, isAway = false) => {
    const world = warningWorld([aSecret({ expiresOn: dayNumber(10) })]);
    world.vaultIsAway(isAway);
    const { context, events } = invocation({ ...triggerMetadata });
    await checkSecretsQueue((log) => ({ ...world.needs(), log }))(message, context);
    return events();
  };
  const event = Buffer.from(JSON.stringify([{ eventType: 'Microsoft.KeyVault.SecretExpired' }]));

  test.each([
    ['bytes', new Uint8Array(event)],
    ['text of base64', event.toString('base64')],
  ])('runs the check for an event that comes as %s', async (_case, message) => {
    expect(await check(message, { dequeueCount: 1 })).toEqual(['SecretExpiring', 'SecretsChecked']);
  });

  test('fails its invocation where the vault cannot be read, unless the host gives up after it', async () => {
    await expect(check(event, { dequeueCount: 4 }, true)).rejects.toMatchObject({
      code: 'VAULT_UNREACHABLE',
    });
    const last = await check(event, { dequeueCount: hostJson.extensions.queues.maxDequeueCount }, true);
    expect(last.at(-1)).toBe('VaultEventDropped');
  });

  test('drops what is no event', async () => {
    expect(await check('canary', { dequeueCount: 1 })).toEqual(['VaultEventDropped']);
  });
});

test('rotateSecrets says that it ran, also where it renews nothing', async () => {
  const { needs } = inMemoryPorts();
  const { context, logged } = invocation();
  const rotations = asRotations(makeFakeRotations());
  await rotateSecretsTimer((log) => ({ ...needs, rotations, newId: () => 'a name', log }))(timer, context);
  expect(logged).toMatchObject([{ event: { event: 'SecretsRotated', connections: 0 } }]);
});
