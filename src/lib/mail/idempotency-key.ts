const MAX_KEY = 255;

/** What an idempotency key is, in the header and in the mail. */
export const KEY_FORM = `1 to ${MAX_KEY} printable ASCII characters without blanks`;

/** What a text has that no idempotency key may have. One that is empty is no key at all. */
export const keyFault = (key: string): string | undefined => {
  if (/\s/.test(key)) return 'a blank in it';
  if (!/^[\x21-\x7e]*$/.test(key)) return 'a character that is not printable ASCII';
  if (key.length > MAX_KEY) return `${key.length} characters, and ${MAX_KEY} is the most`;
  return key === '' ? 'nothing in it' : undefined;
};

/** The idempotency key that a mail carries; undefined also for one that cannot be used. */
export const keyOfMail = (mail: object): string | undefined => {
  const { idempotencyKey: key } = mail as { readonly idempotencyKey?: unknown };
  return typeof key === 'string' && keyFault(key) === undefined ? key : undefined;
};
