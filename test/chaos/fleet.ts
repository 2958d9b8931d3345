import { QueueServiceClient } from '@azure/storage-queue';
import type { Cloud } from '../../local/cloud.ts';
import { instanceOptions } from './chaos-cloud.ts';
import { type Exchange, readMessages, readQueuePath } from './held-messages.ts';
import { readEvent } from './host-events.ts';
import type { HostControl } from './host-run.ts';
import { type Instance, startInstance } from './instance.ts';
import { nameOf, type Outage } from './outages.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { MessageOrder, Troubles } from './troubles.ts';
import { makeWeather } from './weather.ts';

export type Fleet = {
  readonly launch: () => void;
  readonly befall: (outage: Outage) => void;
  /** Where one of those that run answers. */
  readonly anyUrl: () => string | undefined;
  /** Mails of which the relay itself said that nobody knows whether they were sent. */
  readonly doubted: ReadonlySet<string>;
  readonly starts: () => number;
  /** Storage is well, and clocks are right. */
  readonly heal: () => void;
  readonly stop: () => Promise<void>;
};

export type FleetOptions = {
  readonly cloud: Cloud;
  readonly apps: { readonly usual: string; readonly hasty: string };
  readonly timeline: Timeline;
  readonly troubles: Troubles;
  readonly random: Random;
  /** Every line that a host writes. */
  readonly log: (line: string) => void;
};

/** The instances of the relay, all on one storage, and their troubles. */
export const makeFleet = ({ cloud, apps, timeline, troubles, random, log }: FleetOptions): Fleet => {
  const instances: Instance[] = [];
  const doubted = new Set<string>();
  const weather = makeWeather();
  const queues = QueueServiceClient.fromConnectionString(cloud.azurite.connectionString);
  /** Which process claimed the latest mail of a mailbox. */
  const claimedBy = new Map<string, HostControl>();

  // Told before Graph's answer leaves: the instant between "sent" and "known to be sent".
  cloud.mails.onChange(({ kind }) => {
    if (kind !== 'captured') return;
    const sender = cloud.mails.list({ limit: 1 }).mails[0]?.summary.From.Address ?? '';
    const process = claimedBy.get(sender);
    const whom = process === undefined ? undefined : troubles.takeKillAtAccept();
    if (whom !== undefined) process?.kill(whom);
  });

  const hear = (name: string, line: string): void => {
    const event = readEvent(line);
    if (event?.mailId === undefined) return;
    if (event.event === 'MailUnknown') doubted.add(event.mailId);
    timeline.note(`[${name}] ${JSON.stringify(event)}`, event.mailId);
  };

  /** Has a message arrive once more, or only then. */
  const disturb =
    ({ fate, ms }: NonNullable<MessageOrder['message']>) =>
    async ({ path, status, content }: Exchange, body: string): Promise<void> => {
      const name = readQueuePath(path)?.queue;
      const [put] = readMessages(content);
      if (status !== 201 || name === undefined || put === undefined) return;
      const queue = queues.getQueueClient(name);
      const seconds = Math.ceil(ms / 1000);
      if (fate === 'late') await queue.updateMessage(put.id, put.popReceipt, undefined, seconds);
      else await queue.sendMessage(readText(body), { visibilityTimeout: seconds });
    };

  const launch = (): void => {
    const options = instanceOptions(instances.length, apps);
    const { name } = options;
    instances.push(
      startInstance({
        ...options,
        cloud,
        decide: (seen, process) => {
          const { row } = seen;
          if (row?.fate.state === 'sending') claimedBy.set(row.facts.sender, process);
          const { message, ...passage } = troubles.decide(seen, process.kill);
          return {
            ...weather.delayOf(name, Date.now()),
            ...passage,
            ...(message === undefined ? {} : { meanwhile: disturb(message) }),
          };
        },
        carriedOut: ({ operation, row }, status) => {
          if (row !== undefined)
            timeline.note(`[${name}] ${operation} (turn ${row.progress.turn}): ${status}`, row.facts.mailId);
        },
        log: (line) => {
          log(`[${name}] ${line}`);
          hear(name, line);
        },
        timedOut: () => troubles.count('functionTimeout, and the worker restarted'),
      }),
    );
  };

  const befall = (outage: Outage): void => {
    troubles.count(nameOf(outage));
    if (outage.kind === 'storage frozen' || outage.kind === 'storage slow') {
      const { ms, instance: place } = outage;
      const where = {
        instance: place === 'all' ? place : (instances[place]?.name ?? ''),
        untilMs: Date.now() + ms,
      };
      weather.begin(
        outage.kind === 'storage frozen'
          ? { kind: 'frozen', carriesOut: outage.carriesOut, ...where }
          : { kind: 'slow', answerMs: outage.answerMs, ...where },
      );
      return;
    }
    const instance = instances[outage.instance];
    if (outage.kind === 'process stopped') instance?.stopFor(outage.ms);
    else if (outage.kind === 'clock jump') instance?.setClock(outage.errorMs);
    else if (outage.kind === 'replaced') instance?.replace(outage.how);
    else instance?.kill(outage.whom);
  };

  return {
    launch,
    befall,
    anyUrl: () => {
      const urls = instances.flatMap((instance) => instance.url() ?? []);
      return urls[random.below(urls.length)];
    },
    doubted,
    starts: () => instances.reduce((sum, instance) => sum + instance.starts(), 0),
    heal: () => {
      weather.end();
      for (const instance of instances) instance.setClock(0);
    },
    stop: async () => {
      await Promise.all(instances.map((instance) => instance.stop()));
    },
  };
};

/** The text of a message in the request that puts it. */
const readText = (body: string): string =>
  (/<MessageText>(.*)<\/MessageText>/s.exec(body)?.[1] ?? '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
