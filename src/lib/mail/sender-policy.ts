import { AppError } from '../errors.ts';
import { type Address, addressKey } from './address.ts';

export type SenderPolicy = {
  readonly defaultSender: Address;
  /** Addresses, or `*@domain` for every address of a domain. The default sender is always allowed. */
  readonly allowedSenders: readonly string[];
};

/**
 * The sender of a mail: the one it names if allowed, else the default. `pointer` is where it names one. Throws
 * SENDER_NOT_ALLOWED.
 */
export const decideSender = (
  from: Address | undefined,
  policy: SenderPolicy,
  pointer: '/from' | '/mime' = '/from',
): Address => {
  if (from === undefined) return policy.defaultSender;
  const address = addressKey(from.address);
  const allowed = [policy.defaultSender.address, ...policy.allowedSenders].map(addressKey);
  const domain = address.slice(address.lastIndexOf('@'));
  if (allowed.includes(address) || allowed.includes(`*${domain}`)) return from;
  throw new AppError('SENDER_NOT_ALLOWED', {
    problems: [
      {
        code: 'SENDER_NOT_ALLOWED',
        pointer,
        expected: 'a sender in MAIL_ALLOWED_SENDERS',
        received: 'another address',
      },
    ],
  });
};
