import { defined } from '../defined.ts';
import { type InState, triedSince } from '../ledger/ledger-row.ts';
import { recordDraft, recordLookUps } from '../ledger/transitions.ts';
import type { Sighting } from '../sending/look-up-plan.ts';
import { decideAfterLookUp, type StepAfterLookUp } from '../sending/next-step.ts';
import type { SendPolicy } from '../sending/send-policy.ts';
import { type GateNeeds, passGate } from './pass-gate.ts';
import { type AfterLookUp, performAfterLookUp, type StepNeeds } from './perform-step.ts';
import { queueMail } from './queue-mail.ts';
import { removeUnsent, type SightNeeds, sightMail } from './sight-mail.ts';

export type LookUpNeeds = StepNeeds & SightNeeds & GateNeeds & { readonly policy: SendPolicy };

/**
 * Looks for an email whose outcome is unknown. Found: it is sent. Not there, looked for often enough: its row, to be sent now. Cannot
 * tell: held. `beaten` when another invocation has changed the row first, or it was changed here to what another look decides.
 */
export const lookUpMail = async (
  needs: LookUpNeeds,
  unknown: AfterLookUp,
): Promise<'done' | 'beaten' | InState<'unknown'>> => {
  const { row, etag } = unknown;
  const { facts, progress } = row;
  const passage = passGate(needs, facts.sender, 'queue', progress.route?.connection);
  if (passage.kind === 'wait') {
    // As it is: nobody has looked.
    await queueMail(needs, unknown.envelope, passage.waitMs);
    return 'done';
  }
  let sighting: Sighting | undefined;
  try {
    sighting = await sightMail(needs, row);
  } finally {
    passage.leave(sighting);
  }
  tellOfLookUp(needs, unknown, sighting);
  const now = needs.clock.now();
  const step = decideAfter(needs, unknown, sighting);
  const looked = withLookUps(unknown, sighting, now);
  if (step.kind === 'send-now') return looked.row;
  if (step.kind === 'remove-draft') {
    const removed = await removeUnsent(needs, row);
    // Written down before it is sent again: what is looked for after that was never sent, and would not be found.
    if (removed.kind === 'never-sent') {
      await needs.ledger.replace(recordDraft(looked.row, undefined, now), etag);
      return 'beaten';
    }
    tellOfLookUp(needs, unknown, removed);
    const then = decideAfter(needs, unknown, removed.kind === 'draft' ? { kind: 'not-now' } : removed);
    if (then.kind === 'send-now' || then.kind === 'remove-draft')
      throw new Error('what is still there, or may be, is neither sent nor removed');
    const after = withLookUps(unknown, removed, now);
    return (await performAfterLookUp(needs, after, then, now)).isBeaten ? 'beaten' : 'done';
  }
  return (await performAfterLookUp(needs, looked, step, now)).isBeaten ? 'beaten' : 'done';
};

/** The row with how it was looked for, from what the message says of the times before. */
const withLookUps = (unknown: AfterLookUp, { kind: seen }: Sighting, now: Date): AfterLookUp => {
  const wasRead = seen !== 'not-now' && seen !== 'cannot-tell';
  const times = unknown.envelope.lookUps + (wasRead ? 1 : 0);
  return { ...unknown, row: recordLookUps(unknown.row, { at: now.toISOString(), times, seen }) };
};

const tellOfLookUp = ({ log }: LookUpNeeds, { row, envelope }: AfterLookUp, sighting: Sighting): void => {
  const { kind: result, status, upstreamCode } = { status: undefined, upstreamCode: undefined, ...sighting };
  const answer = defined({ status, upstreamCode });
  log({ event: 'MailLookedUp', mailId: row.facts.mailId, result, lookUps: envelope.lookUps + 1, ...answer });
};

const decideAfter = (
  { policy, clock, random }: LookUpNeeds,
  { row, envelope }: AfterLookUp,
  sighting: Sighting,
): StepAfterLookUp => {
  const { way, updatedAt } = row.progress;
  const { lookUps } = envelope;
  const unknownSince = Date.parse(updatedAt);
  const ended = { sighting, lookUps, triedSince: triedSince(row), unknownSince, ...defined({ way }) };
  return decideAfterLookUp(ended, policy, clock.now(), random());
};
