import { authoritiesOf, CLOUD_NAMES, CLOUDS } from '../connections/cloud.ts';

/**
 * The addresses to which the relay gives away a secret: the client secret goes to Entra, the token to Graph, and the token of
 * the app's identity to the vault. They are Microsoft's, or stand-ins on this machine; a setting cannot name another.
 */

const ENTRA = [...new Set(CLOUD_NAMES.flatMap(authoritiesOf))];
const GRAPH = CLOUD_NAMES.map((name) => CLOUDS[name].graphEndpoint);
const VAULT_SUFFIXES = [...new Set(CLOUD_NAMES.map((name) => CLOUDS[name].vaultSuffix))];
const STORAGE_SUFFIXES = [...new Set(CLOUD_NAMES.map((name) => CLOUDS[name].storageSuffix))];

/** Names of vaults: 3 to 24 letters, digits and dashes, beginning with a letter. */
const VAULT_NAME = /^[a-z][a-z0-9-]{2,23}$/;

/** Whether an address is one of this machine, where the stand-ins listen. */
export const isLoopback = (url: string): boolean =>
  ['localhost', '127.0.0.1'].includes(new URL(url).hostname);

const LOOPBACK = 'https://localhost or https://127.0.0.1 with a port for local work';

const oneOf =
  (isAllowed: (url: URL) => boolean, allowed: string) =>
  (text: string): string => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isOrigin =
      url?.protocol === 'https:' && url.pathname === '/' && !url.search && !url.hash && !url.username;
    if (url === undefined || !isOrigin || !(isAllowed(url) || isLoopback(url.origin)))
      throw new Error(`an https address without a path: ${allowed}, or ${LOOPBACK}`);
    return url.origin;
  };

/** Reads the address of Microsoft Entra ID. */
export const entraAddress = oneOf(({ origin }) => ENTRA.includes(origin), ENTRA.join(', '));

/** Reads the address of Microsoft Graph. */
export const graphAddress = oneOf(({ origin }) => GRAPH.includes(origin), GRAPH.join(', '));

/** Reads the address of a vault. A managed HSM keeps no secrets, so its address is none. */
export const vaultAddress = oneOf(
  ({ hostname, port }) => {
    const [name = '', ...suffix] = hostname.split('.');
    return port === '' && VAULT_NAME.test(name) && VAULT_SUFFIXES.includes(suffix.join('.'));
  },
  VAULT_SUFFIXES.map((suffix) => `https://<name>.${suffix}`).join(', '),
);

/** Names of storage accounts. */
const ACCOUNT_NAME = /^[0-9a-z]{3,24}$/;

/** Reads the address of a service of a storage account. The stand-in of this machine has the account in the path. */
export const storageAddress =
  (service: 'blob' | 'queue' | 'table') =>
  (text: string): string => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const [account = '', named, ...suffix] = url?.hostname.split('.') ?? [];
    const isAccount =
      url !== undefined &&
      url.port === '' &&
      url.pathname === '/' &&
      ACCOUNT_NAME.test(account) &&
      named === service &&
      STORAGE_SUFFIXES.includes(suffix.join('.'));
    const isOurs = url !== undefined && (isAccount || isLoopback(url.origin));
    if (!isOurs || url.protocol !== 'https:' || url.search || url.hash || url.username)
      throw new Error(
        `an https address: ${STORAGE_SUFFIXES.map((one) => `https://<account>.${service}.${one}`).join(', ')}, or ${LOOPBACK}`,
      );
    return url.href.replace(/\/$/, '');
  };

/** Reads the address of a webhook, which is itself a secret: who has it can write to the channel. */
export const webhookAddress = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.protocol !== 'https:' || url.username || url.password || url.hash)
    throw new Error('an https address, as Teams or Slack shows it for an incoming webhook');
  return url.href;
};
