import { makeRouter, type PathParams } from '../../src/lib/inbox/routes.ts';
import type { GraphState, MailboxCall } from './call.ts';
import { createDraft } from './create-draft.ts';
import { deleteMessage } from './delete-message.ts';
import { addAttachment, createUploadSession, listAttachments } from './draft-attachments.ts';
import { getMessage } from './get-message.ts';
import { getMime, mimeInFolder } from './get-mime.ts';
import type { GraphAnswer } from './graph-answer.ts';
import { GraphError } from './graph-error.ts';
import { listMessages } from './list-messages.ts';
import { FOLDERS, type Folder } from './mail-item.ts';
import { meNeedsAPerson, methodNotAllowed, segmentUnknown, versionUnknown } from './refusals.ts';
import { sendDraft } from './send-draft.ts';
import { sendMail } from './send-mail.ts';
import { updateDraft } from './update-draft.ts';

type Run = (call: MailboxCall, graph: GraphState) => Promise<GraphAnswer>;

const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw segmentUnknown(segment);
  }
};

const listFolder = ({ folder = '' }: PathParams): Run => {
  const known = readFolder(folder);
  return (call, graph) => listMessages(call, graph, known);
};

/** What is done with one message. */
const withMessage =
  (run: (call: MailboxCall, graph: GraphState, id: string) => Promise<GraphAnswer>) =>
  ({ id = '' }: PathParams): Run =>
  (call, graph) =>
    run(call, graph, id);

const MESSAGE = '/v1.0/users/:user/messages/:id';

/** Exactly the spelling of the documentation; the real one is more forgiving. */
const findRun = makeRouter<(params: PathParams) => Run>(
  [
    ['POST', '/v1.0/users/:user/sendMail', () => sendMail],
    ['GET', '/v1.0/users/:user/messages', () => listMessages],
    ['POST', '/v1.0/users/:user/messages', () => createDraft],
    ['GET', MESSAGE, withMessage(getMessage)],
    ['GET', `${MESSAGE}/$value`, withMessage(getMime)],
    ['PATCH', MESSAGE, withMessage(updateDraft)],
    ['DELETE', MESSAGE, withMessage(deleteMessage)],
    ['POST', `${MESSAGE}/send`, withMessage(sendDraft)],
    ['GET', `${MESSAGE}/attachments`, withMessage(listAttachments)],
    ['POST', `${MESSAGE}/attachments`, withMessage(addAttachment)],
    ['POST', `${MESSAGE}/attachments/createUploadSession`, withMessage(createUploadSession)],
    ['GET', '/v1.0/users/:user/mailFolders/:folder/messages', listFolder],
    ['GET', '/v1.0/users/:user/mailFolders/:folder/messages/:id/$value', () => mimeInFolder],
  ],
  { decode },
);

/** The user is as written in the URL: an object id or an address. */
export const findRoute = (method: string, path: string): { readonly user: string; readonly run: Run } => {
  const found = findRun(method, path);
  if (found.target !== undefined) return { user: found.params.user ?? '', run: found.target(found.params) };
  if (found.allowed.length > 0) throw methodNotAllowed(found.allowed.join(', '));
  throw pathUnknown(path);
};

/** The well-known name of a folder counts no case. */
const readFolder = (name: string): Folder => {
  const known = FOLDERS.find((folder) => folder === name.toLowerCase());
  if (known !== undefined) return known;
  throw new GraphError(
    400,
    'ErrorInvalidIdMalformed',
    `Id is malformed: this stand-in has only the folders ${FOLDERS.join(', ')}, received '${name}'.`,
  );
};

/** Names the first segment that Graph would not know. */
const pathUnknown = (path: string): GraphError => {
  const [version = '', root = '', user = '', first = '', second = '', third = ''] = path
    .slice(1)
    .split('/')
    .map(decode);
  if (version !== 'v1.0') return versionUnknown(version);
  if (root === 'me') return meNeedsAPerson();
  if (root !== 'users') return segmentUnknown(root);
  if (user === '') return segmentUnknown('users');
  if (first === 'messages' && third !== '') return segmentUnknown(third);
  return segmentUnknown(first === 'sendMail' || first === 'messages' ? second : first);
};
