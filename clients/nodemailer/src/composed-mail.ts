import { addAbortSignal, type Readable } from 'node:stream';
import type { GraphMailRelayMail } from '../index.d.ts';
import { relayError } from './relay-error.ts';

/** What nodemailer gives to a transport, as far as it is read: the same in nodemailer 6 to 10. */
export type ComposedMail = {
  readonly data: GraphMailRelayMail & { readonly [option: string]: unknown };
  readonly message: MimeTree;
  readonly mailer?: { readonly dkim?: unknown; readonly options?: { readonly attachDataUrls?: unknown } };
};

/** The signal that ends an email, which versions of nodemailer before 10.5 do not look at. */
export const signalOf = ({ data }: ComposedMail): AbortSignal | undefined => {
  const { signal } = data;
  if (signal === undefined || signal === null || signal instanceof AbortSignal) return signal ?? undefined;
  throw relayError(
    'Wrong option signal of this email. Expected an AbortSignal of Node.js. Nothing was sent.',
    { code: 'ECONFIG' },
  );
};

/** One address as nodemailer reads it. Without an address and a group, it is left out of the envelope. */
export type ReadAddress = {
  readonly name?: string | undefined;
  readonly address?: string | undefined;
  readonly group?: readonly ReadAddress[] | undefined;
};

/** The MIME tree of nodemailer. */
export type MimeTree = {
  keepBcc: boolean;
  readonly baseBoundary: string;
  readonly childNodes: readonly MimeTree[];
  readonly content?: unknown;
  getHeader(name: string): unknown;
  setHeader(name: string, value: string): unknown;
  setContent(content: string): unknown;
  getEnvelope(): { readonly from: string | false; readonly to: readonly string[] };
  messageId(): string;
  /** How nodemailer itself reads addresses; the second is for envelopes, from version 10 on. */
  _parseAddresses?(written: unknown): readonly ReadAddress[];
  _parseEnvelopeAddresses?(written: unknown): readonly ReadAddress[];
  createReadStream(): Readable;
};

/** Twice what the relay accepts at most: above that, no message is held in memory to hear that. */
const MOST_BYTES = 200_000_000;

/** Causes that another try does not change. */
const LASTS = /^(?:ENOENT|ENOTDIR|EISDIR|EACCES|EPERM|EFILEACCESS|EURLACCESS|ERR_INVALID_\w+)$/;

/** The text of the cause can have a path, an address or a URL with a secret in it. */
const notComposed = (cause: unknown) => {
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  const isLasting = LASTS.test(String(code));
  return relayError(
    isLasting
      ? 'The message could not be composed: a file or a URL of it does not exist, or cannot be read from here. The cause of this error says which. Correct it. Nothing was sent.'
      : 'The message could not be composed: an attachment or a part of the text could not be read. The cause of this error says why. If it can pass, such as a server that does not respond, send the email again later. Nothing was sent.',
    { code: 'ECOMPOSE', responseCode: isLasting ? 554 : 451 },
    cause,
  );
};

/** Reads the whole message, which is read once: its attachments can be streams. */
export const readBytes = async (message: MimeTree, signal: AbortSignal | undefined): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    const stream = message.createReadStream();
    if (signal !== undefined) addAbortSignal(signal, stream);
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MOST_BYTES) break;
    }
  } catch (cause) {
    throw notComposed(cause);
  }
  if (length > MOST_BYTES)
    throw relayError(
      `Expected a message of at most ${MOST_BYTES} bytes, received a larger one. Send a link to the file instead. Nothing was sent.`,
      { code: 'EMESSAGE', responseCode: 552 },
    );
  return Buffer.concat(chunks, length);
};
