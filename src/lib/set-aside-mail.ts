import { unacceptable } from './accept-mail.ts';
import { AppError } from './errors.ts';
import type { LedgerEntry } from './ledger/ledger.ts';
import type { LedgerRow } from './ledger/ledger-row.ts';
import { readQueueMessage } from './mail/queue-message.ts';
import { parseJson } from './mail/read-mail.ts';
import { type SetAsideNeeds, type SettableAside, setAside } from './set-aside.ts';

export type SetAsideMailNeeds = SetAsideNeeds & {
  readonly readPayload: (name: string) => Promise<string | undefined>;
};

/** Takes what the functions host gave up on and sets it aside, readable or not; what is done already stays done. */
export const setAsideMail = async (
  needs: SetAsideMailNeeds,
  message: unknown,
  facts: { readonly mailIdOfMessage: string; readonly insertedAt: Date },
): Promise<void> => {
  const { mailId, acceptedAt, original } = await identify(needs, message, facts);
  const entry = await needs.ledger.find(mailId);
  if (entry !== undefined && !canBeSetAside(entry)) {
    needs.log({ event: 'MailRepeated', mailId, state: entry.row.state });
    return;
  }
  const subject = entry ?? { newMail: unacceptable({ mailId, caller: 'queue', acceptedAt }) };
  await setAside(needs, subject, original, new AppError('HOST_GAVE_UP'));
};

const canBeSetAside = (entry: LedgerEntry): entry is LedgerEntry & { readonly row: SettableAside } =>
  (['queued', 'sending', 'waiting', 'unknown'] as readonly LedgerRow['state'][]).includes(entry.row.state);

const identify = async (
  needs: SetAsideMailNeeds,
  message: unknown,
  { mailIdOfMessage, insertedAt }: { readonly mailIdOfMessage: string; readonly insertedAt: Date },
) => {
  const unread = { mailId: mailIdOfMessage, acceptedAt: insertedAt, original: message };
  try {
    const read = readQueueMessage(message);
    if (read.kind === 'bare') return { ...unread, original: read.mail };
    const { mailId, acceptedAt, content } = read;
    const json = 'payload' in content ? await needs.readPayload(content.payload) : undefined;
    return {
      mailId,
      acceptedAt,
      original: 'mail' in content ? content.mail : json === undefined ? message : parseJson(json),
    };
  } catch (error) {
    if (error instanceof AppError) return unread;
    throw error;
  }
};
