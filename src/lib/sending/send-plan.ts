import type { ErrorCode } from '../error-catalogue.ts';
import { AppError } from '../errors.ts';
import type { Address } from '../mail/address.ts';
import { toMessage, toSendMailBody } from './json-message.ts';
import type { OutgoingFile, OutgoingMail } from './outgoing-mail.ts';

/**
 * What one Graph request may hold. Graph says 4 MB without saying which; the smaller reading is the one that
 * never accepts a mail Graph then refuses.
 */
export const MAX_REQUEST_BYTES = 4_000_000;
/** A file of 3 MB or more needs an upload session (graph: attach large files to Outlook messages). */
export const MAX_POSTED_BYTES = 2_999_999;
/** The largest file an upload session takes (graph: attach large files to Outlook messages). */
export const MAX_UPLOADED_BYTES = 150_000_000;

/** What the settings allow. */
export type PlanPolicy = {
  /** Drafts and upload sessions, which need Mail.ReadWrite. */
  readonly largeAttachments: boolean;
  /** `exact`: every email as a draft, whose sending can be proved. */
  readonly delivery: 'standard' | 'exact';
};

/** What recipients may not get as asked: Exchange removes it, or has been reported to. */
export type PlanWarning = { readonly code: ErrorCode; readonly pointer: string; readonly detail: string };

/** The message of a request to Graph. */
export type GraphMessageBody = {
  /** JSON, or MIME in base64. */
  readonly contentType: 'application/json' | 'text/plain';
  readonly body: Buffer;
};

type Common = {
  /** Whose sendMail, or drafts, are used. */
  readonly mailbox: string;
  /** Why the email goes this way, in a sentence. */
  readonly reason: string;
  readonly warnings: readonly PlanWarning[];
};

/** One sendMail request. */
export type DirectPlan = Common & GraphMessageBody & { readonly kind: 'json' | 'mime' };

/** A draft, its files one by one, then its sending. */
export type DraftPlan = Common & {
  readonly kind: 'draft';
  readonly message: GraphMessageBody;
  /** Those that are not in the message. */
  readonly files: readonly OutgoingFile[];
};

/** How a mail goes to Graph. */
export type SendPlan = DirectPlan | DraftPlan;
export type SendWay = SendPlan['kind'];

/** Plans how a mail goes to Graph. Throws MAIL_TOO_LARGE with limit and figure when it cannot. */
export const planSend = async (
  id: string,
  sender: Address,
  mail: OutgoingMail,
  policy: PlanPolicy,
): Promise<SendPlan> => {
  const common = { mailbox: sender.address, warnings: [] };
  if (policy.delivery === 'exact') return { ...common, ...asDraft(id, sender, mail), reason: EXACT };
  try {
    return { ...common, ...asJson(id, sender, mail), reason: PLAIN };
  } catch (error) {
    if (!(error instanceof AppError) || !policy.largeAttachments) throw error;
    return { ...common, ...asDraft(id, sender, mail), reason: LARGE };
  }
};

const PLAIN = 'The email fits one request in JSON.';
const EXACT = 'MAIL_DELIVERY is exact.';
const LARGE = 'The email is larger than one request to Graph can be.';

const asDraft = (id: string, sender: Address, mail: OutgoingMail) => ({
  kind: 'draft' as const,
  message: {
    contentType: 'application/json' as const,
    body: Buffer.from(JSON.stringify(toMessage(id, sender, mail))),
  },
  files: mail.files,
});

const asJson = (id: string, sender: Address, mail: OutgoingMail) => {
  const tooLarge = mail.files.flatMap(({ bytes }, index) =>
    bytes <= MAX_POSTED_BYTES ? [] : [{ index, bytes }],
  );
  if (tooLarge.length > 0)
    throw new AppError('MAIL_TOO_LARGE', {
      problems: tooLarge.map(({ index, bytes }) => ({
        code: 'MAIL_TOO_LARGE',
        pointer: `/attachments/${index}/content`,
        expected: `a file of less than ${MAX_POSTED_BYTES + 1} bytes`,
        received: `a file of ${bytes} bytes`,
      })),
    });
  const body = toSendMailBody(id, sender, mail);
  if (body.length > MAX_REQUEST_BYTES)
    throw new AppError('MAIL_TOO_LARGE', {
      detail: `One request to Graph can have ${MAX_REQUEST_BYTES} bytes; this email needs ${body.length}.`,
    });
  return { kind: 'json' as const, contentType: 'application/json' as const, body };
};
