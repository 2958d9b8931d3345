import type { Directory } from '../directory.ts';
import type { GraphState, KnownCall } from './call.ts';
import type { FaultyCallName } from './fault-rules.ts';
import { type GraphAnswer, toJsonAnswer } from './graph-answer.ts';
import { GraphError } from './graph-error.ts';
import { detailsOf, type TraceRow } from './message-traces.ts';
import { carryOutOrFail } from './perform-fault.ts';
import { methodNotAllowed, segmentUnknown } from './refusals.ts';
import { parseTraceQuery, skipTokenOf } from './trace-query.ts';

type Run = (call: KnownCall, graph: GraphState) => Promise<GraphAnswer>;

const TRACES = '/v1.0/admin/exchange/tracing/messageTraces';
const DETAILS = /^\/([^/]+)\/getDetailsByRecipient\(recipientAddress='((?:[^'/]|'')*)'\)$/;
const PERMISSION = 'ExchangeMessageTrace.Read.All';
const FIVE_MINUTES_MS = 5 * 60_000;

/** The message traces of a tenant; undefined for another path. */
export const findTraceCall = (method: string, pathname: string): Run | undefined => {
  if (!pathname.startsWith(TRACES)) return undefined;
  const rest = decodeURIComponent(pathname.slice(TRACES.length));
  const [, id, recipient = ''] = DETAILS.exec(rest) ?? [];
  if (rest !== '' && id === undefined) throw segmentUnknown(rest.slice(1));
  if (method !== 'GET') throw methodNotAllowed('GET');
  return id === undefined
    ? allowed('listMessageTraces', listTraces)
    : allowed('getTraceDetails', (call, graph) =>
        getDetails(call, graph, id, recipient.replaceAll("''", "'")),
      );
};

/** What is refused before a call is carried out, in the order in which it is worth knowing. */
const allowed =
  (name: FaultyCallName, carryOut: (call: KnownCall, graph: GraphState) => GraphAnswer): Run =>
  async (call, graph) => {
    if (!call.caller.roles.includes(PERMISSION)) throw notPermitted();
    if (call.caller.tenant.hasTracePrincipal !== true) throw principalMissing();
    requireRoom(call, graph);
    return carryOutOrFail(
      name,
      { ...call, mailbox: { address: '' }, carryOut: async () => carryOut(call, graph) },
      graph,
    );
  };

const notPermitted = () =>
  new GraphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');

/** Of Microsoft's application "Transport Data Platform". The text is what people have published. */
const principalMissing = () =>
  new GraphError(
    401,
    'Unauthorized',
    'Service principal-less authentication failed: The service principal for App ID 8bd644d1-64a1-4d4b-ae52-2e0cbf64e373 was not found. Please create a service principal for this app in your tenant. Provisioning may take several hours to complete.',
  );

/** Of all applications of a tenant together; lists and details count alike, which is the harder of what was reported. */
const requireRoom = ({ caller, at }: KnownCall, { traceRequests, settings }: GraphState): void => {
  const { tenantId } = caller.tenant;
  const since = at.getTime() - FIVE_MINUTES_MS;
  const recent = (traceRequests.get(tenantId) ?? []).filter((time) => time > since);
  const [oldest = at.getTime()] = recent;
  const isFull = recent.length >= settings().tracesPerFiveMinutes;
  traceRequests.set(tenantId, isFull ? recent : [...recent, at.getTime()]);
  if (!isFull) return;
  throw new GraphError(
    429,
    'TooManyRequests',
    'Your recent queries have surpassed the permitted limit, please try again later.',
    { 'Retry-After': String(Math.ceil((oldest - since) / 1000)) },
  );
};

const rowsOf = ({ caller, at }: KnownCall, { traces }: GraphState): readonly TraceRow[] =>
  traces.list((mailbox) => hasMailbox(caller.tenant, mailbox), at);

const hasMailbox = ({ mailboxes }: Directory, address: string): boolean =>
  mailboxes.some((mailbox) => mailbox.address.toLowerCase() === address.toLowerCase());

const listTraces = (call: KnownCall, graph: GraphState): GraphAnswer => {
  const { matches, top, skip } = parseTraceQuery(call.url.searchParams, call.at);
  const rows = rowsOf(call, graph).filter(matches);
  const next = new URL(call.url);
  next.searchParams.set('$skiptoken', skipTokenOf(skip + top));
  return toJsonAnswer(200, {
    '@odata.context': `${call.url.origin}/v1.0/$metadata#admin/exchange/tracing/messageTraces`,
    value: rows.slice(skip, skip + top),
    ...(rows.length > skip + top ? { '@odata.nextLink': next.href } : {}),
  });
};

const getDetails = (call: KnownCall, graph: GraphState, id: string, recipient: string): GraphAnswer => {
  const row = rowsOf(call, graph).find(
    (one) => one.id === id && one.recipientAddress.toLowerCase() === recipient.toLowerCase(),
  );
  return toJsonAnswer(200, {
    '@odata.context': `${call.url.origin}/v1.0/$metadata#Collection(microsoft.graph.exchangeMessageTraceDetail)`,
    value: row === undefined ? [] : detailsOf(row),
  });
};
