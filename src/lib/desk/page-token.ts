import { AppError } from '../errors.ts';

/** A place in a list of this kind, as a parameter. Of a kind, so that anything else is told as that: some storages begin anywhere. */
export const toPage = (kind: string, continuation: string): string =>
  Buffer.from(kind + continuation).toString('base64url');

/** Throws QUERY_INVALID for what is no place in a list of this kind. */
export const readPage = (kind: string, token: string): string => {
  const text = Buffer.from(token, 'base64url').toString();
  if (!text.startsWith(kind) || toPage(kind, text.slice(kind.length)) !== token)
    throw new AppError('QUERY_INVALID', {
      detail: 'Expected in `after` the `next` of the previous page, received something else.',
    });
  return text.slice(kind.length);
};
