import { AppError, type Problem } from '../errors.ts';
import type { Address } from '../mail/address.ts';
import { encodedLength } from '../mail/base64-text.ts';
import { inWords, type MimeNeed, mimeNeeds } from '../mail/mime-needs.ts';
import { composeMime } from './compose-mime.ts';
import { toMessage, toSendMailBody } from './json-message.ts';
import type { OutgoingFile, OutgoingMail } from './outgoing-mail.ts';
import { type PlanWarning, planWarnings, SAFE_MIME_BYTES } from './plan-warnings.ts';
import { toRawMessage } from './raw-message.ts';

/**
 * What one Graph request may hold. Graph says 4 MB without saying which; the smaller reading is the one that
 * never accepts a mail Graph then refuses.
 */
export const MAX_REQUEST_BYTES = 4_000_000;
/** A file of 3 MB or more needs an upload session (graph: attach large files to Outlook messages). */
export const MAX_POSTED_BYTES = 2_999_999;
/** The largest file an upload session takes (graph: attach large files to Outlook messages). */
export const MAX_UPLOADED_BYTES = 150_000_000;
export type { PlanWarning };

/** What the settings allow. */
export type PlanPolicy = {
  /** Drafts and upload sessions, which need Mail.ReadWrite. */
  readonly largeAttachments: boolean;
  /** `exact`: every email as a draft, whose sending can be proved. */
  readonly delivery: 'standard' | 'exact';
};

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

type Way = Omit<DirectPlan, 'mailbox' | 'warnings'> | Omit<DraftPlan, 'mailbox' | 'warnings'>;

/**
 * True for a file that is posted to a draft in one request; others need an upload session. Graph documents a post for files
 * below 3 MB, and refuses sessions for them: of the last 200 bytes below 3 MB the request has a little more than 4,000,000 bytes, which
 * is within 4 MiB, the limit that this documentation implies.
 */
export const isPosted = ({ bytes }: OutgoingFile): boolean => bytes <= MAX_POSTED_BYTES;

/**
 * Plans how a mail goes to Graph: as JSON where JSON says all of it, else as MIME, and as a draft where one request cannot hold
 * it. `date` is the Date of a message in MIME. Throws MAIL_TOO_LARGE with limit and figure when it cannot go.
 */
export const planSend = async (
  id: string,
  sender: Address,
  mail: OutgoingMail,
  policy: PlanPolicy,
  date: Date,
): Promise<SendPlan> => {
  const needs = mimeNeeds(mail);
  const isDraftAllowed = policy.largeAttachments || policy.delivery === 'exact';
  requireFiles(mail, isDraftAllowed);
  const plan = { id, sender, mail, date, isDraftAllowed, isExact: policy.delivery === 'exact' };
  const way = needs.length === 0 ? planJson(plan) : await planMime(plan, needs);
  const mimeBytes = way.kind === 'mime' ? way.body.length : undefined;
  const warnings = planWarnings(mail, { isMime: needs.length > 0, mimeBytes });
  return { mailbox: sender.address, warnings, ...way };
};

type Planned = {
  readonly id: string;
  readonly sender: Address;
  readonly mail: OutgoingMail;
  readonly date: Date;
  readonly isDraftAllowed: boolean;
  readonly isExact: boolean;
};

const EXACT = 'MAIL_DELIVERY is exact.';

/** Files that no request can bring to Graph. */
const requireFiles = ({ files }: OutgoingMail, isDraftAllowed: boolean): void => {
  const limit = isDraftAllowed ? MAX_UPLOADED_BYTES : MAX_POSTED_BYTES;
  const problems = files.flatMap(({ bytes, source }, index): Problem[] => {
    const pointer = `/attachments/${index}/${source.kind === 'blob' ? 'blob' : 'content'}`;
    if (bytes > limit)
      return [
        {
          code: 'MAIL_TOO_LARGE',
          pointer,
          expected: `a file of less than ${limit + 1} bytes${isDraftAllowed ? '' : ', or the setting MAIL_LARGE_ATTACHMENTS'}`,
          received: `a file of ${bytes} bytes`,
        },
      ];
    return source.kind === 'base64' || isDraftAllowed
      ? []
      : [
          {
            code: 'LARGE_ATTACHMENTS_OFF',
            pointer,
            expected: 'a file in the email itself, or the setting MAIL_LARGE_ATTACHMENTS',
            received: 'a file in a blob',
          },
        ];
  });
  const [first] = problems;
  if (first !== undefined) {
    const isOneKind = problems.every(({ code }) => code === first.code);
    throw new AppError(isOneKind ? first.code : 'MAIL_INVALID', { problems });
  }
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > MAX_UPLOADED_BYTES)
    throw new AppError('MAIL_TOO_LARGE', {
      detail: `An email can have ${MAX_UPLOADED_BYTES} bytes of files; the files of this email have ${total}.`,
    });
};

type TooLarge = Pick<Planned, 'mail' | 'isDraftAllowed'> & { readonly needed: number; readonly form: string };

const tooLarge = ({ mail, isDraftAllowed, needed, form }: TooLarge): AppError => {
  const hasFiles = mail.files.length > 0;
  const [before, after] = [
    isDraftAllowed && hasFiles ? 'without its files, ' : '',
    isDraftAllowed || !hasFiles ? '' : ' With the setting MAIL_LARGE_ATTACHMENTS files do not count.',
  ];
  return new AppError('MAIL_TOO_LARGE', {
    detail: `One request to Graph can have ${MAX_REQUEST_BYTES} bytes; ${before}this email needs ${needed} ${form}.${after}`,
  });
};

/** At least so much of a request are files in base64. */
const bytesOfFiles = (files: readonly OutgoingFile[]): number =>
  files.reduce((sum, { bytes, source }) => {
    if (source.kind === 'blob') return Number.POSITIVE_INFINITY;
    return sum + Math.max(encodedLength(source.content), Math.ceil(bytes / 3) * 4);
  }, 0);

const planJson = ({ id, sender, mail, isDraftAllowed, isExact }: Planned): Way => {
  const wantsCopy = mail.saveToSentItems;
  if (!isExact || !wantsCopy) {
    const atLeast = bytesOfFiles(mail.files);
    const body = atLeast > MAX_REQUEST_BYTES ? undefined : toSendMailBody(id, sender, mail);
    if (body !== undefined && body.length <= MAX_REQUEST_BYTES)
      return {
        kind: 'json',
        contentType: 'application/json',
        body,
        reason: isExact
          ? 'The email leaves no copy in Sent Items, which a draft always does.'
          : 'The email fits one request in JSON.',
      };
    if (!isDraftAllowed)
      throw tooLarge({ mail, isDraftAllowed, needed: body?.length ?? atLeast, form: 'in JSON' });
    if (!wantsCopy) throw copyNeeded();
  }
  const message = {
    contentType: 'application/json' as const,
    body: Buffer.from(JSON.stringify(toMessage(id, sender, mail))),
  };
  if (message.body.length > MAX_REQUEST_BYTES)
    throw tooLarge({ mail, isDraftAllowed: true, needed: message.body.length, form: 'in JSON' });
  return { kind: 'draft', message, files: mail.files, reason: isExact ? EXACT : LARGE };
};

const LARGE = 'The email is larger than one request to Graph can be, or has a file in a blob.';

const copyNeeded = (): AppError =>
  new AppError('SENT_ITEMS_COPY_NEEDED', {
    problems: [
      {
        code: 'SENT_ITEMS_COPY_NEEDED',
        pointer: '/saveToSentItems',
        expected: 'true, or `attachments` that fit one request: a draft always leaves a copy',
        received: 'boolean',
      },
    ],
  });

const inBase64 = (mime: Buffer): GraphMessageBody => ({
  contentType: 'text/plain',
  body: Buffer.from(mime.toString('base64'), 'latin1'),
});

const planMime = async (planned: Planned, needs: readonly MimeNeed[]): Promise<Way> => {
  const { id, sender, mail, date, isDraftAllowed, isExact } = planned;
  const { raw, files } = mail;
  const because = `The email goes as MIME because ${inWords(needs)}`;
  const compose = async (some: readonly OutgoingFile[]): Promise<GraphMessageBody> =>
    inBase64(
      raw === undefined
        ? await composeMime(id, sender, mail, some, date)
        : toRawMessage(id, sender, raw, date),
    );
  // Base64 in base64.
  const atLeast = Math.ceil((bytesOfFiles(files) * 4) / 3);
  const isDraft = isExact || (isDraftAllowed && atLeast > SAFE_MIME_BYTES);
  const whole = isDraft || atLeast > MAX_REQUEST_BYTES ? undefined : await compose(files);
  const size = whole?.body.length ?? atLeast;
  if (whole !== undefined && size <= SAFE_MIME_BYTES)
    return { kind: 'mime', ...whole, reason: `${because}.` };
  if (isDraftAllowed) {
    const message = whole !== undefined && files.length === 0 ? whole : await compose([]);
    if (message.body.length > MAX_REQUEST_BYTES)
      throw tooLarge({ mail, isDraftAllowed, needed: message.body.length, form: 'as MIME in base64' });
    const reason = isExact
      ? `${because}, and as a draft because ${EXACT}`
      : `${because}, and as a draft because it is larger than what sendMail takes as MIME.`;
    return { kind: 'draft', message, files, reason };
  }
  if (whole === undefined || size > MAX_REQUEST_BYTES)
    throw tooLarge({ mail, isDraftAllowed, needed: size, form: 'as MIME in base64' });
  return {
    kind: 'mime',
    ...whole,
    reason: `${because}. It is larger than MIME that is known to work in one request (${SAFE_MIME_BYTES} bytes); Graph may reject it.`,
  };
};
