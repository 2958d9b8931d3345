import { AppError, type Problem } from '../errors.ts';
import type { Address } from '../mail/address.ts';
import { matchesAny } from '../mail/address-pattern.ts';
import type { Mail } from '../mail/mail-schema.ts';

/** What keeps the emails of a test environment away from people. All of it is off in production. */
export type Safety = {
  /** Nothing is sent: emails are kept for the inbox page. */
  readonly capture: boolean;
  /** Everything goes to this address instead. */
  readonly redirectTo?: Address;
  /** The domains, as `*@domain`, and addresses that may be reached; undefined where everybody may. */
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

/**
 * Decides what is done with an email by the settings for test environments. An email of which one recipient may not be reached is
 * never sent in part. Throws RECIPIENT_OUTSIDE_DOMAINS.
 */
export const decideHandling = (
  { capture, redirectTo, recipientDomains, otherRecipients }: Safety,
  mail: Pick<Mail, 'to' | 'cc' | 'bcc' | 'raw'>,
): Handling => {
  if (capture) return { kind: 'capture' };
  // Nobody but that address is reached then.
  if (redirectTo !== undefined) return { kind: 'redirect', to: redirectTo };
  if (recipientDomains === undefined) return { kind: 'send' };
  const problems = (['to', 'cc', 'bcc'] as const).flatMap((field): Problem[] => {
    const others = mail[field].filter(({ address }) => !matchesAny(recipientDomains, address)).length;
    if (others === 0) return [];
    return [
      {
        code: 'RECIPIENT_OUTSIDE_DOMAINS',
        pointer: mail.raw === undefined ? `/${field}` : '/mime',
        expected: 'recipients within MAIL_RECIPIENT_DOMAINS',
        received: `${others} outside of it`,
      },
    ];
  });
  if (problems.length === 0) return { kind: 'send' };
  if (otherRecipients === 'capture') return { kind: 'capture' };
  throw new AppError('RECIPIENT_OUTSIDE_DOMAINS', { problems });
};
