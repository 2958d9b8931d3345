/** What MSAL reads before its first token request: where the endpoints of a tenant are. */
export const toOpenIdConfiguration = (authority: string, tenantId: string) => {
  const tenant = `${authority}/${tenantId}`;
  return {
    issuer: `${tenant}/v2.0`,
    token_endpoint: `${tenant}/oauth2/v2.0/token`,
    authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
    jwks_uri: `${tenant}/discovery/v2.0/keys`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    response_types_supported: ['token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid'],
  };
};

/** The list of clouds; asked for only when `disableInstanceDiscovery` is not set. */
export const toInstanceDiscovery = (authority: string, tenantId: string) => {
  const { host } = new URL(authority);
  return {
    tenant_discovery_endpoint: `${authority}/${tenantId}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
};
