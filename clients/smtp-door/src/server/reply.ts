/** A reply to a command: code, enhanced status code (RFC 3463) and one line for the log of a device. */
export type Reply = { readonly code: number; readonly enhanced: string; readonly text: string };

/** RFC 5321, 4.5.3.1.5: a reply line has at most 512 bytes with its code and its line end. */
const LONGEST = 480;

/** One line of ASCII without addresses: devices show it, and keep it in logs that others read. */
export const oneLine = (text: string): string =>
  text
    .replaceAll(/[^\s<>"'`]+@(?!example\.com)[^\s<>"'`,;:]+/g, '(address)')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[^ -~]/g, '?')
    .trim()
    .slice(0, LONGEST);

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
