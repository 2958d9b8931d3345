import { expect, test } from 'vitest';
import type { BrokenConnection } from '../../../src/lib/connections/connection-definition.ts';
import type { Route } from '../../../src/lib/connections/route.ts';
import { routeGraph } from '../../../src/lib/graph/route-graph.ts';
import { aConnection } from '../../support/a-connection.ts';

const main = aConnection('main', { tenantId: 'contoso.example' });
const fabrikam = aConnection('fabrikam', { senders: ['*@fabrikam.example'] });
const broken: BrokenConnection = {
  name: 'hr',
  senders: ['hr@contoso.example', '*@hr.example'],
  place: 'GRAPH_CONNECTION_HR',
  problems: [],
};
const MARK = { by: 'property', inDrafts: true } as const;

const open = () =>
  routeGraph([main, fabrikam], [broken], ({ name }) => {
    throw new Error(`the connection ${name} was asked`);
  });
const routeTo = (connection: string, tenantId: string): Route => ({ connection, cloud: 'global', tenantId });

test('an attempt goes by the connection of its mailbox, and the ledger can say by which', () => {
  const { mailboxes } = open();
  expect(mailboxes.routeOf('a@contoso.example')).toEqual(routeTo('main', 'contoso.example'));
  expect(mailboxes.routeOf('A@Fabrikam.example')).toEqual(routeTo('fabrikam', 'fabrikam.example'));
});

test('nothing is asked of anybody for the senders of a broken connection, and no other connection sends for them', async () => {
  const { mailboxes, drafts } = open();
  const refused = { kind: 'no-token', code: 'CONNECTION_INVALID' };
  for (const mailbox of ['hr@contoso.example', 'any@hr.example']) {
    const plan = { kind: 'json', mailbox } as Parameters<typeof mailboxes.send>[0];
    const message = { contentType: 'text/plain', body: Buffer.of() } as const;
    expect(await mailboxes.send(plan)).toEqual(refused);
    expect(await drafts.create(mailbox, message)).toEqual({ report: refused });
    expect(await drafts.listBefore(mailbox, new Date())).toBeUndefined();
    expect(mailboxes.routeOf(mailbox).connection).toBe('hr');
  }
});

test('an attempt by a connection that is broken now is looked for once it is corrected, and not held', async () => {
  const { mailboxes, drafts } = open();
  const route = routeTo('hr', 'hr.example');
  expect(await mailboxes.find('any@hr.example', 'id', MARK, route)).toEqual({ kind: 'not-now' });
  expect(await drafts.look('any@hr.example', 'id', route)).toEqual({ kind: 'not-now' });
  expect(await drafts.remove('any@hr.example', 'id', route)).toBe('failed');
});

test('where no connection reaches the tenant of an attempt, nobody looks, and the name of its connection is told', async () => {
  const { mailboxes, drafts } = open();
  const route = routeTo('adatum', 'adatum.example');
  const lost = { kind: 'cannot-tell', lostConnection: 'adatum' };
  expect(await mailboxes.find('a@fabrikam.example', 'id', MARK, route)).toEqual(lost);
  expect(await drafts.look('a@fabrikam.example', 'id', route)).toEqual(lost);
  expect(await drafts.remove('a@fabrikam.example', 'id', route)).toBe('failed');
});
