import { AppError } from '../errors.ts';
import type { SecretFacts } from '../ports.ts';
import type { ClientProof, ReadProof } from './client-proof.ts';
import { isValid, type SecretSource, type SecretVersion } from './secret-source.ts';
import { isSettling } from './token-failure.ts';
import { isAboutOneVersion } from './vault-failure.ts';

/** A version of a credential to try with Entra. */
export type Candidate = {
  readonly facts: SecretFacts;
  readonly isDoubtful: boolean;
  readonly looksLikeId: boolean;
} & ({ readonly proof: ClientProof } | { readonly unusable: AppError });

type Needs = { readonly vault: SecretSource; readonly readProof: ReadProof; readonly now: () => Date };

/**
 * The versions of a credential in the order in which they are worth trying: the current one, as it is kept; then the newest two that are
 * valid in the vault now and well formed; then those that look wrong. Nothing is read before it is asked for. Throws what the vault says, in the end
 * where it refused the current version and has no other.
 */
export async function* credentialVersions(
  name: string,
  { vault, readProof, now }: Needs,
  {
    signal,
    fresh,
    onDoubtful = () => {},
  }: {
    readonly signal: AbortSignal;
    readonly fresh: boolean;
    /** Told of each that is left to the end because of its value. */
    readonly onDoubtful?: (candidate: Candidate) => void;
  },
): AsyncGenerator<Candidate> {
  const tried = new Map<string, Candidate>();
  const later: [SecretVersion, Candidate][] = [];
  async function* consider(versions: readonly SecretVersion[]): AsyncGenerator<Candidate> {
    for (const version of versions) {
      if (tried.has(version.value)) continue;
      const candidate = await toCandidate(version, readProof);
      if (candidate.isDoubtful) onDoubtful(candidate);
      if (candidate.isDoubtful || !isValid(version.facts, now())) later.push([version, candidate]);
      else {
        tried.set(version.value, candidate);
        yield candidate;
      }
    }
  }

  const current = await vault.readCurrent(name, { signal, fresh }).catch(aboutOneVersion);
  let refusal = current instanceof AppError ? current : undefined;
  if (!(current instanceof AppError)) yield* consider([current]);
  const isWellFormed = async (version: SecretVersion): Promise<boolean> => {
    const candidate = await toCandidate(version, readProof);
    return !candidate.isDoubtful && !('unusable' in candidate);
  };
  const versions = await vault.readValidVersions(name, { signal, isWellFormed }).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    refusal ??= error;
    return [];
  });
  yield* consider(versions);
  for (const [{ value }, candidate] of later) {
    if (tried.has(value)) continue;
    tried.set(value, candidate);
    yield candidate;
  }
  // While others were tried, Entra may have heard of the newest, and the one before it may have been removed.
  const [first, ...others] = tried.values();
  if (first !== undefined && others.length > 0 && isSettling(first.facts.createdOn, now())) yield first;
  if (refusal !== undefined) throw refusal;
}

const toCandidate = async ({ value, facts }: SecretVersion, readProof: ReadProof): Promise<Candidate> => {
  try {
    const { proof, isDoubtful = false, looksLikeId = false } = await readProof(value);
    return { facts, isDoubtful, looksLikeId, proof };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { facts, isDoubtful: false, looksLikeId: false, unusable: error };
  }
};

const aboutOneVersion = (error: unknown): AppError => {
  if (!isAboutOneVersion(error)) throw error;
  return error as AppError;
};
