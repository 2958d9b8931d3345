import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import { growingFactor, type LastBlock } from '../sending/block-factor.ts';
import type { Caller, CallerRules } from './caller.ts';

/*
 * Daily limits of a caller. What was taken of them on a day is one number for all instances. An instance takes a block of what is
 * left and counts its own emails against that block in memory, so that an email seldom costs a request and the sum of all blocks is
 * never more than the limit.
 */

/** Emails, and the recipients of all of them. */
export type Amount = { readonly mails: number; readonly recipients: number };

export const NOTHING: Amount = { mails: 0, recipients: 0 };

const DAY_MS = 86_400_000;

/** The day in UTC for which an email counts. */
export const dayOf = (now: Date): string => now.toISOString().slice(0, 10);

/** The midnight at which a day ends. */
export const endOfDay = (now: Date): Date => new Date(Date.parse(dayOf(now)) + DAY_MS);

export type Limits = Pick<CallerRules, 'mailsPerDay' | 'recipientsPerDay'>;

export const isSameLimits = (one: Limits, other: Limits): boolean =>
  one.mailsPerDay === other.mailsPerDay && one.recipientsPerDay === other.recipientsPerDay;

export const isLimited = ({ mailsPerDay, recipientsPerDay }: Limits): boolean =>
  mailsPerDay !== undefined || recipientsPerDay !== undefined;

/** What an email takes of the limits that there are. What has no limit is not counted: a limit that is new begins with nothing. */
export const needOf = ({ mailsPerDay, recipientsPerDay }: Limits, recipients: number, mails = 1): Amount => ({
  mails: mailsPerDay === undefined ? 0 : mails,
  recipients: recipientsPerDay === undefined ? 0 : recipients,
});

export const plus = (one: Amount, other: Amount): Amount => ({
  mails: one.mails + other.mails,
  recipients: one.recipients + other.recipients,
});

export const minus = (one: Amount, other: Amount): Amount => ({
  mails: one.mails - other.mails,
  recipients: one.recipients - other.recipients,
});

/** What is left of the limits; infinite where there is none. */
export const leftOf = ({ mailsPerDay, recipientsPerDay }: Limits, taken: Amount): Amount => ({
  mails: Math.max(0, (mailsPerDay ?? Number.POSITIVE_INFINITY) - taken.mails),
  recipients: Math.max(0, (recipientsPerDay ?? Number.POSITIVE_INFINITY) - taken.recipients),
});

export const covers = (held: Amount, need: Amount): boolean =>
  held.mails >= need.mails && held.recipients >= need.recipients;

/** No block is for more emails like the one that asks for it: a block is lost when its instance ends. */
const MOST_FACTOR = 64;
/** At most this part of what is left: the blocks become smaller towards the limit, and end with single emails. */
const PART_OF_LEFT = 10;

/** Whether so little is left that a block is for this email alone: whoever takes it without need keeps it from others. */
export const isScarce = (left: Amount, need: Amount): boolean =>
  (['mails', 'recipients'] as const).some(
    (what) => need[what] > 0 && Math.floor(left[what] / PART_OF_LEFT) <= need[what],
  );

/** For how many emails like this one the next block is. `time` in milliseconds of the epoch. */
export const nextFactor = (last: LastBlock | undefined, time: number): number =>
  growingFactor(last, time, MOST_FACTOR);

const blockOf = (missing: number, need: number, factor: number, left: number): number =>
  missing === 0 ? 0 : Math.max(missing, Math.min(need * factor, Math.floor(left / PART_OF_LEFT)));

/**
 * The block to take for an email, given what all instances have taken and what this one still holds of it. Undefined where less is
 * left than the email needs.
 */
export const decideBlock = (
  limits: Limits,
  { taken, held, need, factor }: Record<'taken' | 'held' | 'need', Amount> & { readonly factor: number },
): Amount | undefined => {
  const left = leftOf(limits, taken);
  const mails = Math.max(0, need.mails - held.mails);
  const recipients = Math.max(0, need.recipients - held.recipients);
  if (!covers(left, { mails, recipients })) return undefined;
  return {
    mails: blockOf(mails, need.mails, factor, left.mails),
    recipients: blockOf(recipients, need.recipients, factor, left.recipients),
  };
};

/** An email is over the limit: how much was left for it, and when the limit begins anew. */
export type Reached = { readonly kind: 'reached'; readonly left: Amount; readonly resetsAt: Date };

const counted = (amount: number, what: string): string => `${amount} ${what}${amount === 1 ? '' : 's'}`;

/** What limits say, for those that there are. */
const inWords = (limits: Limits, { mails, recipients }: Amount): string =>
  [
    ...(limits.mailsPerDay === undefined ? [] : [counted(mails, 'email')]),
    ...(limits.recipientsPerDay === undefined ? [] : [counted(recipients, 'recipient')]),
  ].join(' and ');

const perDay = (limits: Limits): string =>
  inWords(limits, { mails: limits.mailsPerDay ?? 0, recipients: limits.recipientsPerDay ?? 0 });

const limitOf = ({ knownAs, rules }: Caller): string =>
  `The limit of the caller ${knownAs} is ${perDay(rules)} a day.`;

const tooLow = (caller: Caller, recipients: number, mails = 1): AppError | undefined =>
  covers(leftOf(caller.rules, NOTHING), { mails, recipients })
    ? undefined
    : new AppError('CALLER_LIMIT_TOO_LOW', { detail: `${limitOf(caller)} ${sizeOf(recipients, mails)}` });

const sizeOf = (recipients: number, mails: number): string =>
  mails === 1
    ? `This email has ${counted(recipients, 'recipient')}.`
    : `This request has ${counted(mails, 'email')} with ${counted(recipients, 'recipient')}, which are accepted together or not at all.`;

/** Throws CALLER_LIMIT_TOO_LOW for an email that is more than the limit of a whole day: it would wait for ever. */
export const requireWithinDay = (caller: Caller, recipients: number): void => {
  const error = tooLow(caller, recipients);
  if (error !== undefined) throw error;
};

/** The error for an email, or several that are accepted together, over the limit: CALLER_LIMIT_TOO_LOW where no day would be enough, else CALLER_LIMIT_REACHED. */
export const limitReached = (
  caller: Caller,
  recipients: number,
  { left, resetsAt }: Reached,
  now: Date,
  mails = 1,
): AppError =>
  tooLow(caller, recipients, mails) ??
  new AppError('CALLER_LIMIT_REACHED', {
    detail: `${limitOf(caller)} Left until ${resetsAt.toISOString()}: ${inWords(caller.rules, left)}. ${sizeOf(recipients, mails)}`,
    retryAfterSeconds: Math.max(1, Math.ceil((resetsAt.getTime() - now.getTime()) / 1000)),
  });

/** What a caller may see of its limits: what was taken today, which includes what instances still hold. */
export type UsageToday = {
  readonly resetsAt: string;
  readonly mails?: { readonly limit: number; readonly taken: number };
  readonly recipients?: { readonly limit: number; readonly taken: number };
};

/** Undefined for a caller without limits, of which nothing is counted. */
export const usageOf = (limits: Limits, taken: Amount, now: Date): UsageToday | undefined =>
  isLimited(limits)
    ? {
        resetsAt: endOfDay(now).toISOString(),
        ...defined({
          mails: ofLimit(limits.mailsPerDay, taken.mails),
          recipients: ofLimit(limits.recipientsPerDay, taken.recipients),
        }),
      }
    : undefined;

const ofLimit = (
  limit: number | undefined,
  taken: number,
): { readonly limit: number; readonly taken: number } | undefined =>
  limit === undefined ? undefined : { limit, taken };
