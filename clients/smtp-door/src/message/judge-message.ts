import { lineAt } from '../../../../src/lib/mail/line-breaks.ts';
import { MAX_MIME_BYTES } from '../../../../src/lib/mail/raw-mime.ts';
import type { Account, DoorSettings } from '../settings.ts';
import { type Edit, withEdits } from './edits.ts';
import { readHeaderBlock } from './header-block.ts';
import { type Keys, keysOfContent, ownKeyOf } from './idempotency.ts';
import { hasBareLineEnds } from './line-ends.ts';
import { mailboxKey } from './mailbox.ts';
import { mendCharset } from './mend-charset.ts';
import { mendFields } from './mend-fields.ts';
import { mendLineEnds } from './mend-line-ends.ts';
import { mendRecipients } from './mend-recipients.ts';
import { mendSender } from './mend-sender.ts';
import { withSteadyBoundaries } from './python-boundaries.ts';
import { rebuild } from './rebuild.ts';
import { type Refusal, refuse } from './refusal.ts';
import { faultByRules } from './rules.ts';

/**
 * Above 2.24 MB in base64 users report that Graph returned 200 for a whole message and sent nothing; the relay sends a JSON email of that
 * size as a draft with its files.
 */
const PREFERRED_MIME_BYTES = 1_680_000;

/** Far more than 500 recipients and their references need: each field costs time. */
const MAX_HEADER_BYTES = 1_000_000;

/** RFC 5321, 6.3: more is a loop. The relay takes these fields out, so that nobody after it can see one. */
const MAX_RECEIVED = 100;

/** The envelope of SMTP. A file in a folder has none: then the header says it. */
export type Envelope = { readonly from: string; readonly to: readonly string[] };

export type Arrival = {
  readonly bytes: Buffer;
  readonly envelope?: Envelope;
  readonly account: Account;
  /** Absent for a file, which has a key of its own. */
  readonly receivedAt?: Date;
};

export type MessageSettings = Pick<DoorSettings, 'bareLineEnds' | 'otherRecipients'>;

/** An email that the relay would accept by its rules, and what was put right for that. Facts for the log, without content. */
export type Judged = Keys & {
  readonly kind: 'email';
  readonly contentType: 'message/rfc822' | 'application/json';
  readonly body: Buffer;
  readonly notes: Readonly<Record<string, string | number | boolean>>;
};

/** What judges a message, here or in another thread. */
export type Judge = (arrival: Arrival, settings: MessageSettings) => Promise<Judged | Refusal>;

const isRefusal = (value: object | string | undefined): value is Refusal =>
  typeof value === 'object' && 'kind' in value && value.kind === 'refused';

/** Why a message is built again; said only where that is not possible either. */
const RAW_FILE = refuse('The message has a file that is not encoded.');

const mimeFault = (bytes: Buffer): Refusal | undefined =>
  bytes.length > MAX_MIME_BYTES
    ? refuse(`The message has more than ${MAX_MIME_BYTES} bytes.`, '5.3.4', 552)
    : faultByRules({ mime: bytes.toString('base64') });

/** Makes one email for the relay of what a client sent, or says why not. Nothing is dropped silently, and nothing is guessed. */
export const judgeMessage = async (
  { bytes, envelope, account, receivedAt }: Arrival,
  { bareLineEnds, otherRecipients }: MessageSettings,
): Promise<Judged | Refusal> => {
  const hasBare = hasBareLineEnds(bytes);
  if (hasBare && bareLineEnds === 'refuse')
    return refuse('The message has a CR or an LF alone. Set this device to end every line with CRLF.');
  const { lines, hasRawFile } = hasBare ? mendLineEnds(bytes) : { lines: bytes, hasRawFile: false };
  const { next: headerLimit } = lineAt(lines, Math.min(MAX_HEADER_BYTES, lines.length));
  const { fields, stray, end, bodyAt } = readHeaderBlock(lines.subarray(0, headerLimit));
  if (bodyAt > MAX_HEADER_BYTES)
    return refuse(`The header of the message has more than ${MAX_HEADER_BYTES} bytes.`, '5.3.4', 552);
  if (fields.filter(({ key }) => key === 'received').length > MAX_RECEIVED)
    return refuse(
      'The message went through more than 100 servers. Two of them send it to each other: end that loop.',
      '5.4.6',
      554,
    );
  const ownKey = ownKeyOf(fields);
  if (isRefusal(ownKey)) return ownKey;
  const sender = mendSender(fields, envelope?.from, account);
  if (isRefusal(sender)) return sender;
  const people =
    envelope === undefined
      ? { edits: [], added: '', removed: 0 }
      : mendRecipients(fields, envelope.to, otherRecipients);
  if (isRefusal(people)) return people;
  const others = mendFields(fields, envelope !== undefined);
  if (isRefusal(others)) return others;
  const edits: Edit[] = [
    { start: 0, end: 0, text: `${sender.added}${people.added}` },
    ...stray.map(({ start, end: to }) => ({ start, end: to, text: '' })),
    ...sender.edits,
    ...people.edits,
    ...others,
    ...(end === bodyAt
      ? [
          {
            start: end,
            end,
            text: lines.subarray(0, end).toString('latin1').endsWith('\n') || end === 0 ? '\r\n' : '\r\n\r\n',
          },
        ]
      : []),
  ].filter(({ start, end: to, text }) => to > start || text !== '');
  const whole = mendCharset(withEdits(lines, edits));
  const mended = whole.length > MAX_MIME_BYTES ? whole : withSteadyBoundaries(whole);
  const notes = {
    ...(hasBare ? { bareLineEnds: true } : {}),
    ...(people.removed > 0 ? { recipientsRemoved: people.removed } : {}),
    ...(sender.isReplaced ? { fromReplaced: true } : {}),
    ...(envelope !== undefined &&
    envelope.from !== '' &&
    mailboxKey(envelope.from) !== mailboxKey(sender.from)
      ? { mailFromDiffers: true }
      : {}),
  };
  const email = (contentType: Judged['contentType'], body: Buffer, rebuilt: boolean): Judged => ({
    kind: 'email',
    ...(ownKey === undefined
      ? keysOfContent({ account: account.name, fields, recipients: envelope?.to ?? [], body, receivedAt })
      : { idempotencyKey: ownKey }),
    contentType,
    body,
    notes: { ...notes, ...(rebuilt ? { rebuilt } : {}) },
  });
  const fault = hasRawFile ? RAW_FILE : mimeFault(mended);
  if (fault === undefined && mended.length <= PREFERRED_MIME_BYTES)
    return email('message/rfc822', mended, false);
  const json = await rebuild(mended, fault?.text ?? '');
  const jsonFault = isRefusal(json) ? json : faultByRules(json);
  if (jsonFault === undefined) return email('application/json', Buffer.from(JSON.stringify(json)), true);
  return fault === undefined ? email('message/rfc822', mended, false) : jsonFault;
};
