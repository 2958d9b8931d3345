import { oneLine } from '../relay/one-line.ts';

/** A reply to a command: code, enhanced status code (RFC 3463) and one line for the log of a device. */
export type Reply = { readonly code: number; readonly enhanced: string; readonly text: string };

/** A reply as an error, which is how smtp-server takes one from a handler. */
export class ReplyError extends Error {
  readonly responseCode: number;

  constructor({ code, enhanced, text }: Reply) {
    super(`${enhanced} ${oneLine(text)}`);
    this.responseCode = code;
  }
}

/** A text that begins with its own enhanced status code. */
export const OWN_CODE = /^[245]\.\d{1,3}\.\d{1,3} /;
