import type { CloudName } from '../connections/cloud.ts';
import { defined } from '../defined.ts';
import type { ErrorCode } from '../error-catalogue.ts';
import { upstreamFacts } from '../errors.ts';
import type { RecipientDelivery } from '../ledger/ledger-row.ts';
import type { MessageTraces, TraceEvent, TraceFailure, TraceQuery, TraceRow } from '../ports.ts';
import { parseRetryAfter } from '../sending/retry-after.ts';
import type { GraphCall } from './graph-call.ts';
import { type GraphReport, reportCall } from './report-call.ts';

/*
 * Message traces (graph: messagetracingroot-list-messagetraces, exchangemessagetrace-getdetailsbyrecipient). What the documentation does not
 * say was measured by others (github.com/Nico77600/MessageTraceReport): of several values for one property only the last counts; `or`, `in`,
 * `ne` and `$select` are accepted and ignored; `lt` is refused. So a query has one sender or one Message-ID, and one window.
 */

const PATH = '/admin/exchange/tracing/messageTraces';
/** The most that a page can have: each page counts as a request. */
const PAGE_ROWS = 5000;
/** Some 400 bytes a row, with subjects. */
const READ_UP_TO = 8 * 1024 * 1024;
/** Of one recipient there are a few events; some have XML of several kilobytes. */
const DETAILS_UP_TO = 1024 * 1024;

/** Message traces by one connection; its tenant is that of all of them. */
export type TenantTraces = {
  readonly list: (query: TraceQuery, after?: string) => ReturnType<MessageTraces['list']>;
  readonly details: (row: Pick<TraceRow, 'traceId' | 'recipient'>) => ReturnType<MessageTraces['details']>;
};

/** Message traces are in the global cloud alone (graph: messagetracingroot-list-messagetraces, national clouds). */
export const hasMessageTraces = (cloud: CloudName): boolean => cloud === 'global';

/** Reads message traces by `call`, which reaches Graph at this endpoint. */
export const openMessageTraces = (call: GraphCall, endpoint: string, now: () => Date): TenantTraces => ({
  list: async (query, after) => {
    const path = after ?? `${PATH}?$filter=${encodeURIComponent(filterOf(query))}&$top=${PAGE_ROWS}`;
    const report = await reportCall(call, { method: 'GET', path, readUpTo: READ_UP_TO });
    const page = pageIn(report);
    if (page === undefined) return failure(report, now());
    const rows = page.value.flatMap(rowIn);
    const next = nextIn(page['@odata.nextLink'], endpoint);
    return { kind: 'rows', rows, ...defined({ next }) };
  },
  details: async ({ traceId, recipient }) => {
    const path = `${PATH}/${encodeURIComponent(traceId)}/getDetailsByRecipient(recipientAddress='${encodeURIComponent(quoted(recipient))}')`;
    const report = await reportCall(call, { method: 'GET', path, readUpTo: DETAILS_UP_TO });
    const page = pageIn(report);
    return page === undefined
      ? failure(report, now())
      : { kind: 'events', events: page.value.flatMap(eventIn) };
  },
});

/** In a literal of OData a quote is written twice. */
const quoted = (text: string): string => text.toWellFormed().replaceAll("'", "''");

/** Whole seconds, the first rounded down and the last up: Graph takes no fractions. */
const filterOf = (query: TraceQuery): string => {
  const from = inSeconds(Math.floor(query.from.getTime() / 1000));
  const to = inSeconds(Math.floor(query.to.getTime() / 1000));
  const which =
    query.by === 'sender'
      ? `senderAddress eq '${quoted(query.sender)}'`
      : `messageId eq '${quoted(query.messageId)}'`;
  return `${which} and receivedDateTime ge ${from} and receivedDateTime le ${to}`;
};

const inSeconds = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');

type Json = Readonly<Record<string, unknown>>;
type Page = { readonly value: readonly Json[]; readonly '@odata.nextLink'?: unknown };

const pageIn = (report: GraphReport): Page | undefined => {
  if (report.kind !== 'answered' || report.status !== 200) return undefined;
  try {
    const page = JSON.parse(report.text) as { readonly value?: unknown };
    if (Array.isArray(page.value)) return { ...page, value: page.value.filter(isObject) };
  } catch {
    // Falls through: an answer that cannot be read says nothing.
  }
  return undefined;
};

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');

/** In capital letters in some answers of Graph, and not in others. What it may add is nothing that is final. */
const STATUSES: Readonly<Record<string, RecipientDelivery['status']>> = {
  delivered: 'delivered',
  failed: 'failed',
  expanded: 'expanded',
  quarantined: 'quarantined',
  filteredasspam: 'spam',
};

const rowIn = (json: Json): readonly TraceRow[] => {
  const { id, messageId, senderAddress, recipientAddress, receivedDateTime, status } = json;
  const receivedAt = new Date(textIn(receivedDateTime));
  if (textIn(id) === '' || textIn(recipientAddress) === '' || Number.isNaN(receivedAt.getTime())) return [];
  const name = textIn(status).toLowerCase();
  return [
    {
      traceId: textIn(id),
      messageId: textIn(messageId),
      sender: textIn(senderAddress),
      recipient: textIn(recipientAddress),
      receivedAt,
      status: (Object.hasOwn(STATUSES, name) ? STATUSES[name] : undefined) ?? 'pending',
    },
  ];
};

const eventIn = ({ dateTime, event, description, data }: Json): readonly TraceEvent[] => {
  const at = new Date(textIn(dateTime));
  return Number.isNaN(at.getTime())
    ? []
    : [{ at, event: textIn(event), description: textIn(description), data: textIn(data) }];
};

/** The token goes along with the request, so a page is only asked where the first one came from. */
const nextIn = (link: unknown, endpoint: string): string | undefined => {
  const url = typeof link === 'string' && URL.canParse(link) ? new URL(link) : undefined;
  if (url === undefined || url.origin !== new URL(endpoint).origin) return undefined;
  const [, path] = /^\/v1\.0(\/admin\/exchange\/tracing\/messageTraces)$/i.exec(url.pathname) ?? [];
  return path === undefined ? undefined : `${path}${url.search}`;
};

/** The application of Microsoft that has the traces; its service principal is not in every tenant. */
const TRACE_APP = '8bd644d1-64a1-4d4b-ae52-2e0cbf64e373';

const failure = (report: GraphReport, now: Date): TraceFailure => {
  if (report.kind === 'no-token')
    return { kind: 'failed', reason: { code: report.code, ...upstreamFacts(report) } };
  if (report.kind !== 'answered') return { kind: 'failed', reason: { code: 'TRACE_UNAVAILABLE' } };
  const waitMs = parseRetryAfter(report.retryAfter, now);
  return {
    kind: 'failed',
    reason: { code: codeOf(report.status, report.text), ...upstreamFacts(report) },
    ...defined({ waitMs }),
  };
};

const codeOf = (status: number, text: string): ErrorCode => {
  // It names the application whichever words are around it, and looks like a bad credential without it.
  if (status === 401)
    return text.includes(TRACE_APP) ? 'TRACE_PRINCIPAL_MISSING' : 'GRAPH_TOKEN_NOT_ACCEPTED';
  if (status === 403) return 'TRACE_NOT_PERMITTED';
  if (status === 429) return 'TRACE_THROTTLED';
  if (status >= 500 || status === 408) return 'TRACE_UNAVAILABLE';
  return 'TRACE_REFUSED';
};
