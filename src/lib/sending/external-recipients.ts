import { AppError } from '../errors.ts';
import { type Address, addressKey } from '../mail/address.ts';
import type { Mail } from '../mail/mail-schema.ts';
import type { Handling } from './safety.ts';

/*
 * Limits of recipients that belong to a tenant and not to one mailbox. Exchange counts recipients outside the accepted domains of the
 * tenant, and returns what is above a limit as undeliverable after Graph has accepted it:
 * https://learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online (5.7.232, 5.7.233, 5.7.236).
 */

/** Whose budget an email needs. */
export type BudgetKind = 'tenant' | 'onmicrosoft';

/** What is known of the tenant that sends for a mailbox. */
export type TenantLimits = {
  /** One name for a tenant, whichever of its connections sends. */
  readonly tenant: string;
  /** Domains of the tenant: who is there is not external. */
  readonly domains: readonly string[];
  /** External recipients in 24 hours; undefined where they are not counted. */
  readonly external?: number;
  /** The same of all senders in an onmicrosoft.com domain together. */
  readonly onmicrosoft: number;
};

/** The limits for the mailbox of a sender. */
export type LimitsOf = (sender: string) => TenantLimits;

/** An email, and what is done with it. */
export type GoingMail = {
  readonly mail: Pick<Mail, 'to' | 'cc' | 'bcc'>;
  readonly sender: Address;
  readonly handling: Handling;
};

/** What an email takes of a budget. */
export type Claim = {
  readonly kind: BudgetKind;
  readonly tenant: string;
  readonly limit: number;
  readonly recipients: number;
};

const domainOf = (address: string): string => {
  const domain = addressKey(address.slice(address.lastIndexOf('@') + 1));
  // The same domain in its ASCII form (RFC 5890).
  return URL.canParse(`https://${domain}`) ? new URL(`https://${domain}`).hostname : domain;
};

/** The domains that Microsoft gives a tenant, by cloud: global, China, US Government. */
const OF_MICROSOFT = /\.(?:onmicrosoft\.com|partner\.onmschina\.cn|onmschina\.cn|onmicrosoft\.us)$/;

/** Of which budgets an email takes how much. None where all its recipients are of the tenant, or it is not sent. */
export const claimsOf = (
  limitsOf: LimitsOf,
  { mail: { to, cc, bcc }, sender: { address: sender }, handling }: GoingMail,
): readonly Claim[] => {
  if (handling.kind === 'capture') return [];
  const recipients = handling.kind === 'redirect' ? [handling.to] : [...to, ...cc, ...bcc];
  const { tenant, domains, external, onmicrosoft } = limitsOf(sender);
  const own = new Set([domainOf(sender), ...domains.map(domainOf)]);
  const count = recipients.filter(({ address }) => !own.has(domainOf(address))).length;
  if (count === 0) return [];
  const claim = (kind: BudgetKind, limit: number): Claim => ({ kind, tenant, limit, recipients: count });
  return [
    ...(external === undefined ? [] : [claim('tenant', external)]),
    ...(OF_MICROSOFT.test(domainOf(sender)) ? [claim('onmicrosoft', onmicrosoft)] : []),
  ];
};

const OF = {
  tenant: 'of the tenant',
  onmicrosoft: 'of all senders in an onmicrosoft.com domain together',
} as const;

/** Throws EXTERNAL_RECIPIENTS_TOO_MANY for an email that is more than a whole budget: Exchange would return it whenever it went. */
export const requireWithinBudgets = (limitsOf: LimitsOf, going: GoingMail): void => {
  const claim = claimsOf(limitsOf, going).find(({ recipients, limit }) => recipients > limit);
  if (claim === undefined) return;
  const { kind, limit, recipients } = claim;
  throw new AppError('EXTERNAL_RECIPIENTS_TOO_MANY', {
    detail: `Expected at most ${limit} external recipients, the limit ${OF[kind]} in 24 hours. Received an email with ${recipients}.`,
  });
};
