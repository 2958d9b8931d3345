import type { KnownCallers } from '../callers/known-callers.ts';
import type { ErrorCode } from '../error-catalogue.ts';
import { AppError } from '../errors.ts';
import { factsOfUnreadable } from '../ledger/arrived-message.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import { sendAtOf } from '../mail/send-at.ts';
import type { Ports } from '../ports.ts';
import type { SendPolicy } from '../sending/send-policy.ts';
import {
  type AcceptableMail,
  type AcceptPolicy,
  type Claims,
  type Refused,
  sketchFacts,
  tryToAccept,
} from './accept-mail.ts';
import { readContent } from './read-content.ts';

const DAY_MS = 86_400_000;
const OLDER_THAN_LEDGER =
  'It was accepted, or was to be sent, longer ago than MAIL_LEDGER_DAYS, so it may have been sent before.';

export type ReadMailNeeds = Pick<Ports, 'payloads' | 'readIdentity' | 'clock' | 'attachments' | 'callers'> & {
  readonly accept: AcceptPolicy;
  readonly policy: Pick<SendPolicy, 'ledgerDays'>;
};

/** What callers may do can have changed since this instance read it: a refusal by these is not believed before they were read again. */
const BY_CALLERS: readonly ErrorCode[] = [
  'CALLER_REMOVED',
  'CALLER_DISABLED',
  'DOOR_NOT_ALLOWED',
  'SENDER_NOT_ALLOWED',
  'RECIPIENT_NOT_ALLOWED',
  'PRIORITY_NOT_ALLOWED',
  'MAIL_TOO_LARGE_FOR_CALLER',
];

/**
 * The email of an envelope, judged by the settings and callers of now; `original` is what it is made of. `door` is how it came, where
 * that was not judged before; `acceptedAs` and `acceptedWith` the sender and priority with which the ledger has it, and `dueAt` when the ledger says that it is due: its
 * caller can have moved it.
 */
export const readMailOf = async (
  needs: ReadMailNeeds,
  envelope: Envelope,
  { dueAt, ...before }: Omit<Claims, 'caller'> & { readonly dueAt?: string | undefined } = {},
): Promise<({ readonly accepted: AcceptableMail } | Refused) & { readonly original: unknown }> => {
  const original = await readContent(needs, envelope);
  const identity = await needs.readIdentity();
  const { accept, policy, clock } = needs;
  const sendAt = dueAt ?? sendAtOf(original, envelope.acceptedAt);
  // A replay begins anew, whenever the email was due before.
  const dueFrom = Math.max(envelope.acceptedAt.getTime(), sendAt === undefined ? 0 : Date.parse(sendAt));
  if (clock.now().getTime() - dueFrom > policy.ledgerDays * DAY_MS) {
    // The ledger may have known it and forgotten it: then this is a copy of an email that was sent.
    const caller = (await needs.callers.known()).named(envelope.caller);
    const facts = sketchFacts(accept, identity, envelope, original, caller);
    return { refused: new AppError('GIVEN_UP', { detail: OLDER_THAN_LEDGER }), facts, original };
  }
  if (original === undefined)
    return { refused: new AppError('PAYLOAD_MISSING'), facts: factsOfUnreadable(envelope), original };
  const judge = async (callers: KnownCallers): Promise<AcceptableMail | Refused> => {
    const caller = callers.named(envelope.caller);
    return caller === undefined
      ? {
          refused: new AppError('CALLER_REMOVED', { detail: `It is an email of ${envelope.caller}.` }),
          facts: sketchFacts(accept, identity, envelope, original, undefined),
        }
      : tryToAccept(needs, accept, identity, envelope, { caller, ...before }, original);
  };
  const first = await judge(await needs.callers.known());
  const accepted =
    'refused' in first && BY_CALLERS.includes(first.refused.code)
      ? await judge(await needs.callers.refreshed())
      : first;
  return 'refused' in accepted ? { ...accepted, original } : { accepted, original };
};
