/**
 * The addresses to which the relay gives away a secret: the client secret goes to Entra, the token to Graph, and the token of
 * the app's identity to the vault. They are Microsoft's, or stand-ins on this machine; a setting cannot name another.
 */

/** https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud and, for China also: /graph/deployments */
const ENTRA = [
  'https://login.microsoftonline.com',
  'https://login.microsoftonline.us',
  'https://login.partner.microsoftonline.cn',
  'https://login.chinacloudapi.cn',
];

/** https://learn.microsoft.com/graph/deployments */
const GRAPH = [
  'https://graph.microsoft.com',
  'https://graph.microsoft.us',
  'https://dod-graph.microsoft.us',
  'https://microsoftgraph.chinacloudapi.cn',
];

/** https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers */
const VAULT_SUFFIXES = ['vault.azure.net', 'vault.usgovcloudapi.net', 'vault.azure.cn'];

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
