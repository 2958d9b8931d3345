import type { MailStatus } from '../../src/lib/desk/mail-status.ts';
import { InboxProblem } from '../../src/lib/inbox/inbox-problem.ts';
import { FINAL_STATES, type MailState, OPEN_STATES } from '../../src/lib/ledger/ledger-row.ts';
import { callRelay, type LocalRelay } from './relay-client.ts';

/** Emails that are in no mailbox yet: they wait, or an operator must decide. */
const LISTED_STATES: readonly MailState[] = [...OPEN_STATES, 'held'];
const ENDED: ReadonlySet<MailState> = new Set(FINAL_STATES.filter((state) => state !== 'held'));
/** Of a state, so many are enough to look at; the command lists the rest. */
const MOST_PAGES = 4;

/** The log speaks before the row is written: after this time, the row says what the log has said. */
const SETTLED_MS = 700;
/** Requests to the relay at one time. */
const AT_ONCE = 8;

export type RelayMails = {
  /** Something happened to an email: the log or the Graph stand-in said so. */
  readonly noticed: (mailId: string) => void;
  /** Reads what was noticed and is not read yet. */
  readonly settle: () => Promise<void>;
  /** Emails that wait or are held, newest first. Throws an InboxProblem where the relay does not respond. */
  readonly waiting: () => Promise<readonly MailStatus[]>;
  readonly close: () => void;
};

type Options = {
  readonly relay: LocalRelay;
  /** The status of an email was read: whose it is, and its tags. */
  readonly onStatus: (status: MailStatus) => Promise<void> | void;
  /** What waits or is held may be other than before. */
  readonly onChange: () => void;
  readonly now?: () => number;
};

/**
 * Keeps up with the relay beside the inbox. It lists what waits once; after that it reads single emails of which something was heard, so
 * an inbox that stays open costs nothing.
 */
export const followRelay = ({ relay, onStatus, onChange, now = () => Date.now() }: Options): RelayMails => {
  const waiting = new Map<string, MailStatus>();
  /** Noticed, and since when. */
  const noticed = new Map<string, number>();
  let listed: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const take = async (status: MailStatus): Promise<void> => {
    if (ENDED.has(status.state)) waiting.delete(status.id);
    else waiting.set(status.id, status);
    await onStatus(status);
  };

  const readOne = async (id: string): Promise<void> => {
    const since = noticed.get(id) ?? 0;
    try {
      const path = `/api/mail?id=${encodeURIComponent(id)}`;
      const status = (await callRelay(relay, { method: 'GET', path, key: 'masterKey' })) as MailStatus;
      await take(status);
      if (status.state === 'sending') return;
    } catch (error) {
      // A request that was refused before it had a row; anything else is tried again.
      if (!(error instanceof InboxProblem) || error.status !== 404) throw error;
    }
    if (noticed.get(id) === since && now() - since >= SETTLED_MS) noticed.delete(id);
  };

  const settle = async (): Promise<void> => {
    const ids = [...noticed.keys()];
    const before = stateOf(waiting);
    for (let start = 0; start < ids.length; start += AT_ONCE)
      await Promise.all(ids.slice(start, start + AT_ONCE).map(readOne));
    if (stateOf(waiting) !== before) onChange();
  };

  const listAll = async (): Promise<void> => {
    for (const state of LISTED_STATES) {
      let after: string | undefined;
      for (let pages = 0; pages < MOST_PAGES && (pages === 0 || after !== undefined); pages += 1) {
        const query = new URLSearchParams({ state, ...(after !== undefined && { after }) });
        const page = (await callRelay(relay, {
          method: 'GET',
          path: `/api/mail?${query}`,
          key: 'masterKey',
        })) as { readonly mails: readonly MailStatus[]; readonly next?: string };
        for (const status of page.mails) await take(status);
        after = page.next;
      }
    }
  };

  const look = (): void => {
    timer ??= setTimeout(async () => {
      // Who asks for the list is told what is wrong with the relay.
      await settle().catch(() => undefined);
      timer = undefined;
      if (noticed.size > 0) look();
    }, SETTLED_MS).unref();
  };

  return {
    noticed: (mailId) => {
      noticed.set(mailId, now());
      look();
    },
    settle,
    waiting: async () => {
      listed ??= listAll().catch((error: unknown) => {
        listed = undefined;
        throw error;
      });
      await listed;
      await settle();
      return [...waiting.values()].sort((one, other) => (one.id < other.id ? 1 : -1));
    },
    close: () => clearTimeout(timer),
  };
};

const stateOf = (waiting: ReadonlyMap<string, MailStatus>): string =>
  [...waiting.values()].map(({ id, state, updatedAt }) => `${id} ${state} ${updatedAt}`).join('\n');

/** The email that a line of the log of the host is about. */
export const mailIdIn = (line: string): string | undefined =>
  /\{"event":"Mail.*"mailId":"([0-9a-f-]{36})"/.exec(line)?.[1];
