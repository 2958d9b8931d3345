import { readHeaderBlock } from '../message/header-block.ts';
import {
  type Envelope,
  type Judge,
  type Judged,
  judgeMessage,
  type MessageSettings,
} from '../message/judge-message.ts';
import { withLineEnds } from '../message/line-ends.ts';
import { readAddressField } from '../message/mailbox.ts';
import { type Refusal, refuse } from '../message/refusal.ts';
import type { Account } from '../settings.ts';

/**
 * The envelope, where a program wrote it into the header as for the pickup directory of Windows: System.Net.Mail writes one X-Sender and
 * an X-Receiver for each recipient, and nothing else names those in Bcc. Undefined where there is none.
 */
const envelopeOf = (bytes: Buffer): Envelope | Refusal | undefined => {
  const { fields } = readHeaderBlock(withLineEnds(bytes));
  const valuesOf = (name: string) => fields.filter(({ key }) => key === name).map(({ value }) => value);
  const receivers = valuesOf('x-receiver');
  if (receivers.length === 0) return undefined;
  const { addresses, isExact } = readAddressField(receivers.join(', '));
  if (!isExact || addresses.length === 0)
    return refuse('A header X-Receiver is malformed. Write one address in each.', '5.1.3', 553);
  const [sender] = readAddressField(valuesOf('x-sender')[0] ?? '').addresses;
  return { from: sender?.address ?? '', to: addresses.map(({ address }) => address) };
};

/** Editors and .NET write it at the beginning of a text in UTF-8: it would be part of the name of the first field. */
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** Judges a file as the door judges a message. Without an envelope in its header, To, Cc and Bcc say who gets it. */
export const judgeFile = async (
  file: Buffer,
  account: Account,
  settings: MessageSettings,
  judge: Judge = judgeMessage,
): Promise<Judged | Refusal> => {
  const bytes = file.indexOf(BYTE_ORDER_MARK) === 0 ? file.subarray(BYTE_ORDER_MARK.length) : file;
  const envelope = envelopeOf(bytes);
  if (envelope !== undefined && 'kind' in envelope) return envelope;
  return judge({ bytes, account, ...(envelope === undefined ? {} : { envelope }) }, settings);
};
