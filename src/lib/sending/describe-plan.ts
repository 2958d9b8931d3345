import { toAttachment } from './json-message.ts';
import type { OutgoingFile } from './outgoing-mail.ts';
import { type GraphMessageBody, isPosted, type SendPlan } from './send-plan.ts';

/** A request to Graph as a person reads it: long texts and contents of files are cut. */
export type DescribedRequest = {
  readonly method: 'POST' | 'PUT';
  /** Below the endpoint of Graph; of an upload session, what Graph gives. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of the whole body. */
  readonly bodyBytes?: number;
};

const LONGEST_TEXT = 300;
const LONGEST_CONTENT = 40;
/** The header of most messages, and the beginning of the body. */
const LONGEST_MIME = 4000;
/** Graph: up to 4 MB each time. */
const RANGE_BYTES = 4_000_000;

const cut = (text: string, most: number): string => {
  if (text.length <= most) return text;
  // Not inside a character.
  const start = text.slice(0, most).replace(/[\ud800-\udbff]$/, '');
  return `${start}... (${text.length} characters)`;
};

const cutJson = (body: Buffer): unknown =>
  JSON.parse(body.toString(), (name, value) =>
    typeof value === 'string' ? cut(value, name === 'contentBytes' ? LONGEST_CONTENT : LONGEST_TEXT) : value,
  );

/** MIME as lines, and not in base64, which nobody reads. */
const cutMime = (body: Buffer): readonly string[] => {
  const mime = Buffer.from(body.toString('latin1', 0, Math.ceil(LONGEST_MIME / 3) * 4), 'base64');
  const bytes = Math.floor((body.length * 3) / 4);
  const lines = mime.subarray(0, LONGEST_MIME).toString('latin1').split('\r\n');
  return bytes <= LONGEST_MIME ? lines : [...lines, `... (about ${bytes} bytes)`];
};

const described = ({ contentType, body }: GraphMessageBody) => ({
  body: contentType === 'application/json' ? cutJson(body) : cutMime(body),
  bodyBytes: body.length,
});

const filesOf = (path: string, file: OutgoingFile): readonly DescribedRequest[] => {
  const { filename, contentType, cid, bytes } = file;
  const json = { 'Content-Type': 'application/json', ...IMMUTABLE };
  if (isPosted(file))
    return [
      {
        method: 'POST',
        path: `${path}/attachments`,
        headers: json,
        body: { ...toAttachment(file), contentBytes: `... (${bytes} bytes in base64)` },
      },
    ];
  return [
    {
      method: 'POST',
      path: `${path}/attachments/createUploadSession`,
      headers: json,
      body: {
        AttachmentItem: {
          attachmentType: 'file',
          name: filename,
          contentType,
          size: bytes,
          ...(cid === undefined ? {} : { isInline: true, contentId: cid }),
        },
      },
    },
    {
      method: 'PUT',
      path: '{uploadUrl}',
      headers: {
        'Content-Type': 'application/octet-stream',
        'Content-Range': `bytes 0-${Math.min(bytes, RANGE_BYTES) - 1}/${bytes}, and so on`,
      },
      body: `... (${bytes} bytes in ranges)`,
      bodyBytes: bytes,
    },
  ];
};

const IMMUTABLE = { Prefer: 'IdType="ImmutableId"' };

/** The requests of a plan in their order, without the token. Shows the email: for its caller alone, never for a log. */
export const describePlan = (plan: SendPlan): readonly DescribedRequest[] => {
  const mailbox = `/v1.0/users/${encodeURIComponent(plan.mailbox.toWellFormed())}`;
  if (plan.kind !== 'draft')
    return [
      {
        method: 'POST',
        path: `${mailbox}/sendMail`,
        headers: { 'Content-Type': plan.contentType },
        ...described(plan),
      },
    ];
  const draft = `${mailbox}/messages/{id}`;
  return [
    {
      method: 'POST',
      path: `${mailbox}/messages`,
      headers: { 'Content-Type': plan.message.contentType, ...IMMUTABLE },
      ...described(plan.message),
    },
    ...plan.files.flatMap((file) => filesOf(draft, file)),
    { method: 'POST', path: `${draft}/send`, headers: { 'Content-Length': '0', ...IMMUTABLE } },
  ];
};
