import { markOf } from '../delivery/sight-mail.ts';
import { type InState, isIn } from '../ledger/ledger-row.ts';
import { recordMessageId } from '../ledger/transitions.ts';
import type { LedgerEntry, Ports } from '../ports.ts';

/** Why the Message-ID of an email that was sent is not known. */
type WhyUnknown =
  /** The copy was not there yet when it was last looked for, or Graph did not say. */
  | 'NOT_FOUND_YET'
  /** The relay may not read the mailbox of the sender. */
  | 'NOT_PERMITTED'
  /** The email was sent with `saveToSentItems: false`. */
  | 'NO_COPY';

export type MessageId =
  | { readonly internetMessageId: string }
  | { readonly internetMessageIdUnknown: WhyUnknown };

/** A caller who asks again and again must not use up what Graph allows the mailbox. */
const LOOK_AGAIN_MS = 10_000;
/** A grant takes up to two hours to reach Exchange (application access policies); nobody waits for minutes. */
const ASK_PERMISSION_AGAIN_MS = 10 * 60_000;
/** The caller asked for the status: it does not wait longer for something beside it. */
const PATIENCE_MS = 3000;
const MOST_KEPT = 10_000;

/** Times by name, the oldest forgotten first. */
export type Recent = {
  readonly isWithin: (name: string, ms: number, now: Date) => boolean;
  readonly note: (name: string, now: Date) => void;
};

export const makeRecent = (mostKept = MOST_KEPT): Recent => {
  const times = new Map<string, number>();
  return {
    isWithin: (name, ms, now) => now.getTime() - (times.get(name) ?? Number.NEGATIVE_INFINITY) < ms,
    note: (name, now) => {
      // Last in the order of the map, in which the first is the oldest.
      times.delete(name);
      times.set(name, now.getTime());
      const [oldest] = times.keys();
      if (times.size > mostKept && oldest !== undefined) times.delete(oldest);
    },
  };
};

/** What this instance has asked of mailboxes lately. */
export type MessageIdMemory = { readonly looked: Recent; readonly refused: Recent };

export const makeMessageIdMemory = (): MessageIdMemory => ({ looked: makeRecent(), refused: makeRecent() });

export type MessageIdNeeds = Pick<Ports, 'ledger' | 'clock'> & {
  readonly messageIds: MessageIdMemory;
  /** Absent where the settings to reach Graph are invalid. */
  readonly mailboxes?: Pick<Ports['mailboxes'], 'find'>;
};

/**
 * The Message-ID that an email really went out with, where it was sent: Exchange may have given it another than its sender
 * asked for. It is looked up in the mailbox once, and recorded. Whatever fails, this never throws: the status is worth more.
 */
export const findMessageId = async (
  needs: MessageIdNeeds,
  { row, etag }: LedgerEntry,
): Promise<MessageId | undefined> => {
  if (!isIn(row, 'sent')) return undefined;
  const { internetMessageId } = row.fate;
  if (internetMessageId !== undefined) return { internetMessageId };
  if (!row.facts.leavesCopy) return { internetMessageIdUnknown: 'NO_COPY' };
  return (await look(needs, { row, etag })) ?? { internetMessageIdUnknown: 'NOT_FOUND_YET' };
};

const look = (
  needs: MessageIdNeeds,
  entry: LedgerEntry<InState<'sent'>>,
): Promise<MessageId | undefined> | undefined => {
  const { clock, mailboxes, messageIds } = needs;
  const { mailId, sender } = entry.row.facts;
  const now = clock.now();
  if (messageIds.refused.isWithin(sender.toLowerCase(), ASK_PERMISSION_AGAIN_MS, now))
    return Promise.resolve({ internetMessageIdUnknown: 'NOT_PERMITTED' });
  if (mailboxes === undefined || messageIds.looked.isWithin(mailId, LOOK_AGAIN_MS, now)) return undefined;
  messageIds.looked.note(mailId, now);
  // What Graph says later is recorded all the same, for whoever asks next.
  const asked = ask(needs, mailboxes, entry).catch(() => undefined);
  return Promise.race([asked, clock.sleep(PATIENCE_MS).then(() => undefined)]);
};

const ask = async (
  { ledger, clock, messageIds }: MessageIdNeeds,
  mailboxes: Pick<Ports['mailboxes'], 'find'>,
  { row, etag }: LedgerEntry<InState<'sent'>>,
): Promise<MessageId | undefined> => {
  const { mailId, sender } = row.facts;
  const sighting = await mailboxes.find(sender, mailId, markOf(row.progress), row.progress.route);
  if (sighting.kind === 'cannot-tell') {
    // Of a connection that is gone, which says nothing of other emails of this sender.
    if (sighting.lostConnection === undefined) messageIds.refused.note(sender.toLowerCase(), clock.now());
    return { internetMessageIdUnknown: 'NOT_PERMITTED' };
  }
  if (sighting.kind !== 'found' || sighting.internetMessageId === undefined) return undefined;
  const { internetMessageId } = sighting;
  // Where it cannot be written, it is looked up again the next time.
  await ledger.replace(recordMessageId(row, internetMessageId), etag).catch(() => undefined);
  return { internetMessageId };
};
