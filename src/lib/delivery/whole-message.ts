import type { Problem } from '../errors.ts';
import { problemsError } from '../errors.ts';
import { blobNameFault } from '../mail/blob-name.ts';
import { MAX_MIME_BYTES } from '../mail/raw-mime.ts';
import type { ResolveNeeds } from './resolve-files.ts';

/**
 * An email with its whole message in it, where `mime` names the blob that has it: a queue message is too small for most. In the
 * email as it was received the name stays, and its content is known by that. Throws MAIL_TOO_LARGE, FIELD_INVALID, ATTACHMENT_NOT_FOUND,
 * ATTACHMENT_CHANGED, STORAGE_UNAVAILABLE.
 */
export const withWholeMessage = async (
  { attachments }: Pick<ResolveNeeds, 'attachments'>,
  input: unknown,
): Promise<unknown> => {
  const name = blobOf(input);
  if (name === undefined) return input;
  const fault = blobNameFault(name);
  if (fault !== undefined) throw refusal({ ...fault, received: 'another text' });
  const found = await attachments.find(name);
  if (found === undefined)
    throw refusal({
      code: 'ATTACHMENT_NOT_FOUND',
      expected: 'the name of a blob in the container mail-attachments',
      received: 'a name that no blob there has',
    });
  if (found.bytes > MAX_MIME_BYTES)
    throw refusal({
      code: 'MAIL_TOO_LARGE',
      expected: `a whole message of at most ${MAX_MIME_BYTES} bytes`,
      received: `a blob of ${found.bytes} bytes`,
    });
  const bytes =
    found.bytes === 0 ? Buffer.alloc(0) : await attachments.read(name, found.etag, 0, found.bytes);
  if (bytes === undefined)
    throw refusal({
      code: 'ATTACHMENT_CHANGED',
      expected: 'a blob that stays as it is until the email is sent',
      received: 'a blob that was replaced or deleted while the relay read it',
    });
  return { ...(input as object), mime: bytes.toString('base64') };
};

const refusal = (problem: Omit<Problem, 'pointer'>) => problemsError([{ ...problem, pointer: '/mime/blob' }]);

/** Undefined for everything else, of which the contract says what is wrong. */
const blobOf = (input: unknown): string | undefined => {
  const { mime } = (input ?? {}) as { readonly mime?: unknown };
  if (typeof mime !== 'object' || mime === null || Object.keys(mime).join() !== 'blob') return undefined;
  const { blob } = mime as { readonly blob?: unknown };
  return typeof blob === 'string' ? blob : undefined;
};
