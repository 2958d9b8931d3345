import type { KnownIdentity } from '../ledger/identity.ts';
import type { LedgerRow } from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import { readJson } from '../mail/json-bytes.ts';
import { withPriority } from '../mail/priority.ts';
import type { Ports } from '../ports.ts';
import { isStorageFailure } from './storage-failure.ts';

type ContentNeeds = Pick<Ports, 'payloads' | 'readIdentity'>;

/** The stored email of a row; undefined when there is none, or what is there is no JSON. */
export const readStored = async (
  { payloads }: Pick<Ports, 'payloads'>,
  { mailId, bodyHash }: Pick<LedgerRow['facts'], 'mailId' | 'bodyHash'>,
): Promise<unknown> => {
  const json = await payloads.read(mailId, bodyHash);
  if (json === undefined) return undefined;
  try {
    return await readJson(json);
  } catch (error) {
    if (isStorageFailure(error)) throw error;
    return undefined;
  }
};

/** The email of an envelope, with its priority; undefined when it is gone, or is not what the envelope speaks of. */
export const readContent = async (
  needs: ContentNeeds,
  { mailId, contentHash, content, priority }: Envelope,
): Promise<unknown> => {
  if (content !== 'stored') return withPriority(content.mail, priority);
  const mail = await readStored(needs, { mailId, bodyHash: contentHash });
  const identity: KnownIdentity = await needs.readIdentity();
  return identity.isContent(contentHash, mail) ? withPriority(mail, priority) : undefined;
};
