import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import type { Ports } from '../../../src/lib/ports.ts';
import { MOST_UNDER_WAY, makeConnectionGate } from '../../../src/lib/sending/connection-gate.ts';
import type { SendReport } from '../../../src/lib/sending/send-outcome.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const { batchSize, newBatchThreshold } = JSON.parse(readFileSync('host.json', 'utf8')).extensions.queues;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const settled = async () => {
  for (let turns = 0; turns < 50; turns += 1) await turn();
};

/** Two tenants: Fabrikam takes requests and never responds, Contoso does; and a functions host that fetches as host.json says. */
const twoTenants = ({ hasGate }: { readonly hasGate: boolean }) => {
  const world = inMemoryPorts();
  const sent: string[] = [];
  const hanging: ((report: SendReport) => void)[] = [];
  const looking: ((seen: { kind: 'not-now' }) => void)[] = [];
  const connectionOf = (mailbox: string) => (mailbox.endsWith('@fabrikam.example') ? 'fabrikam' : 'main');
  const mailboxes: { -readonly [Key in keyof Ports['mailboxes']]: Ports['mailboxes'][Key] } = {
    routeOf: (mailbox) => ({ connection: connectionOf(mailbox), cloud: 'global', tenantId: 't' }),
    send: ({ mailbox }) => {
      if (connectionOf(mailbox) === 'fabrikam') return new Promise((resolve) => void hanging.push(resolve));
      sent.push(mailbox);
      return Promise.resolve({ kind: 'answered', status: 202 });
    },
    find: () => new Promise((resolve) => void looking.push(resolve)),
  };
  const senderPolicy = {
    ...world.needs.accept.senderPolicy,
    allowedSenders: ['*@fabrikam.example', '*@contoso.example'],
  };
  const needs = {
    ...world.needs,
    mailboxes,
    accept: { ...world.needs.accept, senderPolicy },
    ...(hasGate ? { gate: makeConnectionGate() } : {}),
  };
  let underWay = 0;
  /** Fetches until the host would not, or nothing is there that is due. */
  const fetchAll = async () => {
    for (let rounds = 0; rounds < 10 && underWay <= newBatchThreshold; rounds += 1) {
      const due = world.messages.filter(({ delayMs = 0 }) => delayMs === 0).slice(0, batchSize);
      for (const message of due) {
        world.messages.splice(world.messages.indexOf(message), 1);
        underWay += 1;
        const facts = {
          text: message.text,
          messageId: crypto.randomUUID(),
          insertedAt: world.needs.clock.now(),
        };
        void deliverMail(
          { ...needs, sending: needs },
          { ...facts, caller: 'queue', redelivered: false },
        ).finally(() => {
          underWay -= 1;
        });
      }
      await settled();
    }
  };
  return {
    ...world,
    needs,
    sent,
    hanging,
    looking,
    fetchAll,
    underWay: () => underWay,
    put: (from: string) => world.messages.push({ text: JSON.stringify(aMail({ from })), delayMs: 0 }),
    /** Every message is due. */
    wait: (ms: number) => {
      world.pass(ms);
      for (const [at, message] of world.messages.entries()) world.messages[at] = { ...message, delayMs: 0 };
    },
    ask: (from: string) =>
      sendMail(needs, { input: aMail({ from }), caller: aCaller('key:test'), respondAsync: false }),
  };
};

const fabrikamHangs = async (how: { readonly hasGate: boolean }) => {
  const tenants = twoTenants(how);
  for (const mailbox of ['a', 'b', 'c'])
    for (let email = 0; email < 6; email += 1) tenants.put(`${mailbox}@fabrikam.example`);
  await tenants.fetchAll();
  return tenants;
};

describe('a tenant that does not respond', () => {
  test('does not keep the emails of another one on the queue: they are sent while its requests hang', async () => {
    const { put, fetchAll, sent, hanging, underWay } = await fabrikamHangs({ hasGate: true });
    for (let email = 0; email < 4; email += 1) put('noreply@contoso.example');
    await fetchAll();
    expect(sent).toHaveLength(4);
    expect([hanging.length, underWay()]).toEqual([MOST_UNDER_WAY.queue, MOST_UNDER_WAY.queue]);
  });

  test('would otherwise stop the host from fetching any (this is what the gate is for)', async () => {
    const { put, fetchAll, sent } = await fabrikamHangs({ hasGate: false });
    put('noreply@contoso.example');
    await fetchAll();
    expect(sent).toEqual([]);
  });

  test('has one request at a time afterwards, look-ups among them, and those that wait have not been tried', async () => {
    const { hanging, looking, fetchAll, wait, pass, rows } = await fabrikamHangs({ hasGate: true });
    pass(30_000);
    for (const end of hanging.splice(0)) end({ kind: 'lost', why: 'timeout' });
    await settled();
    wait(30_000);
    await fetchAll();
    expect(hanging.length + looking.length).toBe(1);
    expect(rows().filter(({ state }) => state === 'queued').length).toBeGreaterThanOrEqual(11);
  });

  test('gets its emails, all of them, when it responds again', async () => {
    const { hanging, looking, fetchAll, wait, pass, rows, needs } = await fabrikamHangs({ hasGate: true });
    pass(30_000);
    for (const end of hanging.splice(0)) end({ kind: 'lost', why: 'timeout' });
    needs.mailboxes.send = async () => ({ kind: 'answered', status: 202 });
    needs.mailboxes.find = async () => ({ kind: 'absent' });
    for (let minutes = 0; minutes < 60; minutes += 1) {
      wait(60_000);
      await fetchAll();
    }
    expect(looking).toEqual([]);
    expect(new Set(rows().map(({ state }) => state))).toEqual(new Set(['sent']));
  });

  test('lets its callers have a 202 in place of a request that hangs as well', async () => {
    const { hanging, ask, wait, rows } = await fabrikamHangs({ hasGate: true });
    wait(30_000);
    hanging.pop()?.({ kind: 'lost', why: 'timeout' });
    await settled();
    const { row } = await ask('a@fabrikam.example');
    expect(row.fate.state).toBe('queued');
    expect(rows().length).toBeGreaterThan(0);
  });
});
