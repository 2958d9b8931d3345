import type { Reply } from './reply.ts';

type Facts = { readonly maxBytes: number; readonly offersTls: boolean; readonly isReceiving: boolean };

const NO_END =
  'The end of the message (CRLF . CRLF) did not arrive in time. Nothing was accepted. If this device ends lines with LF alone, set it to CRLF.';

/** Commands that exist and are off here, with what to say instead of "not recognized". */
const offFor = (command: string, { offersTls }: Facts): Reply | undefined => {
  if (command === 'VRFY' || command === 'EXPN')
    return { code: 502, enhanced: '5.5.1', text: `${command} is off on this server.` };
  if (command === 'STARTTLS') return { code: 502, enhanced: '5.5.1', text: 'STARTTLS is off on this port.' };
  if (command === 'BDAT')
    return { code: 502, enhanced: '5.5.1', text: 'BDAT is not offered. Send the message with DATA.' };
  if (command === 'AUTH')
    return offersTls
      ? { code: 530, enhanced: '5.7.0', text: 'Send STARTTLS first: passwords are accepted with TLS only.' }
      : { code: 502, enhanced: '5.5.1', text: 'AUTH is off on this port. Use a port with TLS.' };
  return undefined;
};

const byText: readonly (readonly [RegExp, string])[] = [
  [/shutting down/i, '4.3.2'],
  [/too many (?:un\w+ )?commands/i, '4.7.0'],
  [/talk too soon|HTTP requests/i, '4.5.1'],
  [/command line too long/i, '4.5.2'],
  [/STARTTLS command first/i, '5.7.0'],
  [/internal server error/i, '4.3.0'],
  [/syntax: (?:HELO|EHLO|STARTTLS)|hostname syntax/i, '5.5.4'],
];

/**
 * What the library says by itself, with the code that RFC 3463 has for it: the library gives every 421 the code of a timeout, and
 * every 550 that of an unknown mailbox. Undefined where its own is right.
 */
export const replyOfLibrary = (
  code: number,
  text: string,
  context: string | false | undefined,
  facts: Facts,
): Reply | undefined => {
  if (code === 500 && typeof context === 'string') {
    const off = offFor(context, facts);
    if (off !== undefined) return off;
  }
  if (context === 'MESSAGE_TOO_BIG')
    return {
      code,
      enhanced: '5.3.4',
      text: `The message is larger than ${facts.maxBytes} bytes, which is the most that this server takes. Send smaller files, or a link.`,
    };
  if (context === 'TOO_MANY_RECIPIENTS')
    return {
      code,
      enhanced: '4.5.3',
      text: 'An email has at most 500 recipients. Send it to the others in another email.',
    };
  if (code === 421 && /^timeout/i.test(text))
    return {
      code,
      enhanced: '4.4.2',
      text: facts.isReceiving ? NO_END : 'Nothing was received for too long. Closing the connection.',
    };
  const found = byText.find(([pattern]) => pattern.test(text));
  return found === undefined ? undefined : { code, enhanced: found[1], text };
};
