import { requireAccess } from './access.ts';
import type { GraphState, MailboxCall } from './call.ts';
import { listItems } from './find-item.ts';
import { type GraphAnswer, toJsonAnswer } from './graph-answer.ts';
import { preferenceApplied, wantsImmutableIds } from './item-ids.ts';
import type { Folder, MailItem } from './mail-item.ts';
import { type MessageQuery, parseMessageQuery } from './message-query.ts';
import { contextOf, toExpanded, toMessageResource } from './message-resource.ts';
import { carryOutOrFail } from './perform-fault.ts';

/** Messages of a mailbox, or of one folder. All that is ever received here are reports. */
export const listMessages = async (
  call: MailboxCall,
  graph: GraphState,
  folder?: Folder,
): Promise<GraphAnswer> => {
  requireAccess('read', call.caller, call.mailbox);
  const query = parseMessageQuery(call.url.searchParams);
  const carryOut = async () =>
    toJsonAnswer(
      200,
      toPage(listItems(call, graph, { filter: query.filter, folder }), query, call),
      preferenceApplied(wantsImmutableIds(call.request)),
    );
  return carryOutOrFail('listMessages', { ...call, carryOut }, graph);
};

const toPage = (
  newestFirst: readonly MailItem[],
  { top, skip, select, expand, oldestFirst }: MessageQuery,
  call: MailboxCall,
) => {
  const found = oldestFirst ? newestFirst.toReversed() : newestFirst;
  const next = new URL(call.url);
  next.searchParams.set('$skip', String(skip + top));
  return {
    '@odata.context': contextOf(call),
    value: found
      .slice(skip, skip + top)
      .map((item) => ({ ...toMessageResource(item, call, select), ...toExpanded(item, expand) })),
    ...(found.length > skip + top ? { '@odata.nextLink': next.href } : {}),
  };
};
