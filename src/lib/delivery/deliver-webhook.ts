import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import type { WebhookLanes } from '../events/webhook-lanes.ts';
import { readWebhookText, toWebhookText, type WebhookMessage } from '../events/webhook-message.ts';
import { type WebhookReceiver, wants } from '../events/webhook-receiver.ts';
import { type AttemptResult, decideWebhook } from '../events/webhook-retry.ts';
import { bodyOf, headersOf } from '../events/webhook-signature.ts';
import type { Ports } from '../ports.ts';

export type DeliverWebhookNeeds = Pick<
  Ports,
  'webhookQueue' | 'readIdentity' | 'eventWebhooks' | 'signingKeys' | 'clock' | 'random' | 'log'
> & {
  /** Undefined while the setting is invalid. */
  readonly receivers: readonly WebhookReceiver[] | undefined;
  readonly lanes: WebhookLanes;
};

const SETTINGS_WAIT_MS = 5 * 60_000;
const DAY_MS = 24 * 3_600_000;
/** A receiver that has all the requests it may have is busy for some seconds. */
const BUSY_WAIT_MS = 5000;

/**
 * Posts an event to every receiver that wants it, or to the one of which the message is. For each that did not take it, there is a message
 * of its own then, and what one of them does delays no other. Whatever happens, the message that was read is done with: what continues
 * was put before.
 */
export const deliverWebhook = async (needs: DeliverWebhookNeeds, text: string): Promise<void> => {
  const identity = await needs.readIdentity();
  const message = readWebhookText(text, identity);
  if (message === undefined) return needs.log({ event: 'WebhookMessageDropped', reason: 'not-ours' });
  const { receivers } = needs;
  if (receivers === undefined) return waitForSettings(needs, message);
  if (message.receiver !== undefined) {
    const receiver = receivers.find(({ name }) => name === message.receiver);
    if (receiver !== undefined) return attempt(needs, message, receiver);
    return needs.log({ event: 'WebhookGivenUp', ...factsOf(message), fault: 'removed' });
  }
  // Each to its end: one that throws must not leave the others without the message that continues.
  const ends = await Promise.allSettled(
    receivers.filter((one) => wants(one, message.event)).map((one) => attempt(needs, message, one)),
  );
  const failure = ends.find((end) => end.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
};

const put = async (needs: DeliverWebhookNeeds, message: WebhookMessage, waitMs: number): Promise<void> =>
  needs.webhookQueue.put(toWebhookText(message, await needs.readIdentity()), waitMs);

const factsOf = ({ event: { type, id }, receiver, attempts }: WebhookMessage) => ({
  receiver: receiver ?? 'all',
  type,
  eventId: id,
  attempts,
});

/** Nobody knows who wants the event. The log says which settings are wrong, and no email is sent meanwhile. */
const waitForSettings = async (needs: DeliverWebhookNeeds, message: WebhookMessage): Promise<void> => {
  if (needs.clock.now().getTime() - message.since.getTime() < DAY_MS)
    return put(needs, message, SETTINGS_WAIT_MS);
  needs.log({ event: 'WebhookGivenUp', ...factsOf(message), fault: 'settings' });
};

const attempt = async (
  needs: DeliverWebhookNeeds,
  message: WebhookMessage,
  receiver: WebhookReceiver,
): Promise<void> => {
  const { clock, random, log } = needs;
  const own = { ...message, receiver: receiver.name };
  const entry = await needs.lanes.enter(receiver.name, clock);
  const waitFor = (ms: number) => needs.lanes.waitOf(receiver.name, ms, clock.now());
  if (entry.kind === 'busy') return put(needs, own, waitFor(BUSY_WAIT_MS * (1 + random())));
  const { result, code } =
    entry.kind === 'paused'
      ? { result: { kind: 'failed', fault: 'paused' } as const }
      : await post(needs, own, receiver).then(
          (posted) => {
            entry.leave(posted.result, clock.now());
            return posted;
          },
          (failure: unknown) => {
            entry.leave({ kind: 'failed', fault: 'secret' }, clock.now());
            throw failure;
          },
        );
  const next = { ...own, attempts: message.attempts + 1 };
  const decision = decideWebhook(result, next.attempts, { random: random(), now: clock.now() });
  const pausedMs = entry.kind === 'paused' ? entry.forMs : 0;
  const waitMs = decision.kind === 'again' ? waitFor(Math.max(decision.waitMs, pausedMs)) : 0;
  if (decision.kind === 'again') await put(needs, next, waitMs);
  const facts = factsOf(next);
  if (decision.kind === 'sent') return log({ event: 'WebhookSent', ...facts });
  const why = { fault: decision.fault, ...defined({ code, status: statusOf(result) }) };
  if (decision.kind === 'given-up') return log({ event: 'WebhookGivenUp', ...facts, ...why });
  log({ event: 'WebhookFailed', ...facts, ...why, waitMs });
};

const statusOf = (result: AttemptResult): number | undefined =>
  result.kind === 'answered' ? result.status : undefined;

type Posted = { readonly result: AttemptResult; readonly code?: AppError['code'] };

const post = async (
  { signingKeys, eventWebhooks, clock }: DeliverWebhookNeeds,
  { event }: WebhookMessage,
  { url, secretName }: WebhookReceiver,
): Promise<Posted> => {
  try {
    const keys = await signingKeys.read(secretName);
    const body = bodyOf(event);
    const report = await eventWebhooks.post(url, headersOf({ id: event.id, body }, keys, clock.now()), body);
    return {
      result: report.kind === 'answered' ? report : { kind: 'failed', fault: report.reason },
    };
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure;
    return { result: { kind: 'failed', fault: 'secret' }, code: failure.code };
  }
};
