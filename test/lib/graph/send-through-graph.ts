import { planFor } from '../../../src/lib/delivery/accept-mail.ts';
import { sendByDraft } from '../../../src/lib/delivery/send-by-draft.ts';
import { openGraphDrafts } from '../../../src/lib/graph/graph-drafts.ts';
import { openHttps } from '../../../src/lib/graph/one-request.ts';
import { claim } from '../../../src/lib/ledger/transitions.ts';
import type { Mail } from '../../../src/lib/mail/mail-schema.ts';
import type { Drafts } from '../../../src/lib/ports.ts';
import type { DraftPlan, PlanPolicy } from '../../../src/lib/sending/send-plan.ts';
import { type GraphForTests, tokenWith } from '../../local/graph/graph-for-tests.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';
import { graphCall, MAILBOX } from './graph-call-for-tests.ts';

const FILES_WITHIN_MS = 60_000;

/** The relay's own requests for drafts, which the stand-in answers. */
export const draftsOn = ({ url }: Pick<GraphForTests, 'url'>): Drafts =>
  openGraphDrafts(
    graphCall(url, { readToken: () => tokenWith({ roles: ['Mail.Send', 'Mail.ReadWrite'] }) }),
    openHttps(),
    { endpoint: url, timeoutMs: 30_000, now: () => NOW },
  );

export type SendOptions = {
  readonly policy: PlanPolicy;
  readonly sender?: Mail['from'];
  readonly blobs?: ReadonlyMap<string, Buffer>;
};

/** Plans a mail as on its arrival and sends it as the draft that it has to be; tells what came of it. */
export const sendAsDraft = async (
  drafts: Drafts,
  mail: Mail,
  { policy, sender = { address: MAILBOX }, blobs = new Map() }: SendOptions,
) => {
  const { mailId, rows } = aDelivery();
  const world = inMemoryPorts();
  for (const [name, content] of blobs) world.blobs.set(name, { content, etag: '"1"' });
  const needs = { ...world.needs, drafts };
  const plan = await planFor(
    needs,
    { plan: policy },
    { mailId, acceptedAt: NOW },
    {
      mail,
      sender,
      caller: aCaller(),
      handling: { kind: 'send' },
      priority: 'normal',
    },
  );
  if (plan.kind !== 'draft') throw new TypeError(`expected a plan of a draft, received ${plan.kind}`);
  return { mailId, plan, outcome: await sendPlan(needs, plan, rows.queued) };
};

const sendPlan = async (
  needs: Parameters<typeof sendByDraft>[0],
  plan: DraftPlan,
  queued: ReturnType<typeof aDelivery>['rows']['queued'],
) => {
  const entry = await needs.ledger.create(claim(queued, NOW, 'draft'));
  if (entry === undefined) throw new Error('the ledger of a new world is empty');
  const result = await sendByDraft(needs, plan, entry, new Date(NOW.getTime() + FILES_WITHIN_MS));
  return result.kind === 'ended' ? result.outcome : result;
};
