import { type AccessToken, ClientSecretCredential } from '@azure/identity';
import { AppError } from '../errors.ts';
import type { SdkNetwork } from '../network/agents.ts';
import { proxyRefusalOf } from '../proxy-refusal.ts';
import type { EntraAnswer } from './token-failure.ts';

export type EntraTokenOptions = {
  readonly authority: string;
  readonly tenantId: string;
  readonly clientId: string;
  /** `{graph endpoint}/.default` */
  readonly scope: string;
  /** For a token and all that is asked for it. */
  readonly timeoutMs: number;
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
  { authority, tenantId, clientId, scope, network }: Omit<EntraTokenOptions, 'timeoutMs'>,
  secret: string,
  signal: AbortSignal,
): Promise<AccessToken | Refusal> => {
  let answer: EntraAnswer | undefined;
  let proxyRefusal: string | undefined;
  const watch: PipelinePolicy = {
    name: 'watchEntra',
    sendRequest: async (request, next) => {
      answer = undefined;
      requireHostOfEntra(request.url, authority);
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
    const credential = new ClientSecretCredential(tenantId, clientId, secret, {
      ...network?.optionsFor(authority),
      authorityHost: authority,
      // The authority is a setting, so there is nothing to discover; it would ask the global cloud about it.
      disableInstanceDiscovery: true,
      // The queue waits, not the function.
      retryOptions: { maxRetries: 0 },
      additionalPolicies: [{ policy: watch, position: 'perRetry' }],
    });
    return await credential.getToken(scope);
  } catch (failure) {
    // Another secret would not help, and nobody has heard of this one.
    if (proxyRefusal !== undefined)
      throw new AppError('PROXY_REFUSED', { detail: proxyRefusal, cause: failure });
    return answer === undefined ? { failure } : { failure, answer };
  }
};

/** Two names of Entra in China, of which one can give the other (https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud). */
const CHINA: readonly string[] = [
  'https://login.partner.microsoftonline.cn',
  'https://login.chinacloudapi.cn',
];

/** The discovery document says where tokens are issued, and the identity library would send the secret to any host that it names. */
const requireHostOfEntra = (url: string, authority: string): void => {
  const [asked, ours] = [new URL(url).origin, new URL(authority).origin];
  if (asked !== ours && !(CHINA.includes(asked) && CHINA.includes(ours)))
    throw new Error(`Expected a request to ${ours}, received one to another host; the secret was not sent.`);
};

/** A connection kept since the last token may have been closed at this moment; asking for a token twice does no harm. */
const wasReset = (failure: unknown): boolean =>
  ['ECONNRESET', 'EPIPE'].includes((failure as { readonly code?: string }).code ?? '');

const readOAuthError = (body: string | null | undefined): Pick<EntraAnswer, 'error' | 'aadsts'> => {
  try {
    const { error, error_codes: codes } = JSON.parse(body ?? '') as {
      error?: unknown;
      error_codes?: unknown;
    };
    const aadsts: unknown = Array.isArray(codes) ? codes[0] : undefined;
    return {
      ...(typeof error === 'string' ? { error } : {}),
      ...(typeof aadsts === 'number' ? { aadsts } : {}),
    };
  } catch {
    return {};
  }
};
