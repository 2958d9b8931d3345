import type { Timer } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { rotateSecretsTimer } from '../../src/functions/rotate-secrets.timer.ts';
import { sweepMailTimer } from '../../src/functions/sweep-mail.timer.ts';
import { warnExpiringSecretsTimer } from '../../src/functions/warn-expiring-secrets.timer.ts';
import { asRotations, makeFakeRotations } from '../support/fake-rotations.ts';
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
  const run = async (listSecrets: () => Promise<readonly []>) => {
    const { needs } = inMemoryPorts();
    const { context, logged } = invocation();
    const vault = { listSecrets };
    const more = { vault, vaultName: 'kv-relay', warningDays: [60], recipients: [] };
    await warnExpiringSecretsTimer((log) => ({ ...needs, ...more, log }))(timer, context);
    return logged;
  };

  test('says in the log of its invocation that it has looked', async () => {
    expect(await run(async () => [])).toMatchObject([
      { level: 'information', event: { event: 'SecretsChecked', secrets: 0 } },
    ]);
  });

  test('fails its invocation where the vault cannot be read', async () => {
    await expect(run(() => Promise.reject(new Error('vault')))).rejects.toThrow('vault');
  });
});

test('rotateSecrets says that it ran, also where it renews nothing', async () => {
  const { needs } = inMemoryPorts();
  const { context, logged } = invocation();
  const rotations = asRotations(makeFakeRotations());
  await rotateSecretsTimer((log) => ({ ...needs, rotations, newId: () => 'a name', log }))(timer, context);
  expect(logged).toMatchObject([{ event: { event: 'SecretsRotated', connections: 0 } }]);
});
