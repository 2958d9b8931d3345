/**
 * Microsoft's clouds. The relay gives the client secret to Entra, the token to Graph, and the token of its own identity to the vault
 * and to storage, so it knows their addresses itself.
 */
export type Cloud = {
  /** Where tokens are issued: https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud */
  readonly authority: string;
  /** Other names of the same. */
  readonly otherAuthorities: readonly string[];
  /** https://learn.microsoft.com/graph/deployments */
  readonly graphEndpoint: string;
  /** https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers */
  readonly vaultSuffix: string;
  /** Of `<account>.blob.` and the like: https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure and /azure/china/resources-developer-guide */
  readonly storageSuffix: string;
  /** What a managed identity asks for in order to be a federated credential: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity */
  readonly exchangeAudience: string;
};

export const CLOUD_NAMES = ['global', 'usgov', 'dod', 'china'] as const;
export type CloudName = (typeof CLOUD_NAMES)[number];

const GOVERNMENT = {
  authority: 'https://login.microsoftonline.us',
  otherAuthorities: [],
  vaultSuffix: 'vault.usgovcloudapi.net',
  storageSuffix: 'core.usgovcloudapi.net',
  exchangeAudience: 'api://AzureADTokenExchangeUSGov',
} as const;

export const CLOUDS: Readonly<Record<CloudName, Cloud>> = {
  global: {
    authority: 'https://login.microsoftonline.com',
    otherAuthorities: [],
    graphEndpoint: 'https://graph.microsoft.com',
    vaultSuffix: 'vault.azure.net',
    storageSuffix: 'core.windows.net',
    exchangeAudience: 'api://AzureADTokenExchange',
  },
  usgov: { ...GOVERNMENT, graphEndpoint: 'https://graph.microsoft.us' },
  dod: { ...GOVERNMENT, graphEndpoint: 'https://dod-graph.microsoft.us' },
  china: {
    authority: 'https://login.chinacloudapi.cn',
    otherAuthorities: ['https://login.partner.microsoftonline.cn'],
    graphEndpoint: 'https://microsoftgraph.chinacloudapi.cn',
    vaultSuffix: 'vault.azure.cn',
    storageSuffix: 'core.chinacloudapi.cn',
    exchangeAudience: 'api://AzureADTokenExchangeChina',
  },
};

/** Names of Entra in a cloud; it answers to each of them. */
export const authoritiesOf = (cloud: CloudName): readonly string[] => [
  CLOUDS[cloud].authority,
  ...CLOUDS[cloud].otherAuthorities,
];

/** The cloud of which Graph and Entra have these addresses; undefined where none has both. */
export const cloudOfAddresses = (
  authority: string | undefined,
  graphEndpoint: string | undefined,
): CloudName | undefined =>
  CLOUD_NAMES.find(
    (name) =>
      (authority === undefined || authoritiesOf(name).includes(authority)) &&
      (graphEndpoint === undefined || CLOUDS[name].graphEndpoint === graphEndpoint),
  );
