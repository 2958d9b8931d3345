import type { GraphState, MailboxCall } from './call.ts';
import type { GraphAnswer } from './graph-answer.ts';
import { GraphError } from './graph-error.ts';
import { listMessages } from './list-messages.ts';
import { meNeedsAPerson, methodNotAllowed, segmentUnknown, versionUnknown } from './refusals.ts';
import { sendMail } from './send-mail.ts';
import { FOLDERS, type Folder } from './sent-items.ts';

export type Route = {
  /** As written in the URL: an object id or an address. */
  readonly user: string;
  readonly run: (call: MailboxCall, graph: GraphState) => Promise<GraphAnswer>;
};

/** Exactly the spelling of the documentation; the real one is more forgiving. */
export const findRoute = (method: string, path: string): Route => {
  const [version = '', root = '', user = '', ...rest] = path.slice(1).split('/').map(decode);
  if (version !== 'v1.0') throw versionUnknown(version);
  if (root === 'me') throw meNeedsAPerson();
  if (root !== 'users') throw segmentUnknown(root);
  if (user === '') throw segmentUnknown('users');

  const folder = folderIn(rest);
  if (folder !== undefined)
    return route(method, 'GET', { user, run: (call, graph) => listMessages(call, graph, folder) });
  switch (rest.join('/')) {
    case 'sendMail':
      return route(method, 'POST', { user, run: sendMail });
    case 'messages':
      return route(method, 'GET', { user, run: listMessages });
    default:
      throw unknownBelowUser(rest);
  }
};

/** The well-known name of a folder counts no case. */
const folderIn = ([first, second = '', ...rest]: readonly string[]): Folder | undefined => {
  if (first !== 'mailFolders' || rest.join('/') !== 'messages') return undefined;
  return FOLDERS.find((name) => name === second.toLowerCase());
};

const route = (method: string, allowed: string, found: Route): Route => {
  if (method !== allowed) throw methodNotAllowed(allowed);
  return found;
};

const unknownBelowUser = ([first = '', second = '', third]: readonly string[]): GraphError => {
  if (first === 'mailFolders' && third === 'messages')
    return new GraphError(
      400,
      'ErrorInvalidIdMalformed',
      `Id is malformed: this stand-in has only the folders ${FOLDERS.join(', ')}, received '${second}'.`,
    );
  return segmentUnknown(first === 'sendMail' || first === 'messages' ? second : first);
};

const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw segmentUnknown(segment);
  }
};
