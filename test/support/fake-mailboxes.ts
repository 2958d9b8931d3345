import type { DraftFound, MailMark } from '../../src/lib/ports.ts';
import type { Sighting } from '../../src/lib/sending/look-up-plan.ts';
import { saveMap } from './save.ts';

type FakeDraft = {
  readonly id: string;
  readonly mailId: string;
  readonly createdAt: Date;
  /** How many bytes each of its files has, by name. */
  readonly files: Map<string, number>;
};

type Accepted = {
  readonly mailId: string;
  readonly id: string;
  /** When transport takes what was a draft. */
  readonly leavesAt: number;
  readonly showsAt: number;
};

type GraphMessage = {
  readonly singleValueExtendedProperties: readonly { readonly value: string }[];
};
type GraphRequest = { readonly message: GraphMessage; readonly saveToSentItems: boolean };

const mailIdOf = ({ singleValueExtendedProperties: [property] }: GraphMessage): string =>
  property?.value ?? '';

/**
 * Graph's side in memory. A mail shows in Sent Items some time after it was accepted. One that was a draft is still one for the
 * first half of that time, and nowhere for the second.
 */
export const makeFakeMailboxes = (sentItemsDelayMs: number) => {
  const accepted: Accepted[] = [];
  const drafts = new Map<string, FakeDraft>();
  const removedAfterSending: string[] = [];
  let made = 0;

  const isShown = ({ showsAt }: Accepted, now: Date): boolean => showsAt <= now.getTime();
  const isTaken = (id: string, now: Date): boolean =>
    accepted.some((mail) => mail.id === id && mail.leavesAt <= now.getTime());
  const isSent = (id: string): boolean => accepted.some((mail) => mail.id === id);
  const inDrafts = (now: Date): readonly FakeDraft[] =>
    [...drafts.values()].filter(({ id }) => !isTaken(id, now));
  const isOnItsWay = (id: string, now: Date): boolean =>
    isTaken(id, now) && !accepted.some((mail) => mail.id === id && isShown(mail, now));

  return {
    /** Takes a request of sendMail: the mail is on its way to its recipients from here on. */
    accept: (body: string, now: Date): void => {
      const { message, saveToSentItems } = JSON.parse(body) as GraphRequest;
      const showsAt = saveToSentItems ? now.getTime() + sentItemsDelayMs : Number.POSITIVE_INFINITY;
      accepted.push({ mailId: mailIdOf(message), id: '', leavesAt: now.getTime(), showsAt });
    },
    createDraft: (body: string, now: Date): string => {
      made += 1;
      const id = `draft-${made}`;
      const mailId = mailIdOf(JSON.parse(body) as GraphMessage);
      drafts.set(id, { id, mailId, createdAt: now, files: new Map() });
      return id;
    },
    attach: (id: string, name: string, bytes: number): boolean =>
      drafts.get(id)?.files.set(name, bytes) !== undefined,
    filesOf: (id: string): ReadonlyMap<string, number> => drafts.get(id)?.files ?? new Map(),
    mailOf: (id: string): string => drafts.get(id)?.mailId ?? '',
    /** False where there is no such draft. A draft that is sent twice is two mails. */
    sendDraft: (id: string, now: Date): boolean => {
      const draft = drafts.get(id);
      if (draft === undefined || isTaken(id, now)) return false;
      const time = now.getTime();
      const leavesAt = time + sentItemsDelayMs / 2;
      accepted.push({ mailId: draft.mailId, id, leavesAt, showsAt: time + sentItemsDelayMs });
      return true;
    },
    look: (id: string, now: Date): Sighting => {
      const draft = drafts.get(id);
      if (draft === undefined || isOnItsWay(id, now)) return { kind: 'absent' };
      return inDrafts(now).includes(draft) ? { kind: 'draft' } : { kind: 'found' };
    },
    /** As by an immutable id, which is also that of the copy in Sent Items. */
    remove: (id: string, now: Date): 'removed' | 'gone' => {
      if (isOnItsWay(id, now)) return 'gone';
      if (isSent(id)) removedAfterSending.push(`${id} was removed after it was sent`);
      return drafts.delete(id) ? 'removed' : 'gone';
    },
    listDrafts: (now: Date): readonly DraftFound[] =>
      inDrafts(now).map(({ id, mailId, createdAt }) => ({ id, mailId, createdAt })),
    /** Whether Sent Items, or Drafts where that is asked for, show a mail with this id. */
    shows: (mailId: string, now: Date, mark: Pick<MailMark, 'inDrafts'> = { inDrafts: true }): boolean =>
      accepted.some((mail) => mail.mailId === mailId && isShown(mail, now)) ||
      (mark.inDrafts && inDrafts(now).some((draft) => draft.mailId === mailId)),
    /** How often its recipients get a mail. */
    copies: (mailId: string): number => accepted.filter((mail) => mail.mailId === mailId).length,
    save: (): (() => void) => {
      const saved = [accepted.length, removedAfterSending.length, made] as const;
      const files = [...drafts.values()].map((draft) => saveMap(draft.files));
      const restoreDrafts = saveMap(drafts);
      return () => {
        accepted.splice(saved[0]);
        removedAfterSending.splice(saved[1]);
        made = saved[2];
        restoreDrafts();
        for (const restore of files) restore();
      };
    },
    /** Everything that anybody can still find here. */
    state: (): unknown => ({
      accepted: accepted.map((mail) => JSON.stringify(mail)).toSorted(),
      drafts: [...drafts.values()].map(({ files, ...draft }) => ({ ...draft, files: [...files] })),
      made,
    }),
    removedAfterSending: (): readonly string[] => removedAfterSending,
  };
};
