import { afterAll, expect, test } from 'vitest';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay({ settings: { MAIL_ENABLED: 'false' } });
afterAll(() => relay.close());

const waitsOnTheQueue = async (code: string) => {
  const { messageId } = await relay.enqueue(JSON.stringify(canaryMail(newMarker())));
  expect(messageId).toBeTruthy();
  await relay.logged('SendBlocked', { code });
  await eventually(async () =>
    expect((await relay.queueClient('mail').peekMessages()).peekedMessageItems).toEqual([]),
  );
};

test('MAIL_ENABLED=false: HTTP answers 503 and says that nothing was accepted; queued mail waits', async () => {
  const { status, headers, body } = await relay.send(canaryMail(newMarker()));

  expect([status, body.code]).toEqual([503, 'MAIL_DISABLED']);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(body.remedy).toContain('Nothing was accepted');
  await waitsOnTheQueue('MAIL_DISABLED');
  expect(await relay.messagesOn('mail')).toBe(1);
});

test('wrong settings: HTTP answers with every one of them and never their values; queued mail waits', async () => {
  await relay.restart({
    MAIL_ENABLED: 'true',
    MAIL_DEFAULT_SENDER: 'canary at contoso',
    ENTRA_TENANT_ID: 'canary!',
    KEY_VAULT_URL: 'http://canary.example',
    MAIL_PER_MINUT: '99',
  });
  // Before anything is called.
  const atStart = relay.lines.filter((line) => line.startsWith('{"event":"SettingsInvalid"'));
  expect(atStart.map((line) => JSON.parse(line).settings.toSorted())).toEqual([
    ['ENTRA_TENANT_ID', 'KEY_VAULT_URL', 'MAIL_DEFAULT_SENDER', 'MAIL_PER_MINUT'],
  ]);
  const { status, body } = await relay.send(canaryMail(newMarker()));

  expect([status, body.code]).toEqual([500, 'SETTINGS_INVALID']);
  const problems = body.problems as { readonly pointer: string; readonly expected: string }[];
  expect(problems.map(({ pointer }) => pointer).toSorted()).toEqual([
    'ENTRA_TENANT_ID',
    'KEY_VAULT_URL',
    'MAIL_DEFAULT_SENDER',
    'MAIL_PER_MINUT',
  ]);
  for (const { expected } of problems)
    expect(expected).toMatch(/such as|perhaps MAIL_PER_MINUTE_PER_MAILBOX/);
  await waitsOnTheQueue('SETTINGS_INVALID');
  expect(await relay.messagesOn('mail')).toBe(2);
  await relay.send(canaryMail(newMarker()));
  expect(relay.events('SettingsInvalid')).toHaveLength(1);
});

test('a limit at which mails would be sent twice is refused, and a name of something else is only told', async () => {
  await relay.restart({ MAIL_ENABLED: 'true', MAIL_SENDING_LIMIT_SECONDS: '10', MAIL_HOST: 'x' });
  const { body } = await relay.send(canaryMail(newMarker()));
  expect(body.problems).toMatchObject([
    {
      pointer: 'MAIL_SENDING_LIMIT_SECONDS',
      expected: expect.stringContaining('functionTimeout of host.json'),
    },
  ]);
  await relay.logged('SettingsUnknown');
  expect(relay.events('SettingsUnknown')).toMatchObject([{ settings: ['MAIL_HOST'] }]);
});

test('while settings are wrong the status of a mail and the desk answer all the same', async () => {
  expect((await relay.desk('/api/mail?state=held')).body).toEqual({ mails: [] });
  expect((await relay.statusOf('01890000-0000-7000-8000-000000000000')).body.code).toBe('MAIL_NOT_FOUND');
});

test('of all these nothing went to Graph or was held', () => {
  expect(relay.cloud.graph.requests.list()).toEqual([]);
  expect(relay.events('MailHeld')).toEqual([]);
});

test('nothing of these mails and settings stands in the log or in a problem answer', () =>
  expectNoCanary(relay));
