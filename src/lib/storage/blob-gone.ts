import { RestError } from '@azure/storage-blob';

/** What storage says is wrong: in the body, or where the response to HEAD has none, in a header. */
const codeOf = ({ code, details }: RestError): string | undefined =>
  code ?? (details as { readonly errorCode?: string } | undefined)?.errorCode;

/** There is no such blob. Not the container: that it is missing is a fault of the set-up, and no word about the blob. */
export const isBlobGone = (error: unknown): boolean =>
  error instanceof RestError && codeOf(error) === 'BlobNotFound';

/** Undefined where the blob is gone, or what else `isGone` says. */
export const unlessGone = async <Value>(
  asked: Promise<Value>,
  isGone: (error: unknown) => boolean = isBlobGone,
): Promise<Value | undefined> => {
  try {
    return await asked;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
};
