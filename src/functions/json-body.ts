import { MIMEType } from 'node:util';
import type { HttpRequest } from '@azure/functions';
import type { Room } from '../lib/delivery/admission.ts';
import { AppError } from '../lib/errors.ts';
import { openJsonReader } from '../lib/mail/json-bytes.ts';
import { isGzip } from '../lib/mail/not-json.ts';
import { arrivalDeadline, chunksOf } from './body-chunks.ts';

/** How much of a request is read, and what more than that is. */
export type BodyLimit = {
  readonly code: 'MAIL_TOO_LARGE' | 'REQUEST_TOO_LARGE';
  readonly maxBytes: number;
  /** Which setting it comes from. */
  readonly setting?: string;
  /** When it must have arrived; two minutes from now where nothing is said. */
  readonly deadline?: AbortSignal;
  /** How many objects, lists and fields it can have, where it is not one email. */
  readonly maxParts?: number;
  /** Where a request can be large: room for it in the memory of the instance. */
  readonly room?: Room;
};

/** The limit of a request that brings emails. */
export const mailLimit = (maxBytes: number): BodyLimit => ({
  code: 'MAIL_TOO_LARGE',
  maxBytes,
  setting: 'MAIL_MAX_REQUEST_MB',
});

/**
 * Reads a request as JSON. Throws CONTENT_TYPE_UNSUPPORTED, CONTENT_ENCODING_UNSUPPORTED, JSON_UNREADABLE,
 * FIELD_REPEATED, RELAY_BUSY, REQUEST_TOO_SLOW, and the code of the limit.
 */
export const readJsonBody = async ({ headers, body }: HttpRequest, limit: BodyLimit): Promise<unknown> => {
  requireJson(headers.get('content-type')?.trim() ?? '');
  requirePlain(headers.get('content-encoding')?.trim() ?? '');
  const announced = Number(headers.get('content-length')) || 0;
  if (announced > limit.maxBytes) throw tooLarge(limit, String(announced));
  requireRoom(limit, announced);
  return readBytes(body, limit);
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

/** Reads no more than the limit: what is larger is not kept in memory, whoever sends it. */
const readBytes = async (body: HttpRequest['body'], limit: BodyLimit): Promise<unknown> => {
  const reader = openJsonReader(false, limit.maxParts);
  const start: number[] = [];
  let length = 0;
  try {
    for await (const chunk of chunksOf(body, limit.deadline ?? arrivalDeadline())) {
      length += chunk.byteLength;
      if (length > limit.maxBytes) throw tooLarge(limit, `more than ${limit.maxBytes}`);
      requireRoom(limit, length);
      if (start.length < GZIP_BYTES) start.push(...chunk.subarray(0, GZIP_BYTES));
      if (isGzip(start)) throw compressed('The body is compressed with gzip.');
      reader.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('JSON_UNREADABLE', {
      detail: 'The request ended before its body was complete.',
      cause,
    });
  }
  return reader.end();
};

/** As many as show that something is compressed. */
const GZIP_BYTES = 2;

const requireRoom = ({ room }: BodyLimit, bytes: number): void => {
  if (room?.grow(bytes) === false) throw new AppError('RELAY_BUSY');
};

const tooLarge = ({ code, maxBytes, setting }: BodyLimit, bytes: string): AppError => {
  const limit = setting === undefined ? '' : `, as ${setting} says`;
  return new AppError(code, {
    detail: `This call accepts at most ${maxBytes} bytes${limit}; the request has ${bytes}.`,
  });
};
