import { CLOUDS, type CloudName, cloudOfAddresses } from '../connections/cloud.ts';
import type { Connection, Credential, CredentialKind } from '../connections/connection.ts';
import { MAIN_CONNECTION } from '../connections/connection.ts';
import {
  type ConnectionDefinition,
  findClaimedTwice,
  readConnection,
} from '../connections/connection-definition.ts';
import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { isObject } from '../mail/absent.ts';
import type { SenderPolicy } from '../mail/sender-policy.ts';
import type { Environment, Settings } from './settings.ts';

/** A connection with a setting of its own. */
const NAMED = /^GRAPH_CONNECTION_([A-Z0-9]+(?:_[A-Z0-9]+)*)$/;

/** Whether a name is that of a setting for one connection. */
export const isNamedConnection = (name: string): boolean => NAMED.test(name);

type NamedConnections = {
  readonly definitions: readonly ConnectionDefinition[];
  readonly problems: readonly Problem[];
};

/** Reads the connections that have a setting of their own, with every problem of them. Values are in no problem. */
export const readNamedConnections = (environment: Environment): NamedConnections => {
  const read = Object.entries(environment).flatMap(([setting, text = '']): NamedConnections[] => {
    const [, suffix] = NAMED.exec(setting) ?? [];
    if (suffix === undefined || text.trim() === '') return [];
    const name = suffix.toLowerCase().replaceAll('_', '-');
    const given = parseObject(text);
    const { definitions, problems } =
      given === undefined
        ? {
            definitions: [],
            problems: [notAnObject(text)],
          }
        : readConnection({ ...given, name });
    return [
      {
        definitions,
        problems: problems.map((problem) => ({ ...problem, pointer: `${setting}${problem.pointer}` })),
      },
    ];
  });
  return {
    definitions: read.flatMap(({ definitions }) => definitions),
    problems: read.flatMap(({ problems }) => problems),
  };
};

const notAnObject = (text: string): Problem => ({
  code: 'SETTINGS_INVALID',
  pointer: '',
  expected:
    'a JSON object without `name`, such as {"senders":["*@fabrikam.com"],"tenantId":"fabrikam.com","clientId":"..."}',
  received: describe(text),
});

const parseObject = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
};

/** What connections claim twice, as problems of settings. */
export const claimedTwice = (definitions: readonly ConnectionDefinition[]): readonly Problem[] =>
  findClaimedTwice(definitions).map(({ index, pointer, owner }) => ({
    code: 'SETTINGS_INVALID',
    pointer: `GRAPH_CONNECTIONS/${definitions[index]?.name ?? index}${pointer}`,
    expected: 'a name and senders that no other connection has',
    received: `the same as of the connection ${owner}`,
  }));

type CloudSettings = Pick<Settings, 'GRAPH_CLOUD' | 'ENTRA_AUTHORITY' | 'GRAPH_ENDPOINT'>;

/** The cloud that settings name, or whose addresses they have; undefined where the addresses are those of several, or of this machine. */
export const cloudOf = ({
  GRAPH_CLOUD,
  ENTRA_AUTHORITY,
  GRAPH_ENDPOINT,
}: CloudSettings): CloudName | undefined => GRAPH_CLOUD ?? cloudOfAddresses(ENTRA_AUTHORITY, GRAPH_ENDPOINT);

/** Where tokens are issued for the main connection, and for callers. */
export const authorityOf = (settings: Pick<Settings, 'GRAPH_CLOUD' | 'ENTRA_AUTHORITY'>): string =>
  settings.ENTRA_AUTHORITY ?? CLOUDS[settings.GRAPH_CLOUD ?? 'global'].authority;

const toCredential = (kind: CredentialKind, secretName: string, certificateName: string): Credential => {
  switch (kind) {
    case 'client-secret':
      return { kind, secretName };
    case 'certificate':
      return { kind, certificateName };
    default:
      return { kind };
  }
};

type ConnectionSettings = CloudSettings &
  Pick<
    Settings,
    | 'ENTRA_TENANT_ID'
    | 'ENTRA_CLIENT_ID'
    | 'GRAPH_CREDENTIAL'
    | 'CLIENT_SECRET_NAME'
    | 'CLIENT_CERTIFICATE_NAME'
    | 'GRAPH_CONNECTIONS'
  >;

/** Every connection of the settings, the main one first. */
export const toConnections = (settings: ConnectionSettings): readonly [Connection, ...Connection[]] => {
  const cloud = cloudOf(settings) ?? 'global';
  const main: Connection = {
    name: MAIN_CONNECTION,
    cloud,
    authority: authorityOf({ ...settings, GRAPH_CLOUD: cloud }),
    graphEndpoint: settings.GRAPH_ENDPOINT ?? CLOUDS[cloud].graphEndpoint,
    tenantId: settings.ENTRA_TENANT_ID,
    clientId: settings.ENTRA_CLIENT_ID,
    credential: toCredential(
      settings.GRAPH_CREDENTIAL,
      settings.CLIENT_SECRET_NAME,
      settings.CLIENT_CERTIFICATE_NAME,
    ),
    senders: [],
  };
  const others = settings.GRAPH_CONNECTIONS.map((definition): Connection => {
    const { name, senders, tenantId, clientId, owner } = definition;
    // Of the same cloud also where its addresses are those of stand-ins.
    const addresses =
      definition.cloud === undefined || definition.cloud === cloud
        ? main
        : { ...CLOUDS[definition.cloud], cloud: definition.cloud };
    return {
      name,
      cloud: addresses.cloud,
      authority: addresses.authority,
      graphEndpoint: addresses.graphEndpoint,
      tenantId,
      clientId,
      credential: toCredential(
        definition.credential,
        definition.secretName ?? `graph-client-secret-${name}`,
        definition.certificateName ?? `graph-client-certificate-${name}`,
      ),
      senders,
      ...(owner === undefined ? {} : { owner }),
    };
  });
  return [main, ...others];
};

/** As whom the relay may send: the senders of a connection are allowed by being named there. */
export const toSenderPolicy = ({
  MAIL_DEFAULT_SENDER,
  MAIL_ALLOWED_SENDERS,
  GRAPH_CONNECTIONS,
}: Pick<Settings, 'MAIL_DEFAULT_SENDER' | 'MAIL_ALLOWED_SENDERS' | 'GRAPH_CONNECTIONS'>): SenderPolicy => ({
  defaultSender: MAIL_DEFAULT_SENDER,
  allowedSenders: [...MAIL_ALLOWED_SENDERS, ...GRAPH_CONNECTIONS.flatMap(({ senders }) => senders)],
});
