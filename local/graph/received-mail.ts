import { randomUUID } from 'node:crypto';
import type { CapturedMail, GraphRecipient, GraphSendMailBody } from '../../src/lib/inbox/captured-mail.ts';
import type { GraphSettings } from './settings.ts';

/** An email as it came, in one shape for JSON and MIME. */
export type ReceivedMail = {
  readonly via: 'json' | 'mime';
  /** As received where it came as JSON. */
  readonly body: GraphSendMailBody;
  /** Whom MIME names as `Sender` besides `From`. */
  readonly senders: readonly GraphRecipient[];
  readonly details: Pick<CapturedMail, 'mime' | 'text' | 'calendar' | 'inReplyTo' | 'references' | 'headers'>;
  /** The Message-ID that the caller chose. */
  readonly messageId?: string;
};

/**
 * The Message-ID that recipients see. Whether Exchange keeps a caller's is not documented (MS-OXCMAIL: servers may overwrite
 * it), so both can be had.
 */
export const decideMessageId = (
  { messageId }: Pick<ReceivedMail, 'messageId'>,
  { callerMessageId }: Pick<GraphSettings, 'callerMessageId'>,
  domain: string,
): string =>
  callerMessageId === 'keep' && messageId !== undefined ? messageId : `<${randomUUID()}@${domain}>`;

/** Properties of MAPI by which JSON can say what an email answers: PidTagInReplyToId and PidTagInternetReferences. */
const IN_REPLY_TO = /^String 0x1042$/i;
const REFERENCES = /^String 0x1039$/i;

/** What a JSON message says beyond its Graph properties. */
export const detailsOfJson = ({ message }: GraphSendMailBody): ReceivedMail['details'] => {
  const propertyLike = (wanted: RegExp) =>
    message.singleValueExtendedProperties?.find(({ id }) => wanted.test(id))?.value;
  const inReplyTo = propertyLike(IN_REPLY_TO);
  const references = propertyLike(REFERENCES)?.trim();
  return {
    ...(inReplyTo !== undefined && { inReplyTo }),
    ...(references && { references: references.split(/\s+/) }),
  };
};

/** Undefined where it came as JSON. */
export const mimeBytesOf = ({ details: { mime } }: ReceivedMail): number | undefined =>
  mime === undefined ? undefined : Buffer.byteLength(mime, 'base64');
