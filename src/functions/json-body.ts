import type { HttpRequest } from '@azure/functions';
import { AppError } from '../lib/errors.ts';
import { decodeUtf8, parseJson } from '../lib/mail/read-mail.ts';

/** Twice what Graph carries leaves room for escapes and white space in the JSON of a caller. */
const MAX_BODY_BYTES = 8_000_000;

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(;\s*charset="?utf-?8"?\s*)?$/i;

/** Reads a request as JSON. Throws CONTENT_TYPE_UNSUPPORTED, MAIL_TOO_LARGE, JSON_UNREADABLE. */
export const readJsonBody = async (request: HttpRequest): Promise<unknown> => {
  if (!JSON_TYPE.test(request.headers.get('content-type')?.trim() ?? ''))
    throw new AppError('CONTENT_TYPE_UNSUPPORTED');
  const announced = Number(request.headers.get('content-length') ?? 0);
  if (announced > MAX_BODY_BYTES) throw tooLarge(announced);
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > MAX_BODY_BYTES) throw tooLarge(bytes.length);
  return parseJson(decodeUtf8(bytes));
};

const tooLarge = (bytes: number): AppError =>
  new AppError('MAIL_TOO_LARGE', {
    detail: `A request has at most ${MAX_BODY_BYTES} bytes; this one has ${bytes}.`,
  });
