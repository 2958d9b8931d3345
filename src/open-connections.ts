import type { TokenCredential } from '@azure/identity';
import { authoritiesOf, CLOUDS } from './lib/connections/cloud.ts';
import { type Connection, MAIN_CONNECTION } from './lib/connections/connection.ts';
import type { BrokenConnection } from './lib/connections/connection-definition.ts';
import { defined } from './lib/defined.ts';
import { openMailboxSearch } from './lib/graph/find-in-mailbox.ts';
import type { GraphCall } from './lib/graph/graph-call.ts';
import { openGraphDrafts } from './lib/graph/graph-drafts.ts';
import { openGraphMail } from './lib/graph/graph-mail.ts';
import { openMessageTraces, type TenantTraces } from './lib/graph/message-trace.ts';
import { openGraph } from './lib/graph/open-graph.ts';
import { openReceivedMail } from './lib/graph/received-mail.ts';
import { type GraphPorts, routeGraph, type TenantGraph } from './lib/graph/route-graph.ts';
import { routeTraces } from './lib/graph/route-traces.ts';
import { toldCall } from './lib/graph/told-call.ts';
import { lazily } from './lib/lazily.ts';
import type { Log } from './lib/log.ts';
import type { ProxyEnv, SdkNetwork } from './lib/network/agents.ts';
import type { OpenConnection, PassedOver, Ports } from './lib/ports.ts';
import { readCertificateProof, readSecretProof } from './lib/vault/client-proof.ts';
import { toProof } from './lib/vault/credential-proof.ts';
import { type FetchToken, makeTokenSource } from './lib/vault/entra-token.ts';
import {
  fetchWithFederation,
  fetchWithIdentity,
  fetchWithSecret,
  fetchWithVault,
} from './lib/vault/fetch-token.ts';
import type { KeyVault } from './lib/vault/key-vault.ts';
import type { EntraTokenOptions } from './lib/vault/token-request.ts';

type Needs = {
  readonly vault: () => KeyVault;
  /** The identity of the app, or the one with a client id. */
  readonly identity: (clientId?: string) => TokenCredential;
  readonly now: () => Date;
  readonly proxyEnv?: ProxyEnv;
  readonly network: SdkNetwork;
  readonly graphTimeoutMs: number;
  readonly tokenTimeoutMs: number;
  readonly log?: Log;
};

/** A connection and what is asked of its credential; `call` is Graph with the token of the connection. */
export type ProvenConnection = Omit<OpenConnection, 'registration'> & { readonly call: GraphCall };

type Opened = TenantGraph & ProvenConnection & { readonly traces: TenantTraces };

const fetchTokens = (connection: Connection, options: EntraTokenOptions, needs: Needs): FetchToken => {
  const { credential, name, cloud, clientId } = connection;
  const ofVault = {
    ...needs,
    onPassedOver: ({ version, code }: PassedOver) =>
      needs.log?.({ event: 'NewestRefused', connection: name, version, code }),
  };
  switch (credential.kind) {
    case 'client-secret':
      return fetchWithVault(options, credential.secretName, { ...ofVault, readProof: readSecretProof });
    case 'certificate':
      return fetchWithVault(options, credential.certificateName, {
        ...ofVault,
        readProof: readCertificateProof,
      });
    case 'federated':
      return fetchWithFederation(options, CLOUDS[cloud].exchangeAudience, needs.identity());
    case 'managed-identity':
      // The client id of the settings can be that of the registration for which callers get tokens.
      return fetchWithIdentity(
        options.scope,
        needs.identity(name === MAIN_CONNECTION ? undefined : clientId),
      );
  }
};

/** Opens a connection: its token, and Graph. It shares nothing with another one that could fail. */
const openConnection = (connection: Connection, needs: Needs): Opened => {
  const { authority, graphEndpoint: endpoint, tenantId, clientId, cloud } = connection;
  const { now, proxyEnv, network, graphTimeoutMs: timeoutMs, tokenTimeoutMs } = needs;
  const options: EntraTokenOptions = {
    authority,
    otherAuthorities: authoritiesOf(cloud).includes(authority) ? authoritiesOf(cloud) : [],
    tenantId,
    clientId,
    scope: `${endpoint}/.default`,
    network,
  };
  const tokens = makeTokenSource(fetchTokens(connection, options, needs), { timeoutMs: tokenTimeoutMs, now });
  const untold = openGraph({ endpoint, timeoutMs, ...defined({ proxyEnv }) }, tokens);
  const call = needs.log === undefined ? untold : toldCall(untold, connection.name, needs.log);
  const request = lazily(async () => (await import('./lib/graph/one-request.ts')).openHttps(proxyEnv));
  return {
    connection,
    call,
    proveCredential: async () => toProof(await tokens.prove()),
    proveSecret: async (value) => {
      await fetchWithSecret(options, value, AbortSignal.timeout(tokenTimeoutMs));
    },
    mailboxes: { send: openGraphMail(call), find: openMailboxSearch(call, now) },
    traces: openMessageTraces(call, endpoint, now),
    receivedMail: openReceivedMail(call, now),
    drafts: openGraphDrafts(call, async (one) => (await request())(one), { endpoint, timeoutMs, now }),
  };
};

/** Opens every connection, the main one first, and Graph for every mailbox by them. Nothing is asked of anyone before it is needed. */
export const openConnections = (
  connections: readonly [Connection, ...Connection[]],
  broken: readonly BrokenConnection[],
  needs: Needs,
): GraphPorts & Pick<Ports, 'traces'> & { readonly all: readonly ProvenConnection[] } => {
  const all = connections.map((connection) => openConnection(connection, needs));
  const graphOf = (connection: Connection): Opened => {
    const opened = all.find((one) => one.connection === connection);
    if (opened === undefined)
      throw new Error(`the connection ${connection.name} is not among those that were opened`);
    return opened;
  };
  const traces = routeTraces(connections, (connection) => graphOf(connection).traces);
  return { all, traces, ...routeGraph(connections, broken, graphOf) };
};
