import { MIMEType } from 'node:util';
import type { HttpRequest } from '@azure/functions';
import { AppError } from '../lib/errors.ts';
import { decodeUtf8, parseJson } from '../lib/mail/read-mail.ts';

/** Twice what Graph carries leaves room for escapes and white space in the JSON of a caller. */
const MAX_BODY_BYTES = 8_000_000;

/**
 * Reads a request as JSON. Throws CONTENT_TYPE_UNSUPPORTED, CONTENT_ENCODING_UNSUPPORTED, MAIL_TOO_LARGE,
 * JSON_UNREADABLE, FIELD_REPEATED.
 */
export const readJsonBody = async ({ headers, body }: HttpRequest): Promise<unknown> => {
  requireJson(headers.get('content-type')?.trim() ?? '');
  requirePlain(headers.get('content-encoding')?.trim() ?? '');
  const announced = Number(headers.get('content-length') ?? 0);
  if (announced > MAX_BODY_BYTES) throw tooLarge(String(announced));
  const bytes = await readBytes(body);
  if (isGzip(bytes)) throw compressed('The body is compressed with gzip.');
  return parseJson(decodeUtf8(bytes));
};

const JSON_ESSENCE = /^application\/(?:[\w.+-]+\+)?json$/;

/** JSON with any parameters; a charset must be the one JSON has (RFC 8259, 8.1). */
const requireJson = (written: string): void => {
  if (written === '') throw notJson('The request has no Content-Type.');
  const type = parseType(written);
  if (type === undefined || !JSON_ESSENCE.test(type.essence))
    throw notJson('The Content-Type is not application/json.');
  const charset = type.params.get('charset');
  if (charset !== null && !/^utf-?8$/i.test(charset.trim()))
    throw notJson('The charset of the Content-Type is not utf-8.');
};

const parseType = (written: string): MIMEType | undefined => {
  try {
    return new MIMEType(written);
  } catch {
    return undefined;
  }
};

const notJson = (detail: string): AppError => new AppError('CONTENT_TYPE_UNSUPPORTED', { detail });

const requirePlain = (encoding: string): void => {
  if (encoding !== '' && !/^identity$/i.test(encoding))
    throw compressed('The Content-Encoding is not identity.');
};

const compressed = (detail: string): AppError => new AppError('CONTENT_ENCODING_UNSUPPORTED', { detail });

/** RFC 1952, 2.3.1. No text in UTF-8 begins so. */
const isGzip = ([first, second]: Uint8Array): boolean => first === 0x1f && second === 0x8b;

/** Reads no more than the limit: what is larger is not kept in memory, whoever sends it. */
const readBytes = async (body: HttpRequest['body']): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    // Leaving the loop early cancels the stream.
    for await (const chunk of body ?? []) {
      length += chunk.byteLength;
      if (length > MAX_BODY_BYTES) throw tooLarge(`more than ${MAX_BODY_BYTES}`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('JSON_UNREADABLE', {
      detail: 'The request ended before its body was complete.',
      cause,
    });
  }
  return Buffer.concat(chunks, length);
};

const tooLarge = (bytes: string): AppError =>
  new AppError('MAIL_TOO_LARGE', {
    detail: `A request can have at most ${MAX_BODY_BYTES} bytes; this one has ${bytes}.`,
  });
