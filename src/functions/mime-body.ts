import { MIMEType } from 'node:util';
import type { HttpRequest } from '@azure/functions';
import type { Room } from '../lib/delivery/admission.ts';
import { AppError } from '../lib/errors.ts';
import { isGzip } from '../lib/mail/not-json.ts';
import { MAX_MIME_BYTES } from '../lib/mail/raw-mime.ts';
import { arrivalDeadline, chunksOf } from './body-chunks.ts';

/** Whether the body is an email in MIME (RFC 2046, 5.2.1), with any parameters. */
export const isMime = ({ headers }: HttpRequest): boolean => {
  try {
    return new MIMEType(headers.get('content-type')?.trim() ?? '').essence === 'message/rfc822';
  } catch {
    return false;
  }
};

/**
 * Reads an email in MIME as the contract has it. Throws CONTENT_ENCODING_UNSUPPORTED, MAIL_TOO_LARGE, RELAY_BUSY,
 * FIELD_INVALID and MIME_INCOMPLETE.
 */
export const readMimeBody = async (
  { headers, body }: HttpRequest,
  room: Room,
): Promise<{ readonly mime: string }> => {
  const encoding = headers.get('content-encoding')?.trim() ?? '';
  if (encoding !== '' && !/^identity$/i.test(encoding))
    throw compressed('The Content-Encoding is not identity.');
  const announced = Number(headers.get('content-length')) || 0;
  if (announced > MAX_MIME_BYTES) throw tooLarge(String(announced));
  requireRoom(room, announced);
  const bytes = await readBytes(body, room);
  if (isGzip(bytes)) throw compressed('The body is compressed with gzip.');
  if (bytes.length > 0) return { mime: bytes.toString('base64') };
  throw new AppError('FIELD_INVALID', {
    problems: [
      { code: 'FIELD_INVALID', pointer: '/mime', expected: 'an email in MIME', received: 'an empty body' },
    ],
  });
};

const readBytes = async (body: HttpRequest['body'], room: Room): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of chunksOf(body, arrivalDeadline())) {
      length += chunk.byteLength;
      if (length > MAX_MIME_BYTES) throw tooLarge(`more than ${MAX_MIME_BYTES}`);
      requireRoom(room, length);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('MIME_INCOMPLETE', { cause });
  }
  return Buffer.concat(chunks, length);
};

const requireRoom = (room: Room, bytes: number): void => {
  if (!room.grow(bytes)) throw new AppError('RELAY_BUSY');
};

const compressed = (detail: string): AppError => new AppError('CONTENT_ENCODING_UNSUPPORTED', { detail });

const tooLarge = (bytes: string): AppError =>
  new AppError('MAIL_TOO_LARGE', {
    detail: `An email in MIME can have at most ${MAX_MIME_BYTES} bytes; the request has ${bytes}.`,
  });
