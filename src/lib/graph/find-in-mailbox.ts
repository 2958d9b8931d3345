import { defined } from '../defined.ts';
import type { MailMark } from '../ports.ts';
import { RELAY_ID_PROPERTY } from '../sending/json-message.ts';
import type { Sighting } from '../sending/look-up-plan.ts';
import { parseRetryAfter } from '../sending/retry-after.ts';
import type { GraphCall } from './graph-call.ts';
import { pathOfMailbox } from './mailbox-path.ts';
import { messageIdOf } from './message-id.ts';
import { type GraphReport, reportCall } from './report-call.ts';

/**
 * Where a mail can be that Graph has accepted: a draft until transport takes it, then in Sent Items
 * (graph: outlook-things-to-know-about-send-mail); in the Outbox while Exchange holds back what is more than it
 * lets a mailbox send in a minute. Sent Items first, where it nearly always is; and once more in the end, as it may
 * have got there while the others were asked.
 */
const FOLDERS = ['sentitems', 'drafts', 'outbox', 'sentitems'] as const;

/**
 * The header of a mail that went as MIME, as Exchange keeps headers that it does not know: by name, in lower case, in
 * PS_INTERNET_HEADERS (MS-OXCMAIL, unknown headers). It may drop them instead.
 */
const RELAY_ID_HEADER = 'String {00020386-0000-0000-C000-000000000046} Name x-mailrelay-id';

/** The filter for messages with this property; of any value where none is given. */
export const withProperty = (mailId?: string, property = RELAY_ID_PROPERTY): string =>
  `singleValueExtendedProperties/Any(ep: ep/id eq '${property}' and ep/value ${mailId === undefined ? 'ne null' : `eq '${mailId}'`})`;

/** Looks in a mailbox of this connection's tenant. */
export type FindInMailbox = (mailbox: string, mailId: string, mark: MailMark) => Promise<Sighting>;

/** Looks for a mail by the property it carries (graph: singleValueLegacyExtendedProperty, get). */
export const openMailboxSearch =
  (call: GraphCall, now: () => Date): FindInMailbox =>
  async (mailbox, mailId, { by, inDrafts }) => {
    const filter = by === 'header' ? withProperty(mailId, RELAY_ID_HEADER) : withProperty(mailId);
    const query = `$filter=${encodeURIComponent(filter)}&$select=id,internetMessageId,from&$top=1`;
    for (const folder of FOLDERS) {
      if (folder === 'drafts' && !inDrafts) continue;
      const path = `${pathOfMailbox(mailbox)}/mailFolders/${folder}/messages?${query}`;
      const sighting = await look(call, path, now);
      if (sighting.kind !== 'absent') return sighting;
    }
    return { kind: 'absent' };
  };

const look = async (call: GraphCall, path: string, now: () => Date): Promise<Sighting> => {
  const report = await reportCall(call, { method: 'GET', path });
  return report.kind === 'answered' && report.status === 200
    ? sightingIn(report.text)
    : sightingWithout(report, now());
};

/** What an answer means that shows nothing: the mailbox cannot be read now, or not at all. */
export const sightingWithout = (report: GraphReport, now: Date): Sighting => {
  if (report.kind !== 'answered') return { kind: 'not-now' };
  const { status, retryAfter, upstreamCode } = report;
  if (status === 403) return { kind: 'cannot-tell', ...defined({ upstreamCode }) };
  const waitMs = parseRetryAfter(retryAfter, now);
  return { kind: 'not-now', status, ...defined({ waitMs, upstreamCode }) };
};

const sightingIn = (text: string): Sighting => {
  try {
    const { value } = JSON.parse(text) as { readonly value?: unknown };
    if (!Array.isArray(value)) return { kind: 'not-now' };
    const [copy] = value as readonly object[];
    return copy === undefined
      ? { kind: 'absent' }
      : { kind: 'found', ...messageIdOf(copy), ...senderOf(copy) };
  } catch {
    // Falls through: an answer that cannot be read says nothing.
  }
  return { kind: 'not-now' };
};

/** Enough that it can be shown: Exchange says which address it is. */
const ADDRESS = /^[^\s@]{1,64}@[^\s@]{1,255}$/;

const senderOf = (message: object): { readonly from?: string } => {
  const { from } = message as { readonly from?: { readonly emailAddress?: { readonly address?: unknown } } };
  const address = from?.emailAddress?.address;
  return typeof address === 'string' && ADDRESS.test(address) ? { from: address } : {};
};
