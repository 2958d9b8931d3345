import type { GraphState, MailboxCall } from './call.ts';
import { type Draft, toDraftItem } from './drafts.ts';
import { wantsImmutableIds } from './item-ids.ts';
import { currentIdOf, type Folder, type MailItem, type MessageFilter, matchesFilter } from './mail-item.ts';
import { itemNotFound } from './refusals.ts';

/** Everything in the mailbox, or in one of its folders, newest first; what is on its way between two folders is in none. */
export const listItems = (
  { mailbox }: MailboxCall,
  { drafts, sentItems, received, now }: GraphState,
  { filter = {}, folder }: { readonly filter?: MessageFilter; readonly folder?: Folder | undefined } = {},
): readonly MailItem[] =>
  [
    ...drafts.list(mailbox.address).map(toDraftItem),
    ...sentItems.list(mailbox.address, now()),
    ...received.list(mailbox.address, now()),
  ]
    .filter((item) => item.folder !== undefined && (folder ?? item.folder) === item.folder)
    .filter((item) => matchesFilter(item, filter))
    .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());

/** The item with this id. Stricter than Graph: an id is good only in the form that the request prefers. */
export const findItem = (call: MailboxCall, graph: GraphState, id: string): MailItem => {
  const immutable = wantsImmutableIds(call.request);
  const found = listItems(call, graph).find((item) => currentIdOf(item, immutable) === id);
  if (found === undefined) throw itemNotFound();
  return found;
};

/** The draft with this id, which nobody has sent. */
export const findDraft = (call: MailboxCall, graph: GraphState, id: string): Draft => {
  const draft = graph.drafts.get(findItem(call, graph, id).key);
  if (draft === undefined) throw itemNotFound();
  return draft;
};
