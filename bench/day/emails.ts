import { PRIORITIES, type Priority } from '../../src/lib/mail/priority.ts';

/** How an application hands an email over. */
const DOORS = ['http', 'http-async', 'queue'] as const;
export type Door = (typeof DOORS)[number];

export type NewEmail = {
  readonly at: number;
  readonly mailbox: number;
  readonly priority: Priority;
  readonly door: Door;
  readonly recipients: number;
  readonly leavesCopy: boolean;
};

/**
 * What the world knows of each email, by its number. A million objects would take more memory than everything else, so these are columns.
 */
export const makeEmails = (most: number) => {
  const offeredAt = new Float64Array(most);
  const sentAt = new Float64Array(most);
  const mailbox = new Uint16Array(most);
  const priority = new Uint8Array(most);
  const door = new Uint8Array(most);
  const recipients = new Uint8Array(most);
  const keepsCopy = new Uint8Array(most);
  const copies = new Uint8Array(most);
  const shownAt = new Float64Array(most);
  const answered = new Uint8Array(most);
  const ids: string[] = [];
  const numbers = new Map<string, number>();
  return {
    add: (email: NewEmail): number => {
      const number = ids.length;
      ids.push('');
      offeredAt[number] = email.at;
      mailbox[number] = email.mailbox;
      priority[number] = PRIORITIES.indexOf(email.priority);
      door[number] = DOORS.indexOf(email.door);
      recipients[number] = email.recipients;
      keepsCopy[number] = email.leavesCopy ? 1 : 0;
      return number;
    },
    /** The id that the relay will give it. */
    name: (number: number, mailId: string): void => {
      ids[number] = mailId;
      numbers.set(mailId, number);
    },
    numberOf: (mailId: string): number | undefined => numbers.get(mailId),
    idOf: (number: number): string => ids[number] ?? '',
    of: (number: number): NewEmail => ({
      at: offeredAt[number] ?? 0,
      mailbox: mailbox[number] ?? 0,
      priority: PRIORITIES[priority[number] ?? 0] ?? 'normal',
      door: DOORS[door[number] ?? 0] ?? 'queue',
      recipients: recipients[number] ?? 0,
      leavesCopy: keepsCopy[number] === 1,
    }),
    get count() {
      return ids.length;
    },
    /** Exchange has taken it, which it can do more than once. */
    sent: (number: number, at: number, shows: number): void => {
      if (copies[number] === 0) sentAt[number] = at;
      copies[number] = Math.min(255, (copies[number] ?? 0) + 1);
      if (keepsCopy[number] === 1) shownAt[number] = shows;
    },
    copiesOf: (number: number): number => copies[number] ?? 0,
    sentAt: (number: number): number => sentAt[number] ?? 0,
    isShown: (number: number, now: number): boolean =>
      (shownAt[number] ?? 0) > 0 && (shownAt[number] ?? 0) <= now,
    /** What its application was told: 1 accepted, 2 refused. */
    answer: (number: number, isAccepted: boolean): void => {
      answered[number] = isAccepted ? 1 : 2;
    },
    answerOf: (number: number): number => answered[number] ?? 0,
  };
};

export type Emails = ReturnType<typeof makeEmails>;
