import { type Address, addressKey } from './address.ts';
import { matchesAny } from './address-pattern.ts';

/** As whom the relay may send at all. */
export type SenderPolicy = {
  readonly defaultSender: Address;
  /** Addresses, or `*@domain` for every address of a domain. The default sender is always allowed. */
  readonly allowedSenders: readonly string[];
};

export const isAllowedSender = ({ defaultSender, allowedSenders }: SenderPolicy, address: string): boolean =>
  addressKey(address) === addressKey(defaultSender.address) || matchesAny(allowedSenders, address);
