import {
  type AccessToken,
  ClientAssertionCredential,
  ClientCertificateCredential,
  type ClientCertificateCredentialOptions,
  ClientSecretCredential,
  type TokenCredential,
} from '@azure/identity';
import { AppError } from '../errors.ts';
import type { SdkNetwork } from '../network/agents.ts';
import { proxyRefusalOf } from '../proxy-refusal.ts';
import type { ClientProof } from './client-proof.ts';
import type { EntraAnswer } from './token-failure.ts';

export type EntraTokenOptions = {
  readonly authority: string;
  /** Other names of the same Entra; one can give the other as the place of its tokens. */
  readonly otherAuthorities?: readonly string[];
  readonly tenantId: string;
  readonly clientId: string;
  /** `{graph endpoint}/.default` */
  readonly scope: string;
  readonly network?: SdkNetwork;
};

/** No token: what Entra said, where it said something. */
export type Refusal = { readonly failure: unknown; readonly answer?: EntraAnswer };

type PipelinePolicy = NonNullable<
  NonNullable<ConstructorParameters<typeof ClientSecretCredential>[3]>['additionalPolicies']
>[number]['policy'];

/**
 * Asks once, and watches the wire: the errors of the identity library hide what Entra said when it said it to the
 * discovery request, so an unknown tenant looks to it like a broken network.
 */
export const requestToken = async (
  { scope, ...app }: EntraTokenOptions,
  proof: ClientProof,
  signal: AbortSignal,
): Promise<AccessToken | Refusal> => {
  let answer: EntraAnswer | undefined;
  let proxyRefusal: string | undefined;
  const hosts = [app.authority, ...(app.otherAuthorities ?? [])].map((url) => new URL(url).origin);
  const watch: PipelinePolicy = {
    name: 'watchEntra',
    sendRequest: async (request, next) => {
      answer = undefined;
      requireHostOfEntra(request.url, hosts);
      request.abortSignal = signal;
      const response = await next(request).catch((failure: unknown) => {
        proxyRefusal = proxyRefusalOf(failure);
        if (!wasReset(failure)) throw failure;
        return next(request);
      });
      answer = {
        status: response.status,
        ...readOAuthError(response.bodyAsText),
        ...(response.headers.has('retry-after')
          ? { retryAfter: response.headers.get('retry-after') ?? '' }
          : {}),
      };
      return response;
    },
  };
  try {
    return await openCredential(app, proof, watch).getToken(scope);
  } catch (failure) {
    // Another secret would not help, and nobody has heard of this one.
    if (proxyRefusal !== undefined)
      throw new AppError('PROXY_REFUSED', { detail: proxyRefusal, cause: failure });
    return answer === undefined ? { failure } : { failure, answer };
  }
};

const openCredential = (
  { authority, tenantId, clientId, network }: Omit<EntraTokenOptions, 'scope'>,
  proof: ClientProof,
  watch: PipelinePolicy,
): Pick<ClientSecretCredential, 'getToken'> & TokenCredential => {
  const options: ClientCertificateCredentialOptions = {
    ...network?.optionsFor(authority),
    authorityHost: authority,
    // The authority is a setting, so there is nothing to discover; it would ask the global cloud about it.
    disableInstanceDiscovery: true,
    // The queue waits, not the function.
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [{ policy: watch, position: 'perRetry' }],
  };
  switch (proof.kind) {
    case 'secret':
      return new ClientSecretCredential(tenantId, clientId, proof.secret, options);
    case 'certificate':
      // It names the key by its SHA-256 (x5t#S256) and signs with PS256.
      return new ClientCertificateCredential(
        tenantId,
        clientId,
        { certificate: proof.pem },
        { ...options, sendCertificateChain: proof.withChain },
      );
    case 'assertion':
      return new ClientAssertionCredential(tenantId, clientId, async () => proof.assertion, options);
  }
};

/** The discovery document says where tokens are issued, and the identity library would send the proof to any host that it names. */
const requireHostOfEntra = (url: string, hosts: readonly string[]): void => {
  if (!hosts.includes(new URL(url).origin))
    throw new Error(
      `Expected a request to ${hosts[0]}, received one to another host; the credential was not sent.`,
    );
};

/** A connection kept since the last token may have been closed at this moment; asking for a token twice does no harm. */
const wasReset = (failure: unknown): boolean =>
  ['ECONNRESET', 'EPIPE'].includes((failure as { readonly code?: string }).code ?? '');

/** Of 700027, which has one number for several reasons. */
const KEY_EXPIRED = /\[Reason - The key used is expired/i;

const readOAuthError = (
  body: string | null | undefined,
): Pick<EntraAnswer, 'error' | 'aadsts' | 'keyExpired'> => {
  try {
    const {
      error,
      error_codes: codes,
      error_description: description,
    } = JSON.parse(body ?? '') as {
      error?: unknown;
      error_codes?: unknown;
      error_description?: unknown;
    };
    const aadsts: unknown = Array.isArray(codes) ? codes[0] : undefined;
    return {
      ...(typeof error === 'string' ? { error } : {}),
      ...(typeof aadsts === 'number' ? { aadsts } : {}),
      ...(typeof description === 'string' && KEY_EXPIRED.test(description) ? { keyExpired: true } : {}),
    };
  } catch {
    return {};
  }
};
