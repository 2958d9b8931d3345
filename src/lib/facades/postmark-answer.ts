import { isObject } from '../mail/absent.ts';
import { EMAIL_RULES, inTheirCase } from './postmark-fields.ts';

/** Postmark's answer for an email that was accepted. */
export type PostmarkAccepted = {
  readonly To?: string;
  readonly Cc?: string;
  readonly Bcc?: string;
  readonly SubmittedAt: string;
  /** Clients for .NET read it as a GUID, which our ids are. */
  readonly MessageID: string;
  readonly ErrorCode: 0;
  readonly Message: string;
};

/** In the place of the id of an email that was only checked. */
export const NO_MESSAGE_ID = '00000000-0000-0000-0000-000000000000';
/** What Postmark says for its test token. */
export const CHECKED = 'Test job accepted';

/** With an offset, as Postmark writes it. */
export const withOffset = (at: string): string => at.replace(/Z$/, '+00:00');

/** The answer for an email, with its recipients as they were written. */
export const toAccepted = (
  written: unknown,
  { mailId, at, message = 'OK' }: { readonly mailId: string; readonly at: string; readonly message?: string },
): PostmarkAccepted => {
  const { fields } = inTheirCase(isObject(written) ? written : {}, EMAIL_RULES);
  const echo = (['To', 'Cc', 'Bcc'] as const).flatMap((name) => {
    const value = fields[name];
    return typeof value === 'string' && value !== '' ? [[name, value]] : [];
  });
  return {
    ...Object.fromEntries(echo),
    SubmittedAt: withOffset(at),
    MessageID: mailId,
    ErrorCode: 0,
    Message: message,
  };
};
