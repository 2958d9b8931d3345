import type { IncomingMessage } from 'node:http';
import { BodyTooLargeError, readBody } from '../http.ts';
import type { GraphSendMailBody } from '../inbox/captured-mail.ts';
import { bodyUnreadable, contentTypeUnsupported, requestTooLarge } from './refusals.ts';
import { assertSendMailBody } from './send-mail-schema.ts';

/** Graph says 4 MB and not which; the smaller reading is the one to be safe with. */
const REQUEST_LIMIT_BYTES = 4_000_000;
const JSON_TYPE = /^application\/json *(;|$)/i;
const CHARSET = /; *charset *= *"?([^";]+)"?/i;

/** Reads the body of sendMail. Throws the refusal of Graph. */
export const readSendMail = async (request: IncomingMessage): Promise<GraphSendMailBody> => {
  const bytes = await readBody(request, REQUEST_LIMIT_BYTES).catch((error: unknown) => {
    throw error instanceof BodyTooLargeError ? requestTooLarge(error.limitBytes, error.receivedBytes) : error;
  });
  requireJson(request);
  const body = parseJson(bytes);
  assertSendMailBody(body);
  return body;
};

const requireJson = ({ headers }: IncomingMessage): void => {
  const contentType = headers['content-type'];
  if (contentType === undefined || !JSON_TYPE.test(contentType)) throw contentTypeUnsupported(contentType);
  const charset = CHARSET.exec(contentType)?.[1] ?? 'utf-8';
  if (charset.trim().toLowerCase() !== 'utf-8') throw contentTypeUnsupported(contentType);
  if (headers['content-encoding'] !== undefined)
    throw contentTypeUnsupported(`${contentType}, encoded as ${headers['content-encoding']}`);
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
