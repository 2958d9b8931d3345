import { randomUUID } from 'node:crypto';

/** A refusal as Entra words it. `error` is the part that programs branch on; the number is for people. */
export type Aadsts = {
  readonly code: number;
  readonly status: number;
  readonly error: string;
  readonly message: string;
};

/** 401 only for what is wrong with the client's credential: https://www.rfc-editor.org/rfc/rfc6749#section-5.2 */
const refusal = (code: number, error: string, message: string): Aadsts => ({
  code,
  status: error === 'invalid_client' ? 401 : 400,
  error,
  message,
});

// Numbers and meaning: https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
// Status, `error` and wording: answers of the real service that people have published.

export const parameterMissing = (name: string) =>
  refusal(900144, 'invalid_request', `The request body must contain the following parameter: '${name}'.`);

export const grantUnsupported = (grantType: string) =>
  refusal(70003, 'unsupported_grant_type', `The app requested an unsupported grant type '${grantType}'.`);

export const onlyPost = (method: string) =>
  refusal(
    900561,
    'invalid_request',
    `The endpoint only accepts POST requests. Received a ${method} request.`,
  );

export const tenantUnknown = (tenant: string, error = 'invalid_request') =>
  refusal(
    90002,
    error,
    `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. ` +
      'Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.',
  );

export const tenantMalformed = (tenant: string) =>
  refusal(
    900023,
    'invalid_request',
    `Specified tenant identifier '${tenant}' is neither a valid DNS name, nor a valid external domain.`,
  );

export const tenantNeeded = () =>
  refusal(
    9001023,
    'invalid_request',
    'The grant type is not supported over the /common or /consumers endpoints. ' +
      'Please use the /organizations or tenant-specific endpoint.',
  );

export const appUnknown = (clientId: string, tenant: string) =>
  refusal(
    700016,
    'unauthorized_client',
    `Application with identifier '${clientId}' was not found in the directory '${tenant}'. ` +
      'This can happen if the application has not been installed by the administrator of the tenant or consented to by any ' +
      'user in the tenant. You may have sent your authentication request to the wrong tenant.',
  );

export const appDisabled = (clientId: string, displayName: string) =>
  refusal(7000112, 'unauthorized_client', `Application '${clientId}'(${displayName}) is disabled.`);

export const credentialMissing = () =>
  refusal(
    7000216,
    'invalid_client',
    "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
  );

export const secretWrong = (clientId: string) =>
  refusal(
    7000215,
    'invalid_client',
    'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, ' +
      `not the client secret ID, for a secret added to app '${clientId}'.`,
  );

export const secretExpired = (clientId: string) =>
  refusal(
    7000222,
    'invalid_client',
    `The provided client secret keys for app '${clientId}' are expired. Visit the Azure portal to create new keys for your app: ` +
      'https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.',
  );

export const enterpriseAppMissing = (clientId: string, tenantId: string) =>
  refusal(
    7000229,
    'invalid_client',
    `The client application ${clientId} is missing service principal in the tenant ${tenantId}. ` +
      'See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119',
  );

export const assertionMalformed = () =>
  refusal(50027, 'invalid_request', 'JWT token is invalid or malformed.');

export const assertionOfAnotherApp = () =>
  refusal(
    700021,
    'invalid_client',
    "Client assertion application identifier doesn't match 'client_id' parameter.",
  );

export const assertionAudienceWrong = () =>
  refusal(700023, 'invalid_client', 'Client assertion audience claim does not match Realm issuer.');

export const assertionTimeWrong = (now: Date) =>
  refusal(
    700024,
    'invalid_client',
    `Client assertion is not within its valid time range. Current time: ${now.toISOString()}.`,
  );

export const assertionKeyUnknown = (clientId: string) =>
  refusal(
    700027,
    'invalid_client',
    'The certificate with identifier used to sign the client assertion is not registered on application. ' +
      `[Reason - The key was not found.] Application: '${clientId}'.`,
  );

export const assertionKeyExpired = () =>
  refusal(
    700027,
    'invalid_client',
    'The certificate with identifier used to sign the client assertion is expired on application. [Reason - The key used is expired.].',
  );

export const assertionSignatureWrong = () =>
  refusal(
    700027,
    'invalid_client',
    'Client assertion failed signature validation. [Reason - The key was found, but use of the key to verify the signature failed.].',
  );

const federatedMismatch = (code: number, part: string, received: string) =>
  refusal(
    code,
    'invalid_client',
    `No matching federated identity record found for presented assertion ${part} '${received}'. ` +
      'Please check your federated identity credential Subject, Audience and Issuer against the presented assertion.',
  );

export const federatedIssuerUnknown = (issuer: string) => federatedMismatch(700211, 'issuer', issuer);
export const federatedAudienceUnknown = (audience: string) => federatedMismatch(700212, 'audience', audience);
export const federatedSubjectUnknown = (subject: string) => federatedMismatch(700213, 'subject', subject);

export const scopeNotDefault = (scope: string) =>
  refusal(
    1002012,
    'invalid_scope',
    `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default ` +
      'suffixed to the resource identifier (application ID URI).',
  );

export const scopeInvalid = (scope: string) =>
  refusal(
    70011,
    'invalid_scope',
    `The provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.`,
  );

export const resourceUnknown = (resource: string, tenant: string) =>
  refusal(
    500011,
    'invalid_resource',
    `The resource principal named ${resource} was not found in the tenant named ${tenant}. This can happen if the application ` +
      'has not been installed by the administrator of the tenant or consented to by any user in the tenant. ' +
      'You might have sent your authentication request to the wrong tenant.',
  );

/** Entra's JSON around a refusal; the trace id is what Microsoft's support asks for. */
export const toErrorBody = (refused: Aadsts, now: Date, correlationId: string, authority: string) => {
  const traceId = randomUUID();
  const timestamp = `${now.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  return {
    error: refused.error,
    error_description:
      `AADSTS${refused.code}: ${refused.message} ` +
      `Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [refused.code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `${authority}/error?code=${refused.code}`,
  };
};
