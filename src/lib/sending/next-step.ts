import { defined } from '../defined.ts';
import { catalogue } from '../error-catalogue.ts';
import { type Reason, toReason, upstreamFacts } from '../errors.ts';
import type { Mail } from '../mail/mail-schema.ts';
import { closedMailboxWaitMs, LOOK_UPS, lookUpWaitMs, type Sighting } from './look-up-plan.ts';
import type { SendOutcome } from './send-outcome.ts';
import type { SendWay } from './send-plan.ts';
import type { SendPolicy } from './send-policy.ts';
import { decideOnUnknown } from './unknown-policy.ts';
import { decideGivingUp, decideWait } from './wait.ts';

type RecordSent = { readonly kind: 'record-sent'; readonly internetMessageId?: string };
/** `lookUps` have been made by then. */
type LookUpLater = { readonly kind: 'look-up-later'; readonly waitMs: number; readonly lookUps: number };
/** An operator decides: what was certainly not sent is refused, everything else is in doubt. */
type HoldIt = { readonly kind: 'hold'; readonly why: 'refused' | 'doubt'; readonly reason: Reason };

/** What follows from an attempt. */
export type StepAfterAttempt =
  | RecordSent
  /** The caller who waits still has the email, and is told why. */
  | { readonly kind: 'reject'; readonly reason: Reason }
  | {
      readonly kind: 'send-later';
      readonly reason: Reason;
      readonly waitMs: number;
      readonly isResend: boolean;
    }
  | LookUpLater
  | HoldIt;

/** What follows from a look-up. */
export type StepAfterLookUp =
  | RecordSent
  | LookUpLater
  /** It was looked for often enough and is not there: sending it is no blind resend. */
  | { readonly kind: 'send-now' }
  /** It is still a draft after all that time: once that is removed, it was not sent. */
  | { readonly kind: 'remove-draft' }
  | HoldIt;

export type EndedAttempt = {
  readonly outcome: SendOutcome;
  /** With this one. */
  readonly attempts: number;
  /** Milliseconds of the epoch. */
  readonly triedSince: number;
  /** Its one blind resend is used. */
  readonly resent: boolean;
  readonly way?: SendWay | undefined;
  readonly mail: Pick<Mail, 'onUnknown' | 'saveToSentItems'>;
  readonly callerWaits: boolean;
};

/** Decides what follows from an attempt. `random` is from 0 to 1. */
export const decideNext = (
  { outcome, attempts, triedSince, resent, way, mail, callerWaits }: EndedAttempt,
  policy: Pick<SendPolicy, 'onUnknown' | 'verifyWindowMs' | 'giveUpAfterMs'>,
  now: Date,
  random: number,
): StepAfterAttempt => {
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'record-sent' };
    case 'rejected': {
      const reason = toReason(outcome);
      return callerWaits ? { kind: 'reject', reason } : { kind: 'hold', why: 'refused', reason };
    }
    case 'not-sent': {
      const reason = toReason(outcome);
      // What only an administrator can correct is told to a caller who still has the email; else it waits here.
      if (callerWaits && catalogue[outcome.code].fixedBy !== 'time') return { kind: 'reject', reason };
      const waitMs = decideWait(attempts, outcome.waitMs, random);
      const givesUpAt = triedSince + policy.giveUpAfterMs;
      return decideGivingUp({ attempts, nextAttemptAt: now.getTime() + waitMs, givesUpAt })
        ? { kind: 'hold', why: 'refused', reason: givenUp(outcome.code, outcome) }
        : { kind: 'send-later', reason, waitMs, isResend: false };
    }
    case 'unknown': {
      const reason = toReason(outcome);
      switch (decideOnUnknown(mail, { onUnknown: policy.onUnknown, resent, way })) {
        case 'look-up':
          return { kind: 'look-up-later', waitMs: lookUpWaitMs(0, policy.verifyWindowMs), lookUps: 0 };
        case 'resend':
          return {
            kind: 'send-later',
            reason,
            waitMs: decideWait(attempts, undefined, random),
            isResend: true,
          };
        case 'hold':
          return { kind: 'hold', why: 'doubt', reason };
      }
    }
  }
};

export type EndedLookUp = {
  readonly sighting: Sighting;
  /** How often the mailbox was seen before. */
  readonly lookUps: number;
  /** Milliseconds of the epoch. */
  readonly triedSince: number;
  readonly unknownSince: number;
  /** How the attempt went whose outcome is unknown. */
  readonly way?: SendWay | undefined;
};

/** Decides what follows from looking for an email in the mailbox of its sender. `random` is from 0 to 1. */
export const decideAfterLookUp = (
  { sighting, lookUps, triedSince, unknownSince, way = 'json' }: EndedLookUp,
  policy: Pick<SendPolicy, 'verifyWindowMs' | 'giveUpAfterMs'>,
  now: Date,
  random: number,
): StepAfterLookUp => {
  const time = now.getTime();
  const givesUpAt = triedSince + policy.giveUpAfterMs;
  const seen = lookUps + 1;
  switch (sighting.kind) {
    case 'found': {
      const { internetMessageId } = sighting;
      return { kind: 'record-sent', ...defined({ internetMessageId }) };
    }
    case 'absent':
    case 'draft':
      if (seen < LOOK_UPS)
        return { kind: 'look-up-later', waitMs: lookUpWaitMs(seen, policy.verifyWindowMs), lookUps: seen };
      if (sighting.kind === 'draft') return { kind: 'remove-draft' };
      if (way !== 'json') return { kind: 'hold', why: 'doubt', reason: inDoubt(NO_PROOF[way]) };
      return sendUnlessTooLate(time > givesUpAt);
    case 'never-sent':
      return sendUnlessTooLate(time > givesUpAt);
    case 'cannot-tell': {
      const { lostConnection } = sighting;
      const why = lostConnection === undefined ? NO_PERMISSION : noWayTo(lostConnection);
      return { kind: 'hold', why: 'doubt', reason: { ...inDoubt(why), ...upstreamFacts(sighting) } };
    }
    case 'not-now': {
      const least = closedMailboxWaitMs(time - unknownSince);
      const waitMs = decideWait(seen, Math.max(least, sighting.waitMs ?? 0), random);
      return time + waitMs > givesUpAt
        ? {
            kind: 'hold',
            why: 'doubt',
            reason: { ...inDoubt(notInTime(sighting)), ...upstreamFacts(sighting) },
          }
        : { kind: 'look-up-later', waitMs, lookUps };
    }
  }
};

/** Every attempt ending unknown, it would go round for ever. */
const sendUnlessTooLate = (isTooLate: boolean): StepAfterLookUp =>
  isTooLate
    ? { kind: 'hold', why: 'refused', reason: givenUp('OUTCOME_UNKNOWN', {}, ABSENT) }
    : { kind: 'send-now' };

const ABSENT = ', and the email is not in Sent Items';
/** What is not found can have been sent all the same. */
const NO_PROOF = {
  mime: 'The email went to Graph as MIME and is not found. Exchange can remove the header by which the relay looks for it, so this does not prove that it was not sent.',
  draft:
    'The draft of the email is gone, and no copy is in Sent Items. It was sent and its copy was removed, or the draft was deleted.',
} as const;
const NO_PERMISSION = 'The relay has no permission to read the mailbox of the sender (Mail.Read).';
const noWayTo = (connection: string): string =>
  `The attempt went by the connection ${connection}, and the settings have no connection to its tenant any more, so the relay cannot look in the mailbox of the sender.`;
const notInTime = ({ status }: Extract<Sighting, { readonly kind: 'not-now' }>): string => {
  if (status === 401) return NO_PERMISSION;
  const last = status === undefined ? '' : ` The last answer of Graph was ${status}.`;
  return `The relay could not read the mailbox of the sender in time.${last}`;
};

const inDoubt = (detail: string): Reason => ({ code: 'OUTCOME_UNKNOWN', detail });

const givenUp = (last: Reason['code'], facts: Parameters<typeof upstreamFacts>[0], more = ''): Reason => ({
  code: 'GIVEN_UP',
  detail: `The last reason: ${last}${more}.`,
  ...upstreamFacts(facts),
});
