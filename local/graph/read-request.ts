import type { IncomingMessage } from 'node:http';
import { BodyTooLargeError, readBody } from '../http.ts';
import type { GraphState, MailboxCall } from './call.ts';
import { decodeMime } from './mime/read-mime.ts';
import {
  bodyUnreadable,
  contentTypeUnsupported,
  mimeTooLarge,
  requestTooLarge,
  tooManyBytes,
} from './refusals.ts';

/** Graph says 4 MB and not which; the smaller reading is the one to be safe with. */
const REQUEST_LIMIT_BYTES = 4_000_000;
/**
 * Of a file for a draft: Graph documents a post for every file below 3 MB, and the JSON of one of 2,999,999 bytes has a little
 * more than 4,000,000, so here 4 MB is the larger reading (https://learn.microsoft.com/graph/api/message-post-attachments).
 */
export const ATTACHMENT_LIMIT_BYTES = 4 * 1024 ** 2;
const JSON_TYPE = /^application\/json *(;|$)/i;
const MIME_TYPE = /^text\/plain *(;|$)/i;
const CHARSET = /; *charset *= *"?([^";]+)"?/i;

/** Whether the request says that its body is MIME in base64. */
export const isMimeRequest = ({ headers }: IncomingMessage): boolean =>
  MIME_TYPE.test(headers['content-type'] ?? '');

/** Reads a JSON body. Throws the refusal of Graph; `expected` are the content types that the call takes. */
export const readJsonRequest = async (
  call: MailboxCall,
  graph: GraphState,
  {
    expected = "'application/json'",
    limitBytes = REQUEST_LIMIT_BYTES,
  }: { readonly expected?: string; readonly limitBytes?: number } = {},
): Promise<unknown> => {
  const bytes = await readLimited(call, graph, requestTooLarge, limitBytes);
  requireJson(call.request, expected);
  return parseJson(bytes);
};

/** Reads a body of MIME, decoded. Throws the refusal of Graph. */
export const readMimeRequest = async (call: MailboxCall, graph: GraphState): Promise<Buffer> =>
  decodeMime(await readLimited(call, graph, mimeTooLarge));

/** What is refused for its size does not count towards the bytes of the mailbox. */
const readLimited = async (
  { request, caller, mailbox }: MailboxCall,
  { limits, now }: GraphState,
  tooLarge: (limitBytes: number, receivedBytes: number) => Error,
  limitBytes = REQUEST_LIMIT_BYTES,
): Promise<Buffer> => {
  const bytes = await readBody(request, limitBytes).catch((error: unknown) => {
    throw error instanceof BodyTooLargeError ? tooLarge(error.limitBytes, error.receivedBytes) : error;
  });
  const room = limits.takeRoomForBytes(`${caller.app.clientId} ${mailbox.address}`, bytes.length, now());
  if (!room.fits) throw tooManyBytes(room.retryAfterSeconds);
  return bytes;
};

const requireJson = ({ headers }: IncomingMessage, expected: string): void => {
  const contentType = headers['content-type'];
  if (contentType === undefined || !JSON_TYPE.test(contentType))
    throw contentTypeUnsupported(contentType, expected);
  const charset = CHARSET.exec(contentType)?.[1] ?? 'utf-8';
  if (charset.trim().toLowerCase() !== 'utf-8') throw contentTypeUnsupported(contentType, expected);
  if (headers['content-encoding'] !== undefined)
    throw contentTypeUnsupported(`${contentType}, encoded as ${headers['content-encoding']}`, expected);
};

const parseJson = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw bodyUnreadable(
      error instanceof SyntaxError
        ? 'The request body is not valid JSON.'
        : 'The request body is not valid UTF-8.',
    );
  }
};
