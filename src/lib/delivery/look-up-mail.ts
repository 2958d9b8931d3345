import { AppError } from '../errors.ts';
import { recordFound, triedSince, type UnknownRow } from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import { closedMailboxWaitMs, LOOK_UPS, lookUpWaitMs } from '../sending/look-up-plan.ts';
import { decideWait } from '../sending/wait.ts';
import { deletePayload } from './conclude-attempt.ts';
import { type HoldNeeds, hold } from './hold.ts';
import { announce } from './mail-event.ts';
import { type QueueMailNeeds, queueMail } from './queue-mail.ts';

/** What was seen in the mailbox of the sender. */
export type Sighting =
  | { readonly kind: 'found' }
  | { readonly kind: 'absent' }
  /** The relay may not look, or the mailbox answers otherwise for good. */
  | { readonly kind: 'cannot-tell'; readonly upstreamCode?: string }
  | { readonly kind: 'not-now'; readonly waitMs?: number };

export type LookUpNeeds = QueueMailNeeds &
  HoldNeeds & {
    /** Looks for the mail with this id in the mailbox, by the property every mail carries. */
    readonly findInMailbox: (mailbox: string, mailId: string) => Promise<Sighting>;
    readonly deletePayload: (mailId: string, contentHash: string) => Promise<void>;
    readonly verifyWindowMs: number;
    readonly giveUpAfterMs: number;
    readonly random: () => number;
  };

/**
 * Looks for a mail whose outcome is unknown. Found: it is sent. Not there, looked for often enough: `send again`,
 * which is then no blind resend. Cannot tell: held.
 */
export const lookUpMail = async (
  needs: LookUpNeeds,
  entry: { readonly row: UnknownRow; readonly etag: string },
  envelope: Envelope,
  readContent: () => Promise<unknown>,
): Promise<'done' | 'beaten' | 'send again'> => {
  const { row, etag } = entry;
  const { mailId } = row;
  const lookUps = envelope.lookUps + 1;
  const sighting = await needs.findInMailbox(row.sender, mailId);
  needs.log({ event: 'MailLookedUp', mailId, result: sighting.kind, lookUps });

  const aside = async (reason: AppError): Promise<'done' | 'beaten'> => {
    if ((await hold(needs, entry, await readContent(), reason)) === undefined) return 'beaten';
    await deletePayload(needs, envelope);
    return 'done';
  };
  const again = async (waitMs: number, counted: number) => {
    // The same turn: looking twice does no harm, and only one can claim the row in the end.
    await queueMail(needs, { ...envelope, turn: row.turn, phase: 'look-up', lookUps: counted }, waitMs);
    return 'done' as const;
  };

  const givesUpAt = triedSince(row) + needs.giveUpAfterMs;
  switch (sighting.kind) {
    case 'found': {
      const found = recordFound(row, needs.now());
      await announce(needs, found);
      if ((await needs.ledger.replace(found, etag)) === undefined) return 'beaten';
      const { recipients, tags, attempts, omittedAttempts } = row;
      needs.log({
        event: 'MailSent',
        mailId,
        attempts: attempts.length + omittedAttempts,
        recipients,
        tags,
        verified: true,
      });
      await deletePayload(needs, envelope);
      return 'done';
    }
    case 'absent':
      if (lookUps < LOOK_UPS) return again(lookUpWaitMs(lookUps, needs.verifyWindowMs), lookUps);
      // Every attempt ending unknown, it would go round for ever.
      if (needs.now().getTime() > givesUpAt)
        return aside(
          new AppError('GIVEN_UP', {
            detail: 'The last reason: OUTCOME_UNKNOWN, and the email is not in Sent Items.',
          }),
        );
      return 'send again';
    case 'cannot-tell':
      return aside(
        new AppError('OUTCOME_UNKNOWN', {
          detail: 'The relay has no permission to read the mailbox of the sender (Mail.Read).',
          ...(sighting.upstreamCode === undefined ? {} : { upstreamCode: sighting.upstreamCode }),
        }),
      );
    case 'not-now': {
      const least = closedMailboxWaitMs(needs.now().getTime() - Date.parse(row.updatedAt));
      const waitMs = decideWait(lookUps, Math.max(least, sighting.waitMs ?? 0), needs.random());
      return needs.now().getTime() + waitMs > givesUpAt
        ? aside(
            new AppError('OUTCOME_UNKNOWN', {
              detail: 'The relay could not read the mailbox of the sender in time.',
            }),
          )
        : again(waitMs, envelope.lookUps);
    }
  }
};
