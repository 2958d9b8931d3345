import type { Door } from '../callers/caller.ts';
import { AppError } from '../errors.ts';
import { factsOfUnreadable } from '../ledger/arrived-message.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import { sendAtOf } from '../mail/send-at.ts';
import type { Ports } from '../ports.ts';
import type { SendPolicy } from '../sending/send-policy.ts';
import {
  type AcceptableMail,
  type AcceptPolicy,
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

/**
 * The email of an envelope, judged by the settings and callers of now; `original` is what it is made of. `door` is how it came, where
 * that was not judged before.
 */
export const readMailOf = async (
  needs: ReadMailNeeds,
  envelope: Envelope,
  door?: Door,
): Promise<({ readonly accepted: AcceptableMail } | Refused) & { readonly original: unknown }> => {
  const original = await readContent(needs, envelope);
  const identity = await needs.readIdentity();
  const { accept, policy, clock } = needs;
  const sendAt = sendAtOf(original, envelope.acceptedAt);
  const dueFrom = sendAt === undefined ? envelope.acceptedAt.getTime() : Date.parse(sendAt);
  if (clock.now().getTime() - dueFrom > policy.ledgerDays * DAY_MS) {
    // The ledger may have known it and forgotten it: then this is a copy of an email that was sent.
    const facts = sketchFacts(accept, identity, envelope, original);
    return { refused: new AppError('GIVEN_UP', { detail: OLDER_THAN_LEDGER }), facts, original };
  }
  if (original === undefined)
    return { refused: new AppError('PAYLOAD_MISSING'), facts: factsOfUnreadable(envelope), original };
  const caller = (await needs.callers.known()).named(envelope.caller);
  if (caller === undefined) {
    const facts = sketchFacts(accept, identity, envelope, original);
    return { refused: new AppError('CALLER_REMOVED'), facts, original };
  }
  const accepted = await tryToAccept(needs, accept, identity, envelope, caller, door, original);
  return 'refused' in accepted ? { ...accepted, original } : { accepted, original };
};
