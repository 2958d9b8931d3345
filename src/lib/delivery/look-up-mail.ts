import { triedSince } from '../ledger/ledger-row.ts';
import type { Ports } from '../ports.ts';
import { decideAfterLookUp } from '../sending/next-step.ts';
import type { SendPolicy } from '../sending/send-policy.ts';
import { type AfterLookUp, performAfterLookUp, type StepNeeds } from './perform-step.ts';

export type LookUpNeeds = StepNeeds & Pick<Ports, 'mailboxes' | 'random'> & { readonly policy: SendPolicy };

/**
 * Looks for an email whose outcome is unknown. Found: it is sent. Not there, looked for often enough: `send now`. Cannot
 * tell: held. `beaten` when another invocation has changed the row first.
 */
export const lookUpMail = async (
  needs: LookUpNeeds,
  unknown: AfterLookUp,
): Promise<'done' | 'beaten' | 'send now'> => {
  const { row, envelope } = unknown;
  const { facts, progress } = row;
  const sighting = await needs.mailboxes.find(facts.sender, facts.mailId);
  const lookUps = envelope.lookUps + 1;
  needs.log({ event: 'MailLookedUp', mailId: facts.mailId, result: sighting.kind, lookUps });
  const now = needs.clock.now();
  const step = decideAfterLookUp(
    {
      sighting,
      lookUps: envelope.lookUps,
      triedSince: triedSince(row),
      unknownSince: Date.parse(progress.updatedAt),
    },
    needs.policy,
    now,
    needs.random(),
  );
  if (step.kind === 'send-now') return 'send now';
  return (await performAfterLookUp(needs, unknown, step, now)).isBeaten ? 'beaten' : 'done';
};
