import {
  type Envelope,
  judgeMessage,
  type MessageSettings,
} from '../../../clients/smtp-door/src/message/judge-message.ts';
import type { Account } from '../../../clients/smtp-door/src/settings.ts';
import { SCANNER } from './door-for-tests.ts';

const ENVELOPE: Envelope = { from: 'scanner@contoso.com', to: ['chan@contoso.com'] };

/** Lines of a message with CRLF, in latin-1 where they are text. */
export const message = (...lines: readonly string[]): Buffer =>
  Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1');

type Over = {
  readonly envelope?: Partial<Envelope>;
  readonly account?: Partial<Account>;
} & Partial<MessageSettings>;

/** Judges a message, and gives what the relay would get, as text. */
export const judge = async (
  bytes: Buffer,
  { envelope, account, bareLineEnds = 'mend', otherRecipients = 'remove' }: Over = {},
) => {
  const judged = await judgeMessage(
    { bytes, envelope: { ...ENVELOPE, ...envelope }, account: { ...SCANNER, ...account } },
    { bareLineEnds, otherRecipients },
  );
  if (judged.kind === 'refused')
    return { ...judged, text: `${judged.code} ${judged.enhanced} ${judged.text}` };
  return { ...judged, text: judged.body.toString('latin1') };
};

/** The email that was built again. */
export const json = async (bytes: Buffer, over: Over = {}): Promise<Record<string, unknown>> => {
  const judged = await judge(bytes, over);
  if (judged.kind === 'refused' || judged.contentType !== 'application/json')
    throw new Error(`expected JSON, received ${judged.text}`);
  return JSON.parse(judged.body.toString('utf8')) as Record<string, unknown>;
};
