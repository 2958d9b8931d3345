import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports.ts';
import { RELAY_ID_PROPERTY } from '../sending/json-message.ts';
import type { Sighting } from '../sending/look-up-plan.ts';
import { parseRetryAfter } from '../sending/retry-after.ts';
import type { GraphCall } from './graph-call.ts';
import { pathOfMailbox } from './mailbox-path.ts';

/**
 * Where a mail can be that Graph has accepted: a draft until transport takes it, then in Sent Items
 * (graph: outlook-things-to-know-about-send-mail); in the Outbox while Exchange holds back what is more than it
 * lets a mailbox send in a minute. Sent Items first, where it nearly always is; and once more in the end, as it may
 * have got there while the others were asked.
 */
const FOLDERS = ['sentitems', 'drafts', 'outbox', 'sentitems'] as const;

/** Looks for a mail by the property it carries (graph: singleValueLegacyExtendedProperty, get). */
export const openMailboxSearch =
  (call: GraphCall, now: () => Date): Ports['mailboxes']['find'] =>
  async (mailbox, mailId) => {
    const filter = `singleValueExtendedProperties/Any(ep: ep/id eq '${RELAY_ID_PROPERTY}' and ep/value eq '${mailId}')`;
    const query = `$filter=${encodeURIComponent(filter)}&$select=id,internetMessageId&$top=1`;
    for (const folder of FOLDERS) {
      const path = `${pathOfMailbox(mailbox)}/mailFolders/${folder}/messages?${query}`;
      const sighting = await look(call, path, now);
      if (sighting.kind !== 'absent') return sighting;
    }
    return { kind: 'absent' };
  };

const look = async (call: GraphCall, path: string, now: () => Date): Promise<Sighting> => {
  let answer: Awaited<ReturnType<GraphCall>>;
  try {
    answer = await call({ method: 'GET', path });
  } catch (error) {
    if (error instanceof AppError) return { kind: 'not-now' };
    throw error;
  }
  if (answer.kind !== 'answered') return { kind: 'not-now' };
  const { status, retryAfter, upstreamCode, text } = answer;
  if (status === 200) return sightingIn(text);
  if (status === 401 || status === 408 || status === 429 || status >= 500) {
    const waitMs = parseRetryAfter(retryAfter, now());
    return { kind: 'not-now', ...defined({ waitMs }) };
  }
  return { kind: 'cannot-tell', ...defined({ upstreamCode }) };
};

/** A Message-ID as RFC 5322 has it; what is not one says nothing. */
const messageIdOf = ({ internetMessageId }: { readonly internetMessageId?: unknown }) =>
  typeof internetMessageId === 'string' && /^<[!-;=?-~]{1,900}>$/.test(internetMessageId)
    ? { internetMessageId }
    : {};

const sightingIn = (text: string): Sighting => {
  try {
    const { value } = JSON.parse(text) as { readonly value?: unknown };
    if (!Array.isArray(value)) return { kind: 'not-now' };
    const [copy] = value as readonly { readonly internetMessageId?: unknown }[];
    return copy === undefined ? { kind: 'absent' } : { kind: 'found', ...messageIdOf(copy) };
  } catch {
    // Falls through: an answer that cannot be read says nothing.
  }
  return { kind: 'not-now' };
};
