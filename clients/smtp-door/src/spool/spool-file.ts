import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Submission } from '../submission.ts';

/** A file of the spool: one line of JSON that says what follows it, and the bytes that are posted. */
const headSchema = z.strictObject({
  form: z.literal(1),
  id: z.string().min(1),
  account: z.string().min(1),
  idempotencyKey: z.string().min(1).max(255),
  receivedAt: z.iso.datetime(),
  contentType: z.enum(['message/rfc822', 'application/json']),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export type SpoolHead = z.infer<typeof headSchema>;

const LF = 0x0a;
/** The longest account, key and id are far shorter. */
export const MAX_HEAD = 4096;

const sha256Of = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

/** The bytes of a submission on the disk. */
export const writeSpoolFile = ({ body, receivedAt, ...facts }: Submission): readonly [Buffer, Buffer] => {
  const { id, account, idempotencyKey, contentType } = facts;
  const head: SpoolHead = {
    form: 1,
    id,
    account,
    idempotencyKey,
    receivedAt: receivedAt.toISOString(),
    contentType,
    bytes: body.length,
    sha256: sha256Of(body),
  };
  return [Buffer.from(`${JSON.stringify(head)}\n`), body];
};

type Damaged = { readonly damage: string };

const asJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Reads the first line, of which `start` must have all. */
export const readSpoolHead = (
  start: Buffer,
): { readonly head: SpoolHead; readonly bodyAt: number } | Damaged => {
  const end = start.subarray(0, MAX_HEAD).indexOf(LF);
  if (end === -1) return { damage: 'expected a first line of JSON, received none' };
  const read = headSchema.safeParse(asJson(start.toString('utf8', 0, end)));
  return read.success
    ? { head: read.data, bodyAt: end + 1 }
    : { damage: 'expected a first line with the fields of this version, received others' };
};

/** Reads a whole file, and only if it is as it was written. */
export const readSpoolFile = (file: Buffer): Submission | Damaged => {
  const read = readSpoolHead(file);
  if ('damage' in read) return read;
  const { bytes, sha256, form: _, receivedAt, ...facts } = read.head;
  const body = file.subarray(read.bodyAt);
  if (body.length !== bytes) return { damage: `expected ${bytes} bytes of email, received ${body.length}` };
  if (sha256Of(body) !== sha256) return { damage: 'expected the bytes that were written, received others' };
  return { ...facts, receivedAt: new Date(receivedAt), body };
};
