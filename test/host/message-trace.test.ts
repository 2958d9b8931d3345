import { afterAll, expect, test } from 'vitest';
import { mayTrace } from '../../local/directory.ts';
import { type InState, isIn } from '../../src/lib/ledger/ledger-row.ts';
import { openLedgerTable } from '../../src/lib/storage/ledger-table.ts';
import { EVENT_QUEUE } from '../../src/lib/storage/storage-connection.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, scopedByExchange, startRelay } from './relay-for-tests.ts';

const MINUTE_MS = 60_000;
const relay = await startRelay({
  directory: (usual) => mayTrace(scopedByExchange()(usual)),
  settings: { MAIL_TRACE: 'true', MAIL_EVENTS: 'queue' },
});
afterAll(() => relay.close());
relay.cloud.graph.settings.change({ traceDelayMs: 0 });

const ledger = openLedgerTable({
  kind: 'connection-string',
  connectionString: relay.cloud.azurite.connectionString,
});

/** Makes an email three minutes older: a trace is not asked before. */
const makeOlder = async (id: string): Promise<void> => {
  const entry = await ledger.find(id);
  if (entry === undefined || !isIn(entry.row, 'sent')) throw new Error('expected an email that was sent');
  const earlier = (at: string) => new Date(Date.parse(at) - 3 * MINUTE_MS).toISOString();
  const { facts, progress, fate } = entry.row;
  const row: InState<'sent'> = {
    facts: { ...facts, acceptedAt: earlier(facts.acceptedAt) },
    progress: {
      ...progress,
      updatedAt: earlier(progress.updatedAt),
      attempts: progress.attempts.map((attempt) => ({ ...attempt, at: earlier(attempt.at) })),
    },
    fate,
  };
  expect(await ledger.replace(row, entry.etag)).toBeDefined();
};

const tracesAsked = () =>
  relay.cloud.graph.requests.list().filter(({ path }) => path.includes('/admin/exchange/tracing/')).length;

test('the status says what became of an email for each recipient, for two requests, and for none when it is asked again', async () => {
  const marker = newMarker();
  const to = [`ada.${marker}`, `bounce.5.7.1.${marker}`, `quarantine.${marker}`].map(
    (name) => `${name}@fabrikam.example`,
  );
  const { body } = await relay.send(canaryMail(marker, { to }));
  expect(body.state).toBe('sent');
  const [mail] = await relay.arrives(marker);
  await makeOlder(body.id);
  // The window of a query ends a second ago.
  await eventually(() => expect(Date.now() - Date.parse(mail?.acceptedAt ?? '')).toBeGreaterThan(2000));

  const { status, body: told } = await relay.statusOf(`${body.id}?delivery=true`);
  expect(status).toBe(200);
  expect(told).toMatchObject({
    state: 'sent',
    internetMessageId: mail?.internetMessageId,
    delivery: {
      recipients: [
        { recipient: 1, status: 'delivered', source: 'trace' },
        {
          recipient: 2,
          status: 'failed',
          code: '5.7.1',
          cause: expect.any(String),
          remedy: expect.any(String),
        },
        { recipient: 3, status: 'quarantined' },
      ],
      askedAt: expect.any(String),
    },
  });
  expect(tracesAsked()).toBe(2);
  expect(JSON.stringify(told)).not.toContain('fabrikam');

  const { body: shown } = await relay.desk(`/api/mail?id=${body.id}&delivery=true`);
  expect(shown.delivery).toEqual(told.delivery);
  expect(tracesAsked()).toBe(2);

  expect(await relay.logged('MailTraced', { mailId: body.id })).toMatchObject({
    requests: 2,
    delivered: 1,
    failed: 1,
    quarantined: 1,
  });
  const { peekedMessageItems } = await relay.queueClient(EVENT_QUEUE).peekMessages({ numberOfMessages: 32 });
  expect(
    peekedMessageItems
      .map(({ messageText }) => JSON.parse(messageText))
      .filter(({ data }) => data.mailId === body.id)
      .map(({ eventType }) => eventType),
  ).toEqual(['Sent', 'Bounced', 'Delivered'].map((type) => `GraphMailRelay.Mail.${type}`));
});

test('anything else than true or false is refused, by callers and operators', async () => {
  const { body } = await relay.send(canaryMail(newMarker()));
  for (const path of [
    `/api/mail/${body.id}?delivery=yes`,
    `/api/mail/${body.id}?delivery=true&delivery=true`,
  ])
    expect(await relay.call('GET', path)).toMatchObject({ status: 400, body: { code: 'QUERY_INVALID' } });
  expect(await relay.desk(`/api/mail?id=${body.id}&delivery=`)).toMatchObject({ status: 400 });
  expect(await relay.desk('/api/mail?state=held&delivery=true')).toMatchObject({ status: 400 });
});

test('nothing of an email is in any log line or problem', () => expectNoCanary(relay));
