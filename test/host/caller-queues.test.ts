import { TableClient } from '@azure/data-tables';
import { afterAll, expect, test } from 'vitest';
import { newEnvelope, toQueueText } from '../../src/lib/ledger/queue-message.ts';
import { openLedgerTable } from '../../src/lib/storage/ledger-table.ts';
import { HELD_CONTAINER, LEDGER_TABLE } from '../../src/lib/storage/storage-connection.ts';
import { blobNames, readBlob } from './blobs.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, startRelay } from './relay-for-tests.ts';

const callersWithQueues = ['payroll', 'erp-test'];
const relay = await startRelay({
  callersWithQueues,
  settings: { MAIL_CALLER_QUEUES: callersWithQueues.join(', ') },
});
afterAll(() => relay.close());

const put = (queue: string, message: string | object) =>
  relay.queueClient(queue).sendMessage(typeof message === 'string' ? message : JSON.stringify(message));

const { connectionString } = relay.cloud.azurite;
const ledger = openLedgerTable({ kind: 'connection-string', connectionString });
const callerOf = async (id: string) => (await ledger.find(id))?.row.facts.caller;

/** What the desk shows of the email in a message, once it is held. */
const held = async (queue: string, message: string | object) => {
  const { messageId } = await put(queue, message);
  const { mailIdOfMessage } = await relay.identity();
  return relay.reaches(mailIdOfMessage(messageId), 'held');
};

test('the host runs a pair of functions for each caller', async () => {
  const { body } = await relay.desk('/admin/functions');
  const names = (body as unknown as readonly { readonly name: string }[]).map(({ name }) => name);
  expect(names.filter((name) => /^(deliver|hold)Mail/.test(name)).sort()).toEqual([
    'deliverMail',
    'deliverMail_erp_test',
    'deliverMail_payroll',
    'holdMail',
    'holdMail_erp_test',
    'holdMail_payroll',
  ]);
});

test.each(callersWithQueues)(
  'emails on the queue of %s, which nobody declared, are held and not sent',
  async (caller) => {
    const marker = newMarker();
    const mail = canaryMail(marker);
    const { reason, record, id } = await held(`mail-${caller}`, mail);
    expect(reason).toMatchObject({ code: 'CALLER_REMOVED' });
    expect(await readBlob(relay, HELD_CONTAINER, String(record))).toMatchObject({
      mailId: id,
      original: mail,
    });
    expect(await relay.mailsAbout(marker)).toEqual([]);
    expect(await callerOf(id)).toBe(caller);
  },
);

test('the same text and the same key on two queues are two emails, each of its caller', async () => {
  const broken = `{"to": canary ${newMarker()}`;
  for (const caller of callersWithQueues) await put(`mail-${caller}`, broken);
  const { mailIdOfText, mailIdOfKey } = await relay.identity();
  for (const caller of callersWithQueues) {
    const { body } = await eventually(async () => {
      const found = await relay.show(mailIdOfText(JSON.stringify([caller, broken])));
      if (found.status !== 200) throw new Error(`nothing is known of the message of ${caller}`);
      return found;
    });
    expect(body).toMatchObject({ state: 'held', reason: { code: 'JSON_UNREADABLE' } });
    expect(await callerOf(body.id)).toBe(caller);
  }
  const ids = callersWithQueues.map((caller) => mailIdOfKey(caller, 'invoice-1'));
  expect(new Set(ids).size).toBe(2);
});

test('a message that fails five times goes to the poison queue of its caller, and is held under its caller', async () => {
  const identity = await relay.identity();
  const mail = canaryMail(newMarker());
  const mailId = identity.mailIdOfKey('payroll', newMarker());
  // A row that nobody can read: every delivery of a message about it fails.
  const table = TableClient.fromConnectionString(connectionString, LEDGER_TABLE, {
    allowInsecureConnection: true,
  });
  await table.createEntity({ partitionKey: mailId.slice(-2), rowKey: mailId, facts: 'broken' });
  const contentHash = identity.hashOfContent(mail);
  const envelope = { mailId, acceptedAt: new Date(), caller: 'payroll', contentHash, content: { mail } };
  await put('mail-payroll', toQueueText(newEnvelope(envelope), identity));
  const { mailId: heldAs } = await relay.logged('MailHeld', { code: 'HOST_GAVE_UP' });
  expect(await callerOf(String(heldAs))).toBe('payroll');
  expect(relay.lines.join('\n')).toContain("Moving message to queue 'mail-payroll-poison'");
});

test('what the host gave up on is held under its caller, and the poison queues are apart', async () => {
  const ids = await Promise.all(
    [...callersWithQueues, 'queue'].map(async (caller) => {
      const queue = caller === 'queue' ? 'mail-poison' : `mail-${caller}-poison`;
      return [caller, (await held(queue, canaryMail(newMarker()))).id] as const;
    }),
  );
  for (const [caller, id] of ids) expect(await callerOf(id)).toBe(caller);
});

test('a writer of one queue cannot write a message of the relay', async () => {
  const forged = {
    relay: {
      mailId: '0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee',
      acceptedAt: '2026-11-22T07:00:00Z',
      caller: 'erp-test',
      turn: 0,
      phase: 'send',
    },
    mail: canaryMail(newMarker()),
  };
  const { id, reason } = await held('mail-payroll', forged);
  expect(reason).toMatchObject({ code: 'MESSAGE_UNREADABLE' });
  expect(await callerOf(id)).toBe('payroll');
});

test('the queue `mail` sends as before', async () => {
  const marker = newMarker();
  await put('mail', canaryMail(marker));
  await relay.arrives(marker);
});

test('the sweep looks at every poison queue, and finds all of them', async () => {
  await relay.runNow('sweepMail');
  await relay.logged('MailSwept');
  expect([...relay.events('MessagesStuck'), ...relay.events('QueueMissing')]).toEqual([]);
});

test('every message was dealt with, and each held email has one record', async () => {
  for (const queue of ['mail', ...callersWithQueues.map((caller) => `mail-${caller}`)])
    await eventually(async () =>
      expect([await relay.messagesOn(queue), await relay.messagesOn(`${queue}-poison`)]).toEqual([0, 0]),
    );
  expect((await blobNames(relay, HELD_CONTAINER)).length).toBe(relay.events('MailHeld').length);
});

test('nothing of these mails stands in the log or in a problem answer', () => expectNoCanary(relay));
