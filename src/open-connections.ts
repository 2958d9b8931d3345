import { type Connection, connectionOf } from './lib/connections/connection.ts';
import type { BrokenConnection } from './lib/connections/connection-definition.ts';
import { connectionByRoute, type Route, routeOf } from './lib/connections/route.ts';
import { defined } from './lib/defined.ts';
import { type FindInMailbox, openMailboxSearch } from './lib/graph/find-in-mailbox.ts';
import { openGraphDrafts, type TenantDrafts } from './lib/graph/graph-drafts.ts';
import { openGraphMail } from './lib/graph/graph-mail.ts';
import { openGraph } from './lib/graph/open-graph.ts';
import { lazily } from './lib/lazily.ts';
import type { Ports } from './lib/ports.ts';
import type { Environment } from './lib/settings/settings.ts';
import { makeTokenSource } from './lib/vault/entra-token.ts';
import type { KeyVault } from './lib/vault/key-vault.ts';

type GraphPorts = Pick<Ports, 'mailboxes' | 'drafts'>;
/** Graph by one connection. */
type OpenGraph = {
  readonly mailboxes: Pick<Ports['mailboxes'], 'send'> & { readonly find: FindInMailbox };
  readonly drafts: TenantDrafts;
};

type Needs = {
  readonly vault: () => KeyVault;
  readonly now: () => Date;
  readonly environment: Environment;
  readonly graphTimeoutMs: number;
  readonly tokenTimeoutMs: number;
};

const REFUSED = { kind: 'no-token', code: 'CONNECTION_INVALID' } as const;

/** What Graph is where the settings of a connection are wrong: nothing goes there, and nobody can look. */
const BROKEN_GRAPH: OpenGraph = {
  mailboxes: { send: async () => REFUSED, find: async () => ({ kind: 'not-now' }) },
  drafts: {
    create: async () => ({ report: REFUSED }),
    mark: async () => REFUSED,
    attach: async () => REFUSED,
    openUpload: async () => ({ report: REFUSED }),
    send: async () => REFUSED,
    look: async () => ({ kind: 'not-now' }),
    remove: async () => 'failed',
    listOf: async () => undefined,
    listBefore: async () => undefined,
  },
};

/** A mailbox in a tenant that no connection reaches. */
const unreachable = (route: Route | undefined) =>
  ({ kind: 'cannot-tell', ...defined({ lostConnection: route?.connection }) }) as const;

/** Opens a connection: its token, and Graph. It shares nothing with another one that could fail. */
const openConnection = (connection: Connection, needs: Needs): OpenGraph => {
  const { authority, graphEndpoint: endpoint, tenantId, clientId } = connection;
  const { now, graphTimeoutMs: timeoutMs } = needs;
  const tokens = makeTokenSource(
    { authority, tenantId, clientId, scope: `${endpoint}/.default`, timeoutMs: needs.tokenTimeoutMs },
    { ...needs.vault(), now },
  );
  // What makes the rest of Node use a proxy.
  const proxyEnv = needs.environment.NODE_USE_ENV_PROXY === '1' ? needs.environment : undefined;
  const call = openGraph({ endpoint, timeoutMs, ...defined({ proxyEnv }) }, tokens);
  const request = lazily(async () => (await import('./lib/graph/one-request.ts')).openHttps(proxyEnv));
  return {
    mailboxes: { send: openGraphMail(call), find: openMailboxSearch(call, now) },
    drafts: openGraphDrafts(call, async (one) => (await request())(one), { endpoint, timeoutMs, now }),
  };
};

/**
 * Graph for every mailbox: what sends goes by the connection that sends for the mailbox, and what looks for an earlier attempt by one to
 * the tenant of that attempt. Opens a connection at its first call.
 */
export const openConnections = (
  connections: readonly [Connection, ...Connection[]],
  broken: readonly BrokenConnection[],
  needs: Needs,
): GraphPorts => {
  const opened = new Map<string, OpenGraph>();
  const open = (connection: Connection): OpenGraph => {
    const known = opened.get(connection.name) ?? openConnection(connection, needs);
    opened.set(connection.name, known);
    return known;
  };
  const [main, ...others] = connections;
  const senderOf = (mailbox: string): Connection | BrokenConnection =>
    connectionOf<Connection | BrokenConnection>([main, ...others, ...broken], mailbox);
  const of = (mailbox: string): OpenGraph => {
    const connection = senderOf(mailbox);
    return 'problems' in connection ? BROKEN_GRAPH : open(connection);
  };
  const by = (route: Route | undefined, mailbox: string): OpenGraph | undefined => {
    const connection = connectionByRoute(connections, route, mailbox);
    if (connection !== undefined) return open(connection);
    // Corrected, it may reach that tenant again.
    return broken.some(({ name }) => name === route?.connection) ? BROKEN_GRAPH : undefined;
  };
  return {
    mailboxes: {
      routeOf: (mailbox) => {
        const connection = senderOf(mailbox);
        // Nothing goes by it, so it need not be found again.
        return 'problems' in connection
          ? { connection: connection.name, cloud: main.cloud, tenantId: '' }
          : routeOf(connection);
      },
      send: (plan) => of(plan.mailbox).mailboxes.send(plan),
      find: async (mailbox, mailId, mark, route) =>
        by(route, mailbox)?.mailboxes.find(mailbox, mailId, mark) ?? unreachable(route),
    },
    drafts: {
      create: (mailbox, ...rest) => of(mailbox).drafts.create(mailbox, ...rest),
      mark: (mailbox, ...rest) => of(mailbox).drafts.mark(mailbox, ...rest),
      attach: (mailbox, ...rest) => of(mailbox).drafts.attach(mailbox, ...rest),
      openUpload: (mailbox, ...rest) => of(mailbox).drafts.openUpload(mailbox, ...rest),
      send: (mailbox, ...rest) => of(mailbox).drafts.send(mailbox, ...rest),
      look: async (mailbox, draftId, route) =>
        by(route, mailbox)?.drafts.look(mailbox, draftId) ?? unreachable(route),
      remove: async (mailbox, draftId, route) =>
        by(route, mailbox)?.drafts.remove(mailbox, draftId) ?? 'failed',
      listOf: (mailbox, ...rest) => of(mailbox).drafts.listOf(mailbox, ...rest),
      listBefore: (mailbox, ...rest) => of(mailbox).drafts.listBefore(mailbox, ...rest),
    },
  };
};
