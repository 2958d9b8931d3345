import { isAbsent, isObject } from './absent.ts';

/**
 * How soon an email is sent where its mailbox has more to send than Exchange allows, the last first. Recipients do not see it: what they
 * see is its importance.
 */
export const PRIORITIES = ['high', 'normal', 'bulk'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Of an email that says nothing. */
export const USUAL_PRIORITY = 'normal' satisfies Priority;

/** Of two priorities the one that waits longer. */
export const lowerOf = (one: Priority, other: Priority): Priority =>
  PRIORITIES[Math.max(PRIORITIES.indexOf(one), PRIORITIES.indexOf(other))] ?? USUAL_PRIORITY;

/** What other products and people write, with the word that is meant. */
const MEANT: ReadonlyMap<string, string> = new Map(
  Object.entries({
    high: 'high urgent highest critical immediate asap express transactional veryhigh hi 1 2',
    normal: 'normal default medium standard regular usual norm 3',
    bulk: 'bulk low lowest verylow nonurgent newsletter marketing broadcast mass batch background deferred list junk 4 5',
  }).flatMap(([ours, others]) => others.split(' ').map((other) => [other, ours] as const)),
);

const SEEN = 'it says how soon the email is sent; what recipients see is `importance`';

/** What a wrong priority was probably meant to be, as the end of a sentence. */
export const priorityHint = (written: unknown): string => {
  const isWord = typeof written === 'number' || (typeof written === 'string' && written.length < 20);
  const meant = isWord
    ? MEANT.get(
        String(written)
          .toLowerCase()
          .replaceAll(/[\s_-]/g, ''),
      )
    : undefined;
  return meant === undefined ? `; ${SEEN}` : `; did you mean "${meant}"? (${SEEN})`;
};

/** The priority that this text is, in capitals or not. */
export const readPriority = (written: unknown): Priority | undefined => {
  if (typeof written !== 'string') return undefined;
  const word = written.toLowerCase();
  return PRIORITIES.find((one) => one === word);
};

/**
 * An email as it was received, without its priority, and the priority: it is not part of what makes an email another one. One that cannot
 * be read stays in the email, so that it is told.
 */
export const apartFromPriority = (
  mail: Readonly<Record<string, unknown>>,
): { readonly priority?: Priority; readonly content: Readonly<Record<string, unknown>> } => {
  if (!Object.hasOwn(mail, 'priority')) return { content: mail };
  const { priority: written, ...content } = mail;
  const priority = readPriority(written);
  if (priority !== undefined) return { priority, content };
  return { content: isAbsent(written) ? content : mail };
};

/** An email with the priority that was kept apart from it. */
export const withPriority = (content: unknown, priority: Priority | undefined): unknown =>
  priority === undefined || !isObject(content) ? content : { priority, ...content };
