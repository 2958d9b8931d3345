import { AppError } from '../errors.ts';
import { keyFault } from '../mail/idempotency-key.ts';

/** What a caller sends: an email as it was received, and the key of the header; the email can have it too. */
export type KeyedInput = {
  readonly input: unknown;
  readonly idempotencyKey?: string;
  /** Stands for the request, where its key is of several emails: the same email in another request is not the same. */
  readonly whole?: string;
};

/** The key of an email, and the email with it. Throws IDEMPOTENCY_KEY_INVALID. */
export const withKey = (
  request: KeyedInput,
): { readonly key: string | undefined; readonly input: unknown } => {
  const key = decideKey(request);
  const { input } = request;
  return { key, input: key === undefined || !isObject(input) ? input : { ...input, idempotencyKey: key } };
};

const isObject = (input: unknown): input is object =>
  typeof input === 'object' && input !== null && !Array.isArray(input);

/** The key in the email itself, whether it can be used or not. */
export const keyInMail = (input: unknown): string | undefined => {
  const { idempotencyKey } = (input ?? {}) as { readonly idempotencyKey?: unknown };
  return typeof idempotencyKey === 'string' && idempotencyKey !== '' ? idempotencyKey : undefined;
};

const decideKey = ({ input, idempotencyKey: header }: KeyedInput): string | undefined => {
  const key = keyInMail(input);
  const fault = header === undefined ? undefined : faultOfHeader(header, key);
  if (fault !== undefined) throw new AppError('IDEMPOTENCY_KEY_INVALID', { detail: fault });
  return header ?? key;
};

const faultOfHeader = (header: string, field: string | undefined): string | undefined => {
  if (header === '')
    return 'The header Idempotency-Key is empty. Omit it, or use a different key for each email.';
  const fault = keyFault(header);
  if (fault !== undefined) return `The header Idempotency-Key has ${fault}.`;
  if (field !== undefined && field !== header)
    return 'The header Idempotency-Key and the field `idempotencyKey` differ.';
  return undefined;
};
