import { describe, expect, test } from 'vitest';
import type { Connection } from '../../../src/lib/connections/connection.ts';
import { connectionOf } from '../../../src/lib/connections/connection.ts';
import { connectionByRoute, type Route, routeOf } from '../../../src/lib/connections/route.ts';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { removeUnsent, sightMail } from '../../../src/lib/delivery/sight-mail.ts';
import { findMessageId } from '../../../src/lib/desk/message-id.ts';
import type { InState } from '../../../src/lib/ledger/ledger-row.ts';
import type { MailMark, Ports } from '../../../src/lib/ports.ts';
import type { DirectPlan } from '../../../src/lib/sending/send-plan.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aConnection } from '../../support/a-connection.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const SENDER = 'noreply@contoso.example';
type Connections = readonly [Connection, ...Connection[]];

/** Contoso sends for everyone; then its mailboxes move to the tenant of Fabrikam, with their addresses. */
const BEFORE: Connections = [aConnection('main', { tenantId: 'contoso.example' })];
const moved = aConnection('fabrikam', { tenantId: 'fabrikam.example', senders: [SENDER] });
const AFTER: Connections = [...BEFORE, moved];

/** Two tenants that both have the mailbox. What Contoso is given is sent, and its answer is lost. */
const twoTenants = ({ arrives }: { readonly arrives: boolean }) => {
  const world = inMemoryPorts();
  let connections = BEFORE;
  const sent: { readonly tenant: string }[] = [];
  const looked: string[] = [];
  const mailboxes: Ports['mailboxes'] = {
    routeOf: (mailbox) => routeOf(connectionOf(connections, mailbox)),
    send: async ({ mailbox }: DirectPlan) => {
      const { tenantId: tenant } = connectionOf(connections, mailbox);
      const isLost = tenant === 'contoso.example';
      if (!isLost || arrives) sent.push({ tenant });
      return isLost ? { kind: 'lost', why: 'timeout' } : { kind: 'answered', status: 202 };
    },
    find: async (mailbox: string, _id: string, _mark: MailMark, route: Route | undefined) => {
      const tenant = connectionByRoute(connections, route, mailbox)?.tenantId;
      looked.push(tenant ?? 'nowhere');
      if (tenant === undefined) return { kind: 'cannot-tell', lostConnection: route?.connection ?? '' };
      return { kind: sent.some((one) => one.tenant === tenant) ? 'found' : 'absent' };
    },
  };
  const needs = { ...world.needs, mailboxes };
  const deliverNext = async () => {
    const { text = '', delayMs = 0 } = world.messages.shift() ?? {};
    world.pass(delayMs);
    await deliverMail(
      { ...needs, sending: needs },
      { text, messageId: 'm', insertedAt: new Date(0), caller: 'queue', redelivered: false },
    );
  };
  return {
    ...world,
    sent,
    looked,
    send: () => sendMail(needs, { input: aMail(), caller: aCaller('key:test'), respondAsync: false }),
    settings: (next: Connections) => {
      connections = next;
    },
    /** Until no message is left. */
    settle: async () => {
      while (world.messages.length > 0) await deliverNext();
      return world.rows()[0];
    },
  };
};

describe('an email in doubt whose mailbox moves to another connection meanwhile', () => {
  test('is looked for in the tenant of its attempt, where it is found: it is not sent twice', async () => {
    const { send, settings, settle, sent, looked } = twoTenants({ arrives: true });
    await send();
    settings(AFTER);
    expect(await settle()).toMatchObject({ state: 'sent', verified: true });
    expect([sent, looked]).toEqual([[{ tenant: 'contoso.example' }], ['contoso.example']]);
  });

  test('is sent by the new connection, once the tenant of its attempt has shown that it was not sent', async () => {
    const { send, settings, settle, sent, looked, logged } = twoTenants({ arrives: false });
    await send();
    settings(AFTER);
    expect(await settle()).toMatchObject({
      state: 'sent',
      route: { connection: 'fabrikam', cloud: 'global', tenantId: 'fabrikam.example' },
    });
    expect(sent).toEqual([{ tenant: 'fabrikam.example' }]);
    expect(new Set(looked)).toEqual(new Set(['contoso.example']));
    expect(logged).toContainEqual(expect.objectContaining({ event: 'MailSent', connection: 'fabrikam' }));
  });

  test.each([
    ['was removed from the settings', [{ ...moved, name: 'main' }] as const],
    ['means another tenant now', [{ ...BEFORE[0], tenantId: 'new.example' }, moved] as const],
  ])('is held and never sent again, where the connection of its attempt %s', async (_case, next) => {
    const { send, settings, settle, sent, looked } = twoTenants({ arrives: true });
    await send();
    settings(next);
    const row = await settle();
    expect(row).toMatchObject({ state: 'held', why: 'doubt', reason: { code: 'OUTCOME_UNKNOWN' } });
    expect(JSON.stringify(row)).toContain('The attempt went by the connection main');
    expect([sent, looked]).toEqual([[{ tenant: 'contoso.example' }], ['nowhere']]);
  });
});

const { rows } = aDelivery();
const OLD: Route = { connection: 'main', cloud: 'global', tenantId: 'contoso.example' };
const NEW: Route = { connection: 'fabrikam', cloud: 'global', tenantId: 'fabrikam.example' };

const asking = () => {
  const world = inMemoryPorts();
  const asked: (readonly [string, Route | undefined])[] = [];
  const note = <Value>(what: string, route: Route | undefined, value: Value): Value => {
    asked.push([what, route]);
    return value;
  };
  const needs = {
    ...world.needs,
    mailboxes: {
      ...world.needs.mailboxes,
      find: async (_mailbox: string, _id: string, _mark: MailMark, route: Route | undefined) =>
        note('find', route, { kind: 'absent' } as const),
    },
    drafts: {
      ...world.needs.drafts,
      look: async (_mailbox: string, _id: string, route: Route | undefined) =>
        note('look', route, { kind: 'absent' } as const),
      remove: async (_mailbox: string, _id: string, route: Route | undefined) =>
        note('remove', route, 'removed' as const),
    },
  };
  return { asked, needs };
};

describe('a draft is in the tenant in which it was made, whichever way the next attempt goes:', () => {
  const draft = { id: 'd', mailbox: SENDER, isSubmitted: true, route: OLD };
  const row = { ...rows.unknown, progress: { ...rows.unknown.progress, way: 'draft', draft, route: NEW } };

  test('it is looked for there', async () => {
    const { asked, needs } = asking();
    await sightMail(needs, row as InState<'unknown'>);
    expect(asked).toEqual([
      ['look', OLD],
      ['find', OLD],
    ]);
  });

  test('and removed there', async () => {
    const { asked, needs } = asking();
    await removeUnsent(needs, row as InState<'unknown'>);
    expect(asked).toEqual([
      ['find', OLD],
      ['remove', OLD],
      ['look', OLD],
    ]);
  });
});

test('the Message-ID of an email that was sent is looked for in the tenant that sent it', async () => {
  const { asked, needs } = asking();
  const row = { ...rows.sent, progress: { ...rows.sent.progress, route: OLD } };
  await findMessageId(
    { ...needs, clock: { ...needs.clock, sleep: () => new Promise(() => undefined) } },
    { row, etag: '1' },
  );
  expect(asked).toEqual([['find', OLD]]);
});
