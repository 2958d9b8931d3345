import type { CapturedMail } from './captured-mail.ts';

type Related = { readonly ID: string; readonly MessageID: string; readonly References?: readonly string[] };

/** More than any mail client writes; it bounds what a hostile email keeps in memory. */
const MOST_REFERENCES = 100;

/** A Message-ID without its angle brackets, as Mailpit writes it. */
export const bareMessageId = (messageId: string | undefined): string =>
  (messageId ?? '').trim().replace(/^<|>$/g, '');

/** The Message-IDs that an email answers: the first of its conversation, and the latest up to the one it replies to. */
export const referencesOf = ({ references = [], inReplyTo = '' }: CapturedMail): string[] => {
  const ids = new Set([...references, inReplyTo].map(bareMessageId).filter((id) => id !== ''));
  const [first, ...others] = ids;
  return first === undefined ? [] : [first, ...others.slice(1 - MOST_REFERENCES)];
};

/**
 * All emails connected with this one by a Message-ID, in the order of the list. Two answers to an email that is not in
 * the inbox are connected too.
 */
export const conversationOf = <Mail extends Related>(id: string, mails: readonly Mail[]): Mail[] => {
  const byMessageId = Map.groupBy(
    mails.flatMap((mail) => messageIdsOf(mail).map((messageId) => ({ messageId, mail }))),
    ({ messageId }) => messageId,
  );
  const found = new Set(mails.filter((mail) => mail.ID === id));
  // A set also visits what is added during the visit.
  const seen = new Set<string>();
  for (const mail of found)
    for (const messageId of messageIdsOf(mail)) {
      if (seen.has(messageId)) continue;
      seen.add(messageId);
      for (const related of byMessageId.get(messageId) ?? []) found.add(related.mail);
    }
  return mails.filter((mail) => found.has(mail));
};

const messageIdsOf = ({ MessageID, References = [] }: Related): string[] =>
  MessageID === '' ? [...References] : [MessageID, ...References];
