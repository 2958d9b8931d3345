import type { SecretFacts } from '../ports.ts';

export type SecretWarning =
  | { readonly state: 'no-expiry-date'; readonly secretName: string }
  | {
      readonly state: 'expiring' | 'expired';
      readonly secretName: string;
      readonly expiresOn: Date;
      /** Whole days, rounded down; negative once expired. */
      readonly daysLeft: number;
    };

const DAY_MS = 86_400_000;

/**
 * Decides which secrets are worth a warning: expired, or expiring within the largest of the warning days, or
 * without an expiry date, which is how an outage begins unseen. Disabled secrets are in nobody's way.
 */
export const decideSecretWarnings = (
  secrets: readonly SecretFacts[],
  warningDays: readonly number[],
  now: Date,
): readonly SecretWarning[] => {
  const horizon = Math.max(...warningDays) * DAY_MS;
  return secrets
    .filter(({ enabled }) => enabled)
    .flatMap(({ name, expiresOn }): SecretWarning[] => {
      if (expiresOn === undefined) return [{ state: 'no-expiry-date', secretName: name }];
      const leftMs = expiresOn.getTime() - now.getTime();
      if (leftMs > horizon) return [];
      return [
        {
          state: leftMs > 0 ? 'expiring' : 'expired',
          secretName: name,
          expiresOn,
          daysLeft: Math.floor(leftMs / DAY_MS),
        },
      ];
    });
};
