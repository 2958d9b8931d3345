import type { LimitsOf } from '../../src/lib/sending/external-recipients.ts';

export const A_TENANT = 'global/contoso.example';

/** A tenant whose external recipients are not counted. */
export const UNCOUNTED_RECIPIENTS: LimitsOf = () => ({ tenant: A_TENANT, domains: [], onmicrosoft: 100 });

/** A tenant with a limit of external recipients. */
export const external =
  (limit: number): LimitsOf =>
  () => ({ ...UNCOUNTED_RECIPIENTS(''), external: limit });
