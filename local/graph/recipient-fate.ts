/** What becomes of an email for one recipient, after the stand-in has accepted it. */
export type RecipientFate =
  | 'delivered'
  | 'failed'
  | 'pending'
  | 'quarantined'
  | 'spam'
  /** A group, whose members are delivered. */
  | 'expanded'
  /** Pending for ten minutes, then delivered. */
  | 'slow';

const BY_NAME: readonly (readonly [RegExp, RecipientFate])[] = [
  [/^bounce/, 'failed'],
  [/^pending/, 'pending'],
  [/^quarantine/, 'quarantined'],
  [/^spam/, 'spam'],
  [/^group/, 'expanded'],
  [/^slow/, 'slow'],
];

/** The name of the recipient decides, so that a test or a person chooses by the address alone (docs/local.md). */
export const fateOf = (address: string): RecipientFate =>
  BY_NAME.find(([name]) => name.test(address.toLowerCase()))?.[1] ?? 'delivered';

/** The enhanced status code of a failure: that in the address, as in `bounce.5.7.1@`, or that of a recipient who does not exist. */
export const bounceCodeOf = (address: string): string =>
  /^bounce[.-]([45])[.-](\d{1,3})[.-](\d{1,3})(?=[@+.-])/i.exec(address)?.slice(1).join('.') ?? '5.1.10';
