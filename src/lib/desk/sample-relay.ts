import { defined } from '../defined.ts';
import { metricsEvent, totalsOf } from '../metrics/describe-sample.ts';
import { type MailboxLimits, sharesOf } from '../metrics/mailbox-use.ts';
import {
  type CredentialSample,
  type QueueSample,
  type RelaySample,
  waitingSince,
} from '../metrics/relay-sample.ts';
import type { MessageQueue, Ports, Vault, WatchedQueue } from '../ports.ts';

export type SampleNeeds = Pick<Ports, 'counts' | 'samples' | 'clock' | 'log'> & {
  readonly records: Pick<Ports['records'], 'list'>;
  readonly queues: Readonly<Record<string, WatchedQueue>>;
  readonly poisonQueues: Readonly<Record<string, MessageQueue>>;
  readonly mailboxLimits: MailboxLimits;
  /** Absent where the settings name none. */
  readonly vault?: Pick<Vault, 'listSecrets'>;
};

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The charts show one day; two leave time to look at it. */
const SAMPLES_KEPT_MS = 2 * DAY_MS;
/** An instance that has written nothing for so long has ended. What it sent from mailboxes counts for a day. */
const INSTANCE_ENDED_MS = 25 * HOUR_MS;
/** The most that one list has (List Blobs, maxresults): more are one request more each time. */
const MOST_HELD = 5000;
const MOST_CREDENTIALS = 100;

/** What was found; absent where it could not be read: the rest of a sample is worth having all the same. */
const ifRead = async <Found>(reading: Promise<Found>): Promise<Found | undefined> =>
  reading.catch(() => undefined);

/**
 * Looks at the relay and writes down what was seen, for charts and gauges, and as one event for the log. Once an hour it also looks
 * at the vault, and at what is too old. Throws STORAGE_UNAVAILABLE where the sample cannot be written.
 */
export const sampleRelay = async (needs: SampleNeeds): Promise<void> => {
  const now = needs.clock.now();
  const earlier = await ifRead(needs.samples.newest());
  const [queues, poisonMessages, held, credentials, counted] = await Promise.all([
    sampleQueues(needs, earlier),
    ifRead(countAll(needs.poisonQueues)),
    ifRead(countHeld(needs)),
    sampleCredentials(needs, earlier, now),
    ifRead(needs.counts.read()),
  ]);
  const sample: RelaySample = {
    at: now.toISOString(),
    queues,
    ...defined({
      poisonMessages,
      held,
      credentials,
      mailboxes: counted && sharesOf(counted.mailboxes, needs.mailboxLimits, now),
      totals: counted && totalsOf(counted.tally),
    }),
  };
  await needs.samples.write(sample);
  needs.log(metricsEvent(sample, now));
  if (earlier === undefined || hourOf(new Date(earlier.at)) !== hourOf(now)) await tidyUp(needs, now);
};

const hourOf = (time: Date): number => Math.floor(time.getTime() / HOUR_MS);

/** What is too old. What fails here is done an hour later. */
const tidyUp = async ({ samples, counts }: SampleNeeds, now: Date): Promise<void> => {
  await ifRead(samples.expire(new Date(now.getTime() - SAMPLES_KEPT_MS)));
  await ifRead(counts.fold(new Date(now.getTime() - INSTANCE_ENDED_MS)));
};

const sampleQueues = async (
  { queues }: SampleNeeds,
  earlier: RelaySample | undefined,
): Promise<readonly QueueSample[]> => {
  const seen = await Promise.all(
    Object.entries(queues)
      .map(async ([queue, watched]): Promise<QueueSample | undefined> => {
        const messages = await watched.count();
        const next = messages ? await watched.peek() : undefined;
        const before = earlier?.queues.find((one) => one.queue === queue);
        return {
          queue,
          ...defined({
            messages,
            waitingSince: next && waitingSince(next.putAt, before, earlier?.at),
          }),
        };
      })
      .map(ifRead),
  );
  return seen.filter((one) => one !== undefined);
};

const countAll = async (queues: Readonly<Record<string, MessageQueue>>): Promise<number> => {
  const counts = await Promise.all(Object.values(queues).map(({ count }) => count()));
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
};

const countHeld = async ({
  records,
}: SampleNeeds): Promise<{ readonly count: number; readonly hasMore: boolean }> => {
  const page = await records.list(MOST_HELD, undefined);
  return { count: page.records.length, hasMore: page.next !== undefined };
};

/** Dates in a vault rarely change: they are read once an hour, and a vault that does not answer leaves those of before. */
const sampleCredentials = async (
  { vault }: SampleNeeds,
  earlier: RelaySample | undefined,
  now: Date,
): Promise<RelaySample['credentials']> => {
  const known = earlier?.credentials;
  if (vault === undefined) return undefined;
  if (known !== undefined && hourOf(new Date(known.readAt)) === hourOf(now)) return known;
  const secrets = await ifRead(vault.listSecrets());
  if (secrets === undefined) return known;
  const dated = secrets.flatMap(({ name, kind, enabled, expiresOn }): readonly CredentialSample[] =>
    enabled && expiresOn !== undefined
      ? [{ credential: name, kind, expiresOn: expiresOn.toISOString() }]
      : [],
  );
  const soonest = dated.toSorted((one, other) => (one.expiresOn < other.expiresOn ? -1 : 1));
  return { readAt: now.toISOString(), all: soonest.slice(0, MOST_CREDENTIALS) };
};
