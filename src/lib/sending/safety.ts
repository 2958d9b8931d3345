import { AppError, type Problem } from '../errors.ts';
import type { Address } from '../mail/address.ts';
import { matchesAny } from '../mail/address-pattern.ts';
import type { Mail } from '../mail/mail-schema.ts';
import { leadsOutside } from './leads-outside.ts';

/** What keeps the emails of a test environment away from people. All of it is off in production. */
export type Safety = {
  /** Nothing is sent: emails are kept for the inbox page. */
  readonly capture: boolean;
  /** Everything goes to this address instead. */
  readonly redirectTo?: Address;
  /** The domains, as `*@domain`, and addresses that may be reached, by answers too; undefined where everybody may. */
  readonly recipientDomains?: readonly string[];
  /** What becomes of an email with another recipient. */
  readonly otherRecipients: 'refuse' | 'capture';
};

export const NO_SAFETY: Safety = { capture: false, otherRecipients: 'refuse' };

/** What is done with an email that may be sent. */
export type Handling =
  | { readonly kind: 'send' }
  | { readonly kind: 'redirect'; readonly to: Address }
  /** Kept for the inbox page: certainly not sent. */
  | { readonly kind: 'capture' };

/** What is done with every email, whatever is in it; undefined where that depends on the email. */
export const handlingOfAll = ({ capture, redirectTo, recipientDomains }: Safety): Handling | undefined => {
  if (capture) return { kind: 'capture' };
  // Nobody but that address is reached then.
  if (redirectTo !== undefined) return { kind: 'redirect', to: redirectTo };
  return recipientDomains === undefined ? { kind: 'send' } : undefined;
};

/**
 * Decides what is done with an email by the settings for test environments. An email of which one recipient may not be reached is
 * never sent in part, and one that would lead answers elsewhere is not changed. Throws RECIPIENT_OUTSIDE_DOMAINS.
 */
export const decideHandling = (safety: Safety, mail: Mail, sender: Address): Handling => {
  const known = handlingOfAll(safety);
  if (known !== undefined) return known;
  const { recipientDomains = [], otherRecipients } = safety;
  const code = 'RECIPIENT_OUTSIDE_DOMAINS';
  const recipients = (['to', 'cc', 'bcc'] as const).flatMap((field): Problem[] => {
    const others = mail[field].filter(({ address }) => !matchesAny(recipientDomains, address)).length;
    if (others === 0) return [];
    const pointer = mail.raw === undefined ? `/${field}` : '/mime';
    const expected = 'recipients within MAIL_RECIPIENT_DOMAINS';
    return [{ code, pointer, expected, received: `${others} outside of it` }];
  });
  const answers = leadsOutside(mail, sender.address, recipientDomains).map(
    (where): Problem => ({ code, ...where, received: 'others' }),
  );
  const problems = [...recipients, ...answers];
  if (problems.length === 0) return { kind: 'send' };
  if (otherRecipients === 'capture') return { kind: 'capture' };
  throw new AppError('RECIPIENT_OUTSIDE_DOMAINS', { problems });
};
