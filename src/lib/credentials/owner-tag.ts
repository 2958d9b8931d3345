import { addressKey } from '../mail/address.ts';
import { parseAddresses } from '../mail/address-list.ts';
import type { SenderPolicy } from '../mail/sender-policy.ts';
import type { CheckedConnection } from './watched-credentials.ts';

/** Why the owner whom the vault names gets no email. */
export type OwnerFault = 'unreadable' | 'outside';

export type TaggedOwner = { readonly address?: string; readonly fault?: OwnerFault };

const domainOf = (address: string): string => addressKey(address).split('@').at(-1) ?? '';

/** The domains that the settings know: those of the recipients of warnings, of the owners of connections, and of the senders. */
export const knownDomains = (
  recipients: readonly string[],
  policy: SenderPolicy | undefined,
  connections: readonly CheckedConnection[],
): ReadonlySet<string> =>
  new Set(
    [
      ...recipients,
      ...connections.flatMap(({ use: { connection } }) => [...connection.senders, connection.owner ?? '']),
      ...(policy === undefined ? [] : [policy.defaultSender.address, ...policy.allowedSenders]),
    ]
      .filter((one) => one !== '')
      .map(domainOf),
  );

/**
 * The owner that a tag in the vault names. Anyone who may write to the vault can have written it, so it is one address, and of a domain
 * that the settings know: the names and dates of secrets go nowhere else.
 */
export const readOwnerTag = (tag: string | undefined, domains: ReadonlySet<string>): TaggedOwner => {
  if (!tag?.trim()) return {};
  const [owner, ...more] = parseAddresses(tag.trim()) ?? [];
  if (owner === undefined || more.length > 0) return { fault: 'unreadable' };
  return domains.has(domainOf(owner.address)) ? { address: owner.address } : { fault: 'outside' };
};
