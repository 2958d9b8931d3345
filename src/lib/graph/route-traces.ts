import type { Connection } from '../connections/connection.ts';
import { connectionByRoute, type Route } from '../connections/route.ts';
import type { Reason } from '../errors.ts';
import { traceUseNameOf } from '../ledger/trace-use.ts';
import type { MessageTraces } from '../ports.ts';
import { hasMessageTraces, type TenantTraces } from './message-trace.ts';

const failed = (code: Reason['code']) => ({ kind: 'failed', reason: { code } }) as const;

/** Message traces of every tenant that a connection reaches: each by the connection that the email went by, or one of the same tenant. */
export const routeTraces = (
  connections: readonly [Connection, ...Connection[]],
  tracesOf: (connection: Connection) => TenantTraces,
): MessageTraces => {
  const by = (mailbox: string, route: Route | undefined) => {
    const connection = connectionByRoute(connections, route, mailbox);
    if (connection === undefined) return failed('TRACE_CONNECTION_MISSING');
    return hasMessageTraces(connection.cloud) ? connection : failed('TRACE_CLOUD_UNSUPPORTED');
  };
  const tenants = connections.map(({ tenantId }) => tenantId);
  return {
    reach: (mailbox, route) => {
      const found = by(mailbox, route);
      return 'kind' in found ? found : { kind: 'reached', tenant: traceUseNameOf(found.tenantId, tenants) };
    },
    list: async (query, mailbox, route, after) => {
      const found = by(mailbox, route);
      return 'kind' in found ? found : tracesOf(found).list(query, after);
    },
    details: async (row, mailbox, route) => {
      const found = by(mailbox, route);
      return 'kind' in found ? found : tracesOf(found).details(row);
    },
  };
};
