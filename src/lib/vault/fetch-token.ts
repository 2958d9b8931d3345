import type { TokenCredential } from '@azure/identity';
import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import type { PassedOver, SecretFacts } from '../ports.ts';
import type { ClientProof, ReadProof } from './client-proof.ts';
import { type Candidate, credentialVersions } from './credential-versions.ts';
import { type FetchToken, type IssuedToken, TokenError } from './entra-token.ts';
import type { SecretSource } from './secret-source.ts';
import {
  chooseTokenFailure,
  decideTokenFailure,
  mayBeTheCredential,
  passedOverFor,
  type Refused,
} from './token-failure.ts';
import type { EntraTokenOptions, Refusal } from './token-request.ts';
import { toIdentityError } from './vault-failure.ts';

/** Asks Entra once. It loads the identity library, which an instance that sends nothing does not need. */
const ask = async (
  options: EntraTokenOptions,
  proof: ClientProof,
  signal: AbortSignal,
): Promise<IssuedToken | Refusal> =>
  (await import('./token-request.ts')).requestToken(options, proof, signal);

const orThrow = (answer: IssuedToken | Refusal): IssuedToken => {
  if ('failure' in answer) throw new TokenError(decideTokenFailure(answer.answer), answer.failure);
  return answer;
};

/** Gets a token with this client secret and no other. Throws what Entra says. */
export const fetchWithSecret = async (
  options: EntraTokenOptions,
  secret: string,
  signal: AbortSignal,
): Promise<IssuedToken> => orThrow(await ask(options, { kind: 'secret', secret }, signal));

/**
 * Gets tokens with a client secret or a certificate that is in the vault. When Entra refuses one version, or the vault refuses to give
 * it, another is tried: a rotation needs no restart, and may be ahead of Entra.
 */
export const fetchWithVault = (
  options: EntraTokenOptions,
  name: string,
  needs: {
    readonly vault: () => SecretSource;
    readonly readProof: ReadProof;
    readonly now: () => Date;
    /** Told once of each version that was passed over for an older one. */
    readonly onPassedOver?: (passedOver: PassedOver) => void;
  },
): FetchToken => {
  const told = new Set<string>();
  const tell = (passedOver: readonly PassedOver[]): void => {
    // What Entra does not know yet is no fault.
    for (const one of passedOver)
      if (one.code !== 'CLIENT_SECRET_TOO_NEW' && !told.has(one.version)) {
        told.add(one.version);
        needs.onPassedOver?.(one);
      }
  };
  return async (asked) => {
    const refused: Refused[] = [];
    const doubtful: Refused[] = [];
    let ofVault: unknown;
    try {
      const candidates = credentialVersions(
        name,
        { ...needs, vault: needs.vault() },
        {
          ...asked,
          onDoubtful: ({ facts, looksLikeId }) =>
            doubtful.push({
              ...aboutVersion(facts),
              failure: undefined,
              unusable: looksLikeId ? 'CLIENT_SECRET_IS_ID' : 'CLIENT_SECRET_WRONG',
            }),
        },
      );
      for await (const candidate of candidates) {
        const answer = await tryCandidate(options, candidate, asked.signal);
        if ('token' in answer) {
          const passedOver = passedOverFor(candidate.facts, [...doubtful, ...refused], needs.now());
          tell(passedOver);
          return passedOver.length === 0 ? answer : { ...answer, passedOver };
        }
        refused.push(answer);
        if (answer.unusable === undefined && !mayBeTheCredential(answer.answer)) break;
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      ofVault = error;
    }
    // What Entra said outranks what the vault said: it was asked with what the vault had given.
    const chosen = chooseTokenFailure(refused, needs.now());
    if (chosen === undefined) throw ofVault;
    const { cause } = chosen;
    throw cause instanceof AppError ? cause : new TokenError(chosen, cause);
  };
};

const aboutVersion = ({ version, createdOn }: SecretFacts) => ({ version, ...defined({ createdOn }) });

const tryCandidate = async (
  options: EntraTokenOptions,
  candidate: Candidate,
  signal: AbortSignal,
): Promise<IssuedToken | Refused> => {
  const { facts, looksLikeId } = candidate;
  const about = aboutVersion(facts);
  if ('unusable' in candidate)
    return { ...about, failure: candidate.unusable, unusable: candidate.unusable.code };
  const answer = await ask(options, candidate.proof, signal);
  return 'failure' in answer
    ? { ...about, ...answer, looksLikeId }
    : { token: answer.token, expiresOnTimestamp: answer.expiresOnTimestamp, version: facts };
};

/** Gets tokens with a token of the managed identity, which the registration trusts as a federated credential. */
export const fetchWithFederation =
  (options: EntraTokenOptions, exchangeAudience: string, identity: TokenCredential): FetchToken =>
  async ({ signal }) => {
    const { token: assertion } = await tokenOfIdentity(identity, `${exchangeAudience}/.default`, signal);
    return orThrow(await ask(options, { kind: 'assertion', assertion }, signal));
  };

/** Gets tokens of the managed identity itself; Entra knows no other application. */
export const fetchWithIdentity =
  (scope: string, identity: TokenCredential): FetchToken =>
  ({ signal }) =>
    tokenOfIdentity(identity, scope, signal);

/** Its own client pays no heed to the signal. */
const tokenOfIdentity = async (
  identity: TokenCredential,
  scope: string,
  signal: AbortSignal,
): Promise<IssuedToken> => {
  const { promise: outOfTime, reject } = Promise.withResolvers<never>();
  const stop = () => reject(new AppError('IDENTITY_UNREACHABLE', { cause: signal.reason }));
  signal.addEventListener('abort', stop, { once: true });
  try {
    const token = await Promise.race([identity.getToken(scope, { abortSignal: signal }), outOfTime]);
    if (token === null) throw new AppError('IDENTITY_UNAVAILABLE');
    return { token: token.token, expiresOnTimestamp: token.expiresOnTimestamp };
  } catch (error) {
    throw error instanceof AppError ? error : toIdentityError(error);
  } finally {
    signal.removeEventListener('abort', stop);
  }
};
