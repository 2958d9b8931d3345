import type { ReceivedMessage } from '../../src/lib/bounces/received-message.ts';
import type { ReceivedMail } from '../../src/lib/ports.ts';

/** A message in the Inbox of a mailbox, and its MIME. */
type FakeReceived = ReceivedMessage & { readonly mime: string };

const PAGE = 2;

/** The Inboxes and Sent Items of mailboxes in memory, in pages of two. */
export const makeFakeReceivedMail = () => {
  const inbox: FakeReceived[] = [];
  /** Ids of the relay by Message-ID. */
  const sent = new Map<string, string>();
  const port: ReceivedMail = {
    list: async (_mailbox, _route, from, after = '0') => {
      const start = Number(after);
      const found = inbox
        .filter(({ receivedAt }) => receivedAt >= from)
        .sort((one, other) => one.receivedAt.getTime() - other.receivedAt.getTime());
      return {
        kind: 'page',
        messages: found.slice(start, start + PAGE),
        ...(found.length > start + PAGE ? { next: String(start + PAGE) } : {}),
      };
    },
    readMime: async (_mailbox, _route, id) => {
      const found = inbox.find((one) => one.id === id);
      return found === undefined ? { kind: 'absent' } : { kind: 'mime', text: found.mime };
    },
    findSent: async (_mailbox, _route, internetMessageId) => {
      const mailId = sent.get(internetMessageId);
      return mailId === undefined ? { kind: 'absent' } : { kind: 'found', mailId };
    },
  };
  return { inbox, sent, port };
};
