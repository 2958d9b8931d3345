import { afterAll, expect, test } from 'vitest';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay({
  settings: {
    SECRET_WARNING_RECIPIENTS: 'canary-operations@contoso.example',
    SECRET_WARNING_DAYS: '30,7,1',
    MAIL_LEDGER_DAYS: '2',
  },
});
afterAll(() => relay.close());

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);
const secret = (name: string, rest: { expiresOn?: Date; enabled?: boolean }) =>
  relay.cloud.secrets.set(name, { value: 'canary-of-a-secret', ...rest }, new Date());

test('warnExpiringSecrets: a log event and a mail for each secret that expires, has expired or does not say when', async () => {
  await secret('soon', { expiresOn: inDays(6.5) });
  await secret('gone', { expiresOn: inDays(-2.5) });
  await secret('undated', {});
  await secret('later', { expiresOn: inDays(200) });
  await secret('disabled', { expiresOn: inDays(-9), enabled: false });
  expect((await relay.runNow('warnExpiringSecrets')).status).toBe(202);
  // The secret of the relay itself is good for a year.
  expect(await relay.logged('SecretsChecked')).toMatchObject({ secrets: 6, warnings: 3 });

  const warned = relay
    .events('SecretExpiring')
    .map(({ secretName, state, daysLeft }) => [secretName, state, daysLeft]);
  expect(warned.toSorted()).toEqual([
    ['gone', 'expired', -3],
    ['soon', 'expiring', 6],
    ['undated', 'no-expiry-date', undefined],
  ]);
  const mails = await relay.arrives('secret', 3);
  const messages = mails.map(({ request }) => request.body.message);
  expect(messages.map(({ subject }) => subject).toSorted()).toEqual([
    expect.stringMatching(/^The secret gone has expired /),
    expect.stringMatching(/^The secret soon expires in 6 days /),
    expect.stringMatching(/^The secret undated has no expiry date in the vault /),
  ]);
  for (const { toRecipients, importance } of messages) {
    expect(toRecipients).toEqual([{ emailAddress: { address: 'canary-operations@contoso.example' } }]);
    expect(importance).toBe('high');
  }
});

test('every warning is a line that alert rules see', () => {
  const lines = relay.lines.filter((line) => line.includes('"event":"SecretExpiring"'));
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line).toMatch(/^\S+ error Function\.warnExpiringSecrets\./);
});

test('sweepMail leaves alone what is young, and says what it did', async () => {
  const marker = newMarker();
  const { body } = await relay.send(canaryMail(marker));
  expect((await relay.runNow('sweepMail')).status).toBe(202);

  expect(await relay.logged('MailSwept')).toMatchObject({ lost: 0, overdue: 0, payloads: 0, expired: 0 });
  await eventually(async () => expect((await relay.statusOf(body.id)).body.state).toBe('sent'));
});

test('nothing of these mails, and no secret, stands in the log or in a problem answer', () =>
  expectNoCanary(relay));
