import { CLOUDS, type CloudName, cloudOfAddresses } from '../connections/cloud.ts';
import type { Connection, Credential, CredentialKind } from '../connections/connection.ts';
import { MAIN_CONNECTION } from '../connections/connection.ts';
import {
  type BrokenConnection,
  EXPECTED_NAME,
  isUsable,
  type ReadConnections,
  readConnection,
} from '../connections/connection-definition.ts';
import { defined } from '../defined.ts';
import type { Problem } from '../errors.ts';
import { isObject } from '../mail/absent.ts';
import type { SenderPolicy } from '../mail/sender-policy.ts';
import { readJsonSetting } from './json-setting.ts';
import type { Environment, Settings } from './settings.ts';

/** A connection with a setting of its own. Case counts for nothing: systems differ in whether it does. */
const NAMED = /^GRAPH_CONNECTION_(.*)$/i;
const SUFFIX = /^[A-Z0-9]+(?:_[A-Z0-9]+)*$/i;

/** Whether a name is that of a setting for one connection, or was meant to be. */
export const isNamedConnection = (name: string): boolean => NAMED.test(name);

const EXPECTED_OBJECT =
  'a JSON object, such as {"senders":["*@fabrikam.com"],"tenantId":"fabrikam.com","clientId":"5a0c8b1d-47f0-4d0e-9a3b-2f6f0c1de871"}';

/** Reads the connections that have a setting of their own. Values are in no problem. */
export const readNamedConnections = (environment: Environment): ReadConnections => {
  const read = Object.entries(environment).flatMap(([setting, text]) => {
    const [, suffix] = NAMED.exec(setting) ?? [];
    return suffix === undefined || text === undefined ? [] : [readNamed(setting, suffix, text)];
  });
  return {
    connections: read.flatMap(({ connections }) => connections),
    problems: read.flatMap(({ problems }) => problems),
  };
};

const readNamed = (setting: string, suffix: string, text: string): ReadConnections => {
  const only = (pointer: string, expected: string, received: string): ReadConnections => ({
    connections: [],
    problems: [{ code: 'SETTINGS_INVALID', pointer: `${setting}${pointer}`, expected, received }],
  });
  const name = suffix.toLowerCase().replaceAll('_', '-');
  if (!SUFFIX.test(suffix) || name === MAIN_CONNECTION)
    return only(
      '',
      `GRAPH_CONNECTION_ and the name of the connection, with _ for each dash: ${EXPECTED_NAME}`,
      'another name',
    );
  // Its senders would be sent for by another connection.
  if (text.trim() === '')
    return only('', `${EXPECTED_OBJECT}. To remove the connection, delete the setting`, 'nothing');
  const { value, received } = readJsonSetting(text);
  if (!isObject(value)) return only('', EXPECTED_OBJECT, received);
  if (Object.hasOwn(value, 'name') && value.name !== name)
    return only('/name', `no name, or ${name}, as the name of the setting says`, 'another name');
  return readConnection({ ...value, name }, setting);
};

/** What is wrong with connections of which only their own senders are refused. */
export const problemsOfConnections = ({
  GRAPH_CONNECTIONS,
}: Pick<Settings, 'GRAPH_CONNECTIONS'>): readonly Problem[] =>
  GRAPH_CONNECTIONS.flatMap((one) => (isUsable(one) ? [] : one.problems));

/** The connections by which nothing can be sent until their settings are corrected. */
export const toBrokenConnections = ({
  GRAPH_CONNECTIONS,
}: Pick<Settings, 'GRAPH_CONNECTIONS'>): readonly BrokenConnection[] =>
  GRAPH_CONNECTIONS.filter((one) => 'problems' in one);

/**
 * Names in the vault that registrations share. A client secret belongs to one registration: at most one of these gets a token with it, and
 * renewing it for one takes it from the other.
 */
export const sharedCredentials = (
  connections: readonly Connection[],
  placeOf: (name: string) => string,
): readonly Problem[] => {
  const owners = new Map<string, Connection>();
  return connections.flatMap((one) => {
    if (one.credential.kind !== 'client-secret') return [];
    const key = one.credential.secretName.toLowerCase();
    const owner = owners.get(key);
    owners.set(key, owner ?? one);
    if (owner === undefined || owner.clientId === one.clientId) return [];
    return [
      {
        code: 'SETTINGS_INVALID' as const,
        pointer: `${placeOf(one.name)}/secretName`,
        expected: 'the name of a secret of its own, as a client secret belongs to one registration',
        received: `the same as of the connection ${owner.name}, which has another clientId`,
      },
    ];
  });
};

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

/** Every connection of the settings that can be used, the main one first. */
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
  const others = settings.GRAPH_CONNECTIONS.filter(isUsable).map((definition): Connection => {
    const { name, senders, tenantId, clientId, owner, externalRecipientsPerDay, internalDomains } =
      definition;
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
      ...defined({ owner, externalRecipientsPerDay, internalDomains }),
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
