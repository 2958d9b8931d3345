import { type Connection, connectionOf } from './lib/connections/connection.ts';
import { defined } from './lib/defined.ts';
import { openMailboxSearch } from './lib/graph/find-in-mailbox.ts';
import { openGraphDrafts } from './lib/graph/graph-drafts.ts';
import { openGraphMail } from './lib/graph/graph-mail.ts';
import { openGraph } from './lib/graph/open-graph.ts';
import { lazily } from './lib/lazily.ts';
import type { ProxyEnv, SdkNetwork } from './lib/network/agents.ts';
import type { Ports } from './lib/ports.ts';
import { makeTokenSource } from './lib/vault/entra-token.ts';
import type { KeyVault } from './lib/vault/key-vault.ts';

type GraphPorts = Pick<Ports, 'mailboxes' | 'drafts'>;

type Needs = {
  readonly vault: () => KeyVault;
  readonly now: () => Date;
  readonly proxyEnv?: ProxyEnv;
  readonly network: SdkNetwork;
  readonly graphTimeoutMs: number;
  readonly tokenTimeoutMs: number;
};

/** Opens a connection: its token, and Graph. It shares nothing with another one that could fail. */
const openConnection = (connection: Connection, needs: Needs): GraphPorts => {
  const { authority, graphEndpoint: endpoint, tenantId, clientId } = connection;
  const { now, proxyEnv, network, graphTimeoutMs: timeoutMs } = needs;
  const tokens = makeTokenSource(
    {
      authority,
      tenantId,
      clientId,
      scope: `${endpoint}/.default`,
      timeoutMs: needs.tokenTimeoutMs,
      network,
    },
    { ...needs.vault(), now },
  );
  const call = openGraph({ endpoint, timeoutMs, ...defined({ proxyEnv }) }, tokens);
  const request = lazily(async () => (await import('./lib/graph/one-request.ts')).openHttps(proxyEnv));
  return {
    mailboxes: { send: openGraphMail(call), find: openMailboxSearch(call, now) },
    drafts: openGraphDrafts(call, async (one) => (await request())(one), { endpoint, timeoutMs, now }),
  };
};

/** Graph for every mailbox: each call goes by the connection that sends for its mailbox. Opens a connection at its first call. */
export const openConnections = (
  connections: readonly [Connection, ...Connection[]],
  needs: Needs,
): GraphPorts => {
  const opened = new Map<string, GraphPorts>();
  const of = (mailbox: string): GraphPorts => {
    const connection = connectionOf(connections, mailbox);
    const known = opened.get(connection.name) ?? openConnection(connection, needs);
    opened.set(connection.name, known);
    return known;
  };
  return {
    mailboxes: {
      send: (plan) => of(plan.mailbox).mailboxes.send(plan),
      find: (mailbox, ...rest) => of(mailbox).mailboxes.find(mailbox, ...rest),
    },
    drafts: {
      create: (mailbox, ...rest) => of(mailbox).drafts.create(mailbox, ...rest),
      mark: (mailbox, ...rest) => of(mailbox).drafts.mark(mailbox, ...rest),
      attach: (mailbox, ...rest) => of(mailbox).drafts.attach(mailbox, ...rest),
      openUpload: (mailbox, ...rest) => of(mailbox).drafts.openUpload(mailbox, ...rest),
      send: (mailbox, ...rest) => of(mailbox).drafts.send(mailbox, ...rest),
      look: (mailbox, ...rest) => of(mailbox).drafts.look(mailbox, ...rest),
      remove: (mailbox, ...rest) => of(mailbox).drafts.remove(mailbox, ...rest),
      listOf: (mailbox, ...rest) => of(mailbox).drafts.listOf(mailbox, ...rest),
      listBefore: (mailbox, ...rest) => of(mailbox).drafts.listBefore(mailbox, ...rest),
    },
  };
};
