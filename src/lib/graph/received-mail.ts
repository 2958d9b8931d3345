import type { ReceivedMessage } from '../bounces/received-message.ts';
import { defined } from '../defined.ts';
import { isMailId } from '../ledger/mail-id.ts';
import type { MailboxTrouble, ReceivedMail } from '../ports.ts';
import { RELAY_ID_PROPERTY } from '../sending/json-message.ts';
import { sightingWithout } from './find-in-mailbox.ts';
import type { GraphCall } from './graph-call.ts';
import { pathOfMailbox } from './mailbox-path.ts';
import { type GraphReport, reportCall } from './report-call.ts';

/** PidTagMessageClass. */
const ITEM_CLASS_PROPERTY = 'String 0x001A';
/** Exchange takes headers of up to 256 KB: a page of these is read whole, whoever wrote them. */
const PAGE = 25;
const MOST_PAGE_TEXT = 10_000_000;
/** What a report says comes before the email that it returns, which can be as large as any. */
const MOST_MIME = 256 * 1024;
const IS_ID = /^[\w+/=-]{1,1000}$/;

/** What mailboxes of the tenant of this connection have received. */
export type TenantReceivedMail = {
  readonly list: (mailbox: string, from: Date, after?: string) => ReturnType<ReceivedMail['list']>;
  readonly readMime: (mailbox: string, id: string) => ReturnType<ReceivedMail['readMime']>;
  readonly findSent: (mailbox: string, internetMessageId: string) => ReturnType<ReceivedMail['findSent']>;
};

/**
 * Reads the Inbox, where reports arrive (Mail.Read): of every message its headers, of a report its MIME. Ids are immutable, so that a
 * message that was moved is still the same.
 */
export const openReceivedMail = (call: GraphCall, now: () => Date): TenantReceivedMail => {
  const ask = (path: string, readUpTo?: number): Promise<GraphReport> =>
    reportCall(call, { method: 'GET', path, immutableIds: true, ...defined({ readUpTo }) });
  const trouble = (report: GraphReport): MailboxTrouble => {
    const sighting = sightingWithout(report, now());
    return sighting.kind === 'cannot-tell' || sighting.kind === 'not-now' ? sighting : { kind: 'not-now' };
  };

  return {
    list: async (mailbox, from, after) => {
      const report = await ask(after ?? listPath(mailbox, from), MOST_PAGE_TEXT);
      if (report.kind !== 'answered' || report.status !== 200) return trouble(report);
      return pageIn(report.text) ?? { kind: 'not-now' };
    },
    readMime: async (mailbox, id) => {
      // The same below a folder is refused.
      const path = `${pathOfMailbox(mailbox)}/messages/${encodeURIComponent(id)}/$value`;
      const report = await ask(path, MOST_MIME);
      if (report.kind === 'answered' && report.status === 200) return { kind: 'mime', text: report.text };
      return report.kind === 'answered' && report.status === 404 ? { kind: 'absent' } : trouble(report);
    },
    findSent: async (mailbox, internetMessageId) => {
      const filter = `internetMessageId eq '${internetMessageId.replaceAll("'", "''")}'`;
      const query = `$filter=${encodeURIComponent(filter)}&$select=id&$top=1&$expand=${expandOf(RELAY_ID_PROPERTY)}`;
      const report = await ask(`${pathOfMailbox(mailbox)}/mailFolders/sentitems/messages?${query}`);
      if (report.kind !== 'answered' || report.status !== 200) return trouble(report);
      const { value } = objectIn(report.text);
      if (!Array.isArray(value)) return { kind: 'not-now' };
      const mailId = propertyOf(value[0]);
      return mailId !== undefined && isMailId(mailId)
        ? { kind: 'found', mailId: mailId.toLowerCase() }
        : { kind: 'absent' };
    },
  };
};

const expandOf = (property: string): string =>
  encodeURIComponent(`singleValueExtendedProperties($filter=id eq '${property}')`);

const listPath = (mailbox: string, from: Date): string =>
  `${pathOfMailbox(mailbox)}/mailFolders/inbox/messages?$filter=${encodeURIComponent(`receivedDateTime ge ${from.toISOString()}`)}` +
  `&$orderby=receivedDateTime&$select=id,receivedDateTime,internetMessageHeaders,toRecipients&$expand=${expandOf(ITEM_CLASS_PROPERTY)}&$top=${PAGE}`;

/** The next page, at the address that the settings name, whichever host the answer names. */
const nextPathIn = (link: unknown): string | undefined => {
  const url = typeof link === 'string' ? URL.parse(link) : null;
  return url?.pathname.startsWith('/v1.0/users/')
    ? `${url.pathname.slice('/v1.0'.length)}${url.search}`
    : undefined;
};

const pageIn = (text: string): Awaited<ReturnType<TenantReceivedMail['list']>> | undefined => {
  const { value, '@odata.nextLink': link } = objectIn(text);
  if (!Array.isArray(value)) return undefined;
  return { kind: 'page', messages: value.flatMap(messageIn), ...defined({ next: nextPathIn(link) }) };
};

const objectIn = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

type Listed = {
  readonly id?: unknown;
  readonly receivedDateTime?: unknown;
  readonly internetMessageHeaders?: unknown;
  readonly toRecipients?: unknown;
};

const listIn = <Item>(value: unknown): readonly Item[] =>
  Array.isArray(value) ? (value as readonly Item[]) : [];

const messageIn = (listed: unknown): readonly ReceivedMessage[] => {
  const { id, receivedDateTime, internetMessageHeaders, toRecipients } = (listed ?? {}) as Listed;
  const receivedAt = new Date(String(receivedDateTime));
  if (typeof id !== 'string' || !IS_ID.test(id) || Number.isNaN(receivedAt.getTime())) return [];
  return [
    {
      id,
      receivedAt,
      ...defined({ itemClass: propertyOf(listed) }),
      headers: listIn<{ name?: unknown; value?: unknown } | null>(internetMessageHeaders).flatMap((header) =>
        typeof header?.name === 'string' ? [{ name: header.name, value: String(header.value ?? '') }] : [],
      ),
      toAddresses: listIn<{ emailAddress?: { address?: unknown } } | null>(toRecipients).flatMap((one) => {
        const address = one?.emailAddress?.address;
        return typeof address === 'string' ? [address] : [];
      }),
    },
  ];
};

/** The only property that was asked for. */
const propertyOf = (listed: unknown): string | undefined => {
  const { singleValueExtendedProperties } = (listed ?? {}) as { singleValueExtendedProperties?: unknown };
  const value = listIn<{ value?: unknown } | null>(singleValueExtendedProperties)[0]?.value;
  return typeof value === 'string' ? value : undefined;
};
