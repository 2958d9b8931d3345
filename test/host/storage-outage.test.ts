import { afterAll, expect, test } from 'vitest';
import { breakablePort } from './breakable-port.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay();
afterAll(() => relay.close());

const { connectionString, tableUrl } = relay.cloud.azurite;
const table = await breakablePort(tableUrl);
await relay.restart({
  AzureWebJobsStorage: connectionString.replace(tableUrl, table.url),
  // A message the host gave up on comes back after its lease, when holding it failed too.
  FUNCTIONS_QUEUE_LEASE_SECONDS: '2',
});

test('while storage is away HTTP answers 503, and says that nothing was accepted only to who sent a mail', async () => {
  table.cut();
  const [sent, asked] = await Promise.all([
    relay.send(canaryMail(newMarker())),
    relay.statusOf('01890000-0000-7000-8000-000000000000'),
  ]);
  table.mend();

  const codes = [sent, asked].map(({ status, headers, body }) => [
    status,
    body.code,
    headers.get('retry-after'),
  ]);
  expect(codes).toEqual([
    [503, 'MAIL_NOT_STORED', '30'],
    [503, 'STORAGE_UNAVAILABLE', '30'],
  ]);
  expect(asked.body.remedy).not.toMatch(/safe|nothing was/i);
  expect(sent.body.remedy).toBe('Nothing was accepted, so it is safe to send again.');
  expect(relay.cloud.graph.requests.list()).toEqual([]);
});

test('while storage is away a queue message waits, and does not use up the attempts after which the host gives it up', async () => {
  table.cut();
  await relay.enqueue(JSON.stringify(canaryMail(newMarker())));
  await relay.queueClient('mail-poison').sendMessage(JSON.stringify(canaryMail(newMarker())));
  // One line for each of the two functions.
  await eventually(() => expect(relay.events('StorageAwaited')).toHaveLength(2));
  table.mend();

  expect([await relay.messagesOn('mail'), await relay.messagesOn('mail-poison')]).toEqual([1, 1]);
  expect(relay.lines.join('\n')).not.toContain('MaxDequeueCount');
});

test('a message the host gave up on is held, with one line to alert on', async () => {
  const marker = newMarker();
  await relay.queueClient('mail-poison').sendMessage(JSON.stringify(canaryMail(marker)));
  const [event, ...more] = await eventually(() => {
    const found = relay.events('MailHeld');
    expect(found).not.toEqual([]);
    return found;
  });

  expect(event).toMatchObject({ code: 'HOST_GAVE_UP' });
  expect(more).toEqual([]);
  expect(await relay.mailsAbout(marker)).toEqual([]);
  expect(relay.lines.filter((line) => /^\S+ error .*"event":"MailHeld"/.test(line))).toHaveLength(1);
  const shown = await relay.reaches(String(event?.mailId), 'held');
  expect(shown.reason).toMatchObject({ code: 'HOST_GAVE_UP' });
});

test('what was held so is replayed like any other', async () => {
  const [event] = relay.events('MailHeld');
  const id = String(event?.mailId);
  expect((await relay.desk(`/api/mail/${id}/replay`, {})).status).toBe(202);
  await relay.reaches(id, 'sent');
});

test('nothing of these mails stands in the log or in a problem answer', () => expectNoCanary(relay));
