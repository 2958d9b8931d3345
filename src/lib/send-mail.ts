import { type AcceptableMail, acceptMail, countRecipients } from './accept-mail.ts';
import { type AttemptNeeds, attemptMail } from './attempt-mail.ts';
import { catalogue } from './error-catalogue.ts';
import { AppError } from './errors.ts';
import type { Log } from './log.ts';
import type { SendOutcome } from './mail/send-outcome.ts';
import type { SenderPolicy } from './mail/sender-policy.ts';
import { decideWait } from './mail/wait.ts';
import { type QueueMailNeeds, queueMail } from './queue-mail.ts';
import { type SetAsideNeeds, setAside } from './set-aside.ts';

export type SendMailNeeds = AttemptNeeds &
  QueueMailNeeds &
  SetAsideNeeds & {
    readonly senderPolicy: SenderPolicy;
    readonly newMailId: () => string;
    readonly random: () => number;
    readonly log: Log;
  };

/** What the caller is told: never more than is true and stored. */
export type SendMailAnswer =
  | {
      readonly id: string;
      readonly status: 'sent';
      readonly sender: string;
      readonly graphRequestId?: string;
    }
  | { readonly id: string; readonly status: 'queued' }
  | { readonly id: string; readonly status: 'unknown'; readonly graphRequestId?: string };

/**
 * Takes a mail from a caller who waits: sends it at once, or queues it where the caller asks for that or Graph
 * cannot take it now. Throws an AppError for everything the caller has to know; then nothing was accepted.
 */
export const sendMail = async (
  needs: SendMailNeeds,
  input: unknown,
  { respondAsync }: { readonly respondAsync: boolean },
): Promise<SendMailAnswer> => {
  const accepted = acceptMail(needs.newMailId(), input, needs.senderPolicy);
  const queue = (attempts: number, waitMs: number) =>
    queueMail(
      needs,
      { mailId: accepted.mailId, acceptedAt: needs.now(), attempts, content: { mail: input } },
      waitMs,
    );

  if (respondAsync) {
    await queue(0, 0);
    needs.log({ event: 'MailQueued', mailId: accepted.mailId, attempts: 0, waitMs: 0 });
    return { id: accepted.mailId, status: 'queued' };
  }
  const outcome = await attemptMail(needs, accepted.plan);
  return conclude(needs, accepted, input, outcome, queue);
};

const conclude = async (
  needs: SendMailNeeds,
  { mailId, mail, sender }: AcceptableMail,
  input: unknown,
  outcome: SendOutcome,
  queue: (attempts: number, waitMs: number) => Promise<void>,
): Promise<SendMailAnswer> => {
  const { kind, ...facts } = outcome;
  switch (outcome.kind) {
    case 'accepted':
      needs.log({
        event: 'MailSent',
        mailId,
        attempts: 1,
        recipients: countRecipients(mail),
        tags: mail.tags,
        ...facts,
      });
      return {
        id: mailId,
        status: 'sent',
        sender: sender.address,
        ...(outcome.graphRequestId === undefined ? {} : { graphRequestId: outcome.graphRequestId }),
      };
    case 'rejected':
      throw new AppError(outcome.code, facts);
    case 'not-sent': {
      // What only an administrator can mend is told to the caller, who still has the mail; the rest waits here.
      if (catalogue[outcome.code].fixedBy !== 'time') throw new AppError(outcome.code, facts);
      const waitMs = decideWait(1, outcome.waitMs, needs.random());
      await queue(1, waitMs);
      needs.log({ event: 'MailQueued', mailId, attempts: 1, ...facts, code: outcome.code, waitMs });
      return { id: mailId, status: 'queued' };
    }
    case 'unknown':
      await setAside(
        needs,
        { mailId, acceptedAt: needs.now(), attempts: 1, original: input },
        new AppError(outcome.code, facts),
      ).catch((cause: unknown) => {
        // Not STORAGE_UNAVAILABLE, which promises that sending again is safe: here it is not.
        throw new AppError('OUTCOME_UNKNOWN', { ...facts, cause });
      });
      return {
        id: mailId,
        status: 'unknown',
        ...(outcome.graphRequestId === undefined ? {} : { graphRequestId: outcome.graphRequestId }),
      };
  }
};
