import type { MadeSecret, RegisteredCredential, RenewalAttempt, RotationState } from '../ports.ts';

/** After which nothing of an abandoned attempt can appear any more. */
const ABANDONED_MS = 7 * 86_400_000;

/** The state of a registration of which nothing is known. */
export const newRotation = (clientId: string): RotationState => ({
  clientId,
  abandoned: [],
  made: [],
  reported: [],
});

export const withAttempt = (state: RotationState, attempt: RenewalAttempt): RotationState => ({
  ...state,
  attempt,
});

/** The attempt ended, and nothing was made. */
export const withoutAttempt = ({ attempt: _, ...state }: RotationState): RotationState => state;

/** The secret is in the vault. */
export const withMade = (state: RotationState, made: MadeSecret): RotationState => ({
  ...withoutAttempt(state),
  abandoned: state.abandoned.filter(({ displayName }) => displayName !== made.displayName),
  made: [...state.made.filter(({ keyId }) => keyId !== made.keyId), made].toSorted((one, other) =>
    one.storedAt.localeCompare(other.storedAt),
  ),
});

export const withAbandoned = (state: RotationState, attempt: RenewalAttempt, now: Date): RotationState => ({
  ...withoutAttempt(state),
  abandoned: [
    ...state.abandoned.filter(
      ({ startedAt }) => now.getTime() - new Date(startedAt).getTime() < ABANDONED_MS,
    ),
    attempt,
  ],
});

/** Entra no longer has them. */
export const withoutSecrets = (state: RotationState, keyIds: readonly string[]): RotationState => ({
  ...state,
  made: state.made.filter(({ keyId }) => !keyIds.includes(keyId)),
});

/** The log has named them. What the registration no longer has is dropped. */
export const withReported = (
  state: RotationState,
  keyIds: readonly string[],
  registered: readonly RegisteredCredential[],
): RotationState => ({
  ...state,
  reported: [
    ...state.reported.filter((reported) => registered.some(({ keyId }) => keyId === reported)),
    ...keyIds,
  ],
});
