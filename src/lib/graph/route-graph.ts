import { type Connection, connectionOf } from '../connections/connection.ts';
import type { BrokenConnection } from '../connections/connection-definition.ts';
import { connectionByRoute, type Route, routeOf } from '../connections/route.ts';
import { defined } from '../defined.ts';
import type { Ports } from '../ports.ts';
import type { FindInMailbox } from './find-in-mailbox.ts';
import type { TenantDrafts } from './graph-drafts.ts';
import type { TenantReceivedMail } from './received-mail.ts';

export type GraphPorts = Pick<Ports, 'mailboxes' | 'drafts' | 'receivedMail'>;

/** Graph by one connection: the mailboxes of its tenant. */
export type TenantGraph = {
  readonly mailboxes: Pick<Ports['mailboxes'], 'send'> & { readonly find: FindInMailbox };
  readonly drafts: TenantDrafts;
  readonly receivedMail: TenantReceivedMail;
};

const REFUSED = { kind: 'no-token', code: 'CONNECTION_INVALID' } as const;

/** Where the settings of a connection are wrong: nothing goes there, and nobody can look. */
const NO_GRAPH: TenantGraph = {
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
  receivedMail: {
    list: async () => ({ kind: 'not-now' }),
    readMime: async () => ({ kind: 'not-now' }),
    findSent: async () => ({ kind: 'not-now' }),
  },
};

/** A mailbox in a tenant that no connection reaches. */
const unreachable = (route: Route | undefined) =>
  ({ kind: 'cannot-tell', ...defined({ lostConnection: route?.connection }) }) as const;

/**
 * Graph for every mailbox: what sends goes by the connection that sends for the mailbox, and what looks for an earlier attempt by one to
 * the tenant of that attempt.
 */
export const routeGraph = (
  [main, ...others]: readonly [Connection, ...Connection[]],
  broken: readonly BrokenConnection[],
  graphOf: (connection: Connection) => TenantGraph,
): GraphPorts => {
  const senderOf = (mailbox: string): Connection | BrokenConnection =>
    connectionOf<Connection | BrokenConnection>([main, ...others, ...broken], mailbox);
  const of = (mailbox: string): TenantGraph => {
    const connection = senderOf(mailbox);
    return 'problems' in connection ? NO_GRAPH : graphOf(connection);
  };
  const by = (route: Route | undefined, mailbox: string): TenantGraph | undefined => {
    const connection = connectionByRoute([main, ...others], route, mailbox);
    if (connection !== undefined) return graphOf(connection);
    // Corrected, it may reach that tenant again.
    return broken.some(({ name }) => name === route?.connection) ? NO_GRAPH : undefined;
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
      send: (plan, mayBegin) => of(plan.mailbox).mailboxes.send(plan, mayBegin),
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
    receivedMail: {
      list: async (mailbox, route, ...rest) =>
        by(route, mailbox)?.receivedMail.list(mailbox, ...rest) ?? unreachable(route),
      readMime: async (mailbox, route, id) =>
        by(route, mailbox)?.receivedMail.readMime(mailbox, id) ?? unreachable(route),
      findSent: async (mailbox, route, internetMessageId) =>
        by(route, mailbox)?.receivedMail.findSent(mailbox, internetMessageId) ?? unreachable(route),
    },
  };
};
