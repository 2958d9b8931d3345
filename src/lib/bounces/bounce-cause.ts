/** Why an email came back, as far as a code tells. Each has its words in every language. */
export const BOUNCE_CAUSES = {
  'recipient-unknown': 'permanent',
  'domain-unknown': 'permanent',
  'sender-blocked': 'permanent',
  'sender-daily-limit': 'temporary',
  'quota-exceeded': 'temporary',
  'too-large': 'permanent',
  'recipient-receives-too-much': 'temporary',
  'server-unreachable': 'temporary',
  'relay-denied': 'permanent',
  'routing-loop': 'permanent',
  'encryption-required': 'temporary',
  'bare-line-feed': 'permanent',
  'not-allowed': 'permanent',
  'authentication-failed': 'permanent',
  'not-through-the-relay': 'permanent',
  'address-banned': 'permanent',
  'sender-header-invalid': 'permanent',
  'blocked-by-recipient': 'permanent',
  'forwarding-forbidden': 'permanent',
  'tenant-block-list': 'permanent',
  'tenant-restricted': 'temporary',
  'domain-not-registered': 'permanent',
  'tenant-recipient-limit': 'temporary',
  'onmicrosoft-limit': 'temporary',
  'too-many-of-one-domain': 'temporary',
  'reputation-delay': 'temporary',
  'other-permanent': 'permanent',
  'other-temporary': 'temporary',
  'no-code': 'permanent',
} as const satisfies Record<string, 'permanent' | 'temporary'>;

export type BounceCause = keyof typeof BOUNCE_CAUSES;

/**
 * The causes of codes. Those of Exchange Online after Microsoft's list (non-delivery reports in Exchange Online), the others after
 * RFC 3463 and what mail servers write.
 */
const CAUSE_OF: Readonly<Record<string, BounceCause>> = {
  '5.1.1': 'recipient-unknown',
  '5.1.10': 'recipient-unknown',
  '5.1.351': 'recipient-unknown',
  '5.5.0': 'recipient-unknown',
  '5.1.0': 'domain-unknown',
  '5.1.2': 'domain-unknown',
  '5.4.310': 'domain-unknown',
  '5.4.312': 'domain-unknown',
  '5.1.8': 'sender-blocked',
  '5.1.90': 'sender-daily-limit',
  '4.2.2': 'quota-exceeded',
  '5.2.2': 'quota-exceeded',
  '5.2.3': 'too-large',
  '5.3.4': 'too-large',
  '5.2.121': 'recipient-receives-too-much',
  '5.2.122': 'recipient-receives-too-much',
  '4.3.2': 'server-unreachable',
  '4.4.1': 'server-unreachable',
  '4.4.7': 'server-unreachable',
  '4.4.316': 'server-unreachable',
  '4.4.317': 'server-unreachable',
  '5.4.300': 'server-unreachable',
  '5.4.316': 'server-unreachable',
  '5.4.1': 'relay-denied',
  '5.4.6': 'routing-loop',
  '5.4.14': 'routing-loop',
  '4.4.8': 'encryption-required',
  '4.7.5': 'encryption-required',
  '5.4.8': 'encryption-required',
  '5.6.11': 'bare-line-feed',
  '5.7.1': 'not-allowed',
  '5.7.12': 'not-allowed',
  '5.7.124': 'not-allowed',
  '5.7.133': 'not-allowed',
  '5.7.134': 'not-allowed',
  '5.7.136': 'not-allowed',
  '5.7.23': 'authentication-failed',
  '5.7.26': 'authentication-failed',
  '5.7.509': 'authentication-failed',
  '5.7.57': 'not-through-the-relay',
  '5.7.64': 'not-through-the-relay',
  '5.7.501': 'address-banned',
  '5.7.502': 'address-banned',
  '5.7.503': 'address-banned',
  '5.7.511': 'address-banned',
  '5.7.512': 'sender-header-invalid',
  '5.7.513': 'blocked-by-recipient',
  '5.7.520': 'forwarding-forbidden',
  '5.7.703': 'tenant-block-list',
  '5.7.705': 'tenant-restricted',
  '5.7.708': 'tenant-restricted',
  '5.7.230': 'domain-not-registered',
  '5.7.750': 'domain-not-registered',
  '5.7.232': 'tenant-recipient-limit',
  '5.7.233': 'tenant-recipient-limit',
  '5.7.236': 'onmicrosoft-limit',
  '4.5.3': 'too-many-of-one-domain',
};

type Range = {
  readonly first: string;
  readonly from: number;
  readonly to: number;
  readonly cause: BounceCause;
};

const RANGES: readonly Range[] = [
  { first: '5.7.', from: 606, to: 649, cause: 'address-banned' },
  { first: '4.7.', from: 500, to: 699, cause: 'reputation-delay' },
  { first: '4.7.', from: 850, to: 899, cause: 'reputation-delay' },
];

/** The cause that a code stands for; of one that is not in the table, its class is all that is known. */
export const bounceCauseOf = (code: string | undefined): BounceCause => {
  if (code === undefined) return 'no-code';
  const detail = Number(code.slice(code.lastIndexOf('.') + 1));
  const range = RANGES.find(
    ({ first, from, to }) => code.startsWith(first) && detail >= from && detail <= to,
  );
  return (
    (Object.hasOwn(CAUSE_OF, code) ? CAUSE_OF[code] : undefined) ??
    range?.cause ??
    (code.startsWith('4') ? 'other-temporary' : 'other-permanent')
  );
};

/** The codes of each cause, as the documentation lists them. */
export const codesOf = (cause: BounceCause): readonly string[] => [
  ...Object.keys(CAUSE_OF).filter((code) => CAUSE_OF[code] === cause),
  ...RANGES.filter((range) => range.cause === cause).map(
    ({ first, from, to }) => `${first}${from} to ${first}${to}`,
  ),
];
