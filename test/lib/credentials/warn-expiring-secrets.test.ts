import { describe, expect, test } from 'vitest';
import { warnExpiringSecrets } from '../../../src/lib/credentials/warn-expiring-secrets.ts';
import { readQueueMessage } from '../../../src/lib/ledger/queue-message.ts';
import type { LogEvent } from '../../../src/lib/log.ts';
import type { SecretFacts } from '../../../src/lib/ports.ts';
import { aSecret } from '../../support/fake-vault.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const now = new Date('2026-11-22T07:00:00Z');
const expired = aSecret({ name: 'old', expiresOn: new Date('2026-11-01T00:00:00Z') });
const undated = aSecret({ name: 'undated' });
const fine = aSecret({ name: 'fine', expiresOn: new Date('2027-11-01T00:00:00Z') });

const warn = async (
  secrets: readonly SecretFacts[],
  recipients = ['ops@contoso.example'],
  putMessage?: (text: string) => Promise<void>,
) => {
  const happened: string[] = [];
  const mails: unknown[] = [];
  let made = 0;
  const log = (event: LogEvent) => {
    happened.push(
      event.event === 'SecretExpiring' ? `${event.event} ${event.secretName} ${event.state}` : event.event,
    );
  };
  await warnExpiringSecrets({
    vault: { listSecrets: async () => secrets },
    vaultName: 'kv-relay',
    warningDays: [60],
    recipients,
    newMailId: () => `0199aaaa-bbbb-7ccc-8ddd-00000000000${made++}`,
    mailQueue: {
      count: async () => 0,
      put:
        putMessage ??
        (async (text) => {
          happened.push('mail');
          mails.push(readQueueMessage(text, IDENTITY));
        }),
    },
    payloads: inMemoryPorts().needs.payloads,
    readIdentity: async () => IDENTITY,
    clock: { now: () => now, sleep: async () => undefined },
    log,
  }).catch(() => happened.push('failed'));
  return { happened, mails };
};

describe('the daily look at the vault', () => {
  test('writes one event and queues one mail for every secret worth a warning', async () => {
    const { happened, mails } = await warn([expired, fine, undated]);
    expect(happened).toEqual([
      'SecretExpiring old expired',
      'SecretExpiring undated no-expiry-date',
      'SecretsChecked',
      'mail',
      'mail',
    ]);
    expect(mails[0]).toMatchObject({
      content: { mail: { to: ['ops@contoso.example'], importance: 'high' } },
    });
  });

  test('says that it ran when there is nothing to warn of', async () => {
    expect((await warn([fine])).happened).toEqual(['SecretsChecked']);
  });

  test('warns by event alone when nobody is to get mails', async () => {
    expect((await warn([expired], [])).happened).toEqual(['SecretExpiring old expired', 'SecretsChecked']);
  });

  test('has written every event before a mail fails', async () => {
    const { happened } = await warn([expired, undated], undefined, () =>
      Promise.reject(new Error('storage')),
    );
    expect(happened).toEqual([
      'SecretExpiring old expired',
      'SecretExpiring undated no-expiry-date',
      'SecretsChecked',
      'failed',
    ]);
  });
});
