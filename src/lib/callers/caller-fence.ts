import type { Problem } from '../errors.ts';
import { addressKey } from '../mail/address.ts';
import { isAllowedSender, type SenderPolicy } from '../mail/sender-policy.ts';
import type { Declaration } from './caller-definition.ts';

const EXPECTED =
  'what MAIL_DEFAULT_SENDER or MAIL_ALLOWED_SENDERS allows; add it there first, and give the relay the permission for the mailbox';

/** Whether the relay may send as this address at all, or as every address of this domain. */
const isWithin = (settings: SenderPolicy, pattern: string): boolean =>
  pattern.startsWith('*@')
    ? settings.allowedSenders.some((allowed) => addressKey(allowed) === addressKey(pattern))
    : isAllowedSender(settings, pattern);

/** Senders of a caller that the settings do not allow: they stay refused, whatever the caller has. */
export const findSendersOutside = ({ rules }: Declaration, settings: SenderPolicy): readonly Problem[] => {
  const { senders = [], defaultSender } = rules;
  const places = [
    ...senders.map((pattern, index) => [`/senders/${index}`, pattern] as const),
    ...(defaultSender === undefined ? [] : [['/defaultSender', defaultSender.address] as const]),
  ];
  return places
    .filter(([, pattern]) => !isWithin(settings, pattern))
    .map(([pointer]) => ({
      code: 'CALLER_INVALID',
      pointer,
      expected: EXPECTED,
      received: 'a sender outside of it',
    }));
};
