import type { CloudName } from './cloud.ts';
import { type Connection, connectionOf } from './connection.ts';

/**
 * By which connection an attempt went, as the ledger keeps it. Settings can change while an email is in doubt, and then only the tenant
 * of the attempt can say whether it was sent.
 */
export type Route = {
  readonly connection: string;
  readonly cloud: CloudName;
  /** As settings named it: a GUID, or a domain of the tenant. */
  readonly tenantId: string;
};

/** What the ledger keeps of a connection. */
export const routeOf = ({ name, cloud, tenantId }: Connection): Route => ({
  connection: name,
  cloud,
  tenantId: tenantId.toLowerCase(),
});

/**
 * The connection by which a mailbox can be looked into as an attempt left it; undefined where none reaches the tenant of the attempt. Of
 * several that do, the one that sends for the mailbox now: it has the permissions of now. An attempt without a route was made before
 * there was more than one connection.
 */
export const connectionByRoute = (
  connections: readonly [Connection, ...Connection[]],
  route: Route | undefined,
  mailbox: string,
): Connection | undefined => {
  if (route === undefined) return connections[0];
  const sameName = connections.filter(({ name }) => name === route.connection);
  return [connectionOf(connections, mailbox), ...sameName, ...connections].find(
    ({ cloud, tenantId }) => cloud === route.cloud && tenantId.toLowerCase() === route.tenantId,
  );
};
