import type { Cloud } from '../../local/cloud.ts';
import { CHAOS_SETTINGS, SETTINGS_OF_INSTANCE } from './chaos-cloud.ts';
import { readEvent } from './host-events.ts';
import { type Instance, startInstance } from './instance.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Troubles } from './troubles.ts';

export type Fleet = {
  readonly launch: (name: string) => Promise<void>;
  /** Where one of those that run answers. */
  readonly anyUrl: () => string | undefined;
  /** Mails of which the relay itself said that nobody knows whether they were sent. */
  readonly doubted: ReadonlySet<string>;
  readonly starts: () => number;
  readonly stop: () => Promise<void>;
};

export type FleetOptions = {
  readonly cloud: Cloud;
  readonly appFolder: string;
  readonly timeline: Timeline;
  readonly troubles: Troubles;
  readonly random: Random;
};

/** The instances of the relay, all on one queue, and their troubles. */
export const makeFleet = ({ cloud, appFolder, timeline, troubles, random }: FleetOptions): Fleet => {
  const instances: Instance[] = [];
  const doubted = new Set<string>();
  /** Which instance claimed the latest mail of a mailbox. */
  const claimedBy = new Map<string, Instance>();

  // Told before Graph's answer leaves: the instant between "sent" and "known to be sent".
  cloud.mails.onChange(({ kind }) => {
    if (kind !== 'captured') return;
    const sender = cloud.mails.list({ limit: 1 }).mails[0]?.summary.From.Address ?? '';
    const instance = claimedBy.get(sender);
    if (instance !== undefined && troubles.takeKillAtAccept()) instance.kill();
  });

  const hear = (name: string, line: string): void => {
    const event = readEvent(line);
    if (event?.mailId === undefined) return;
    if (event.event === 'MailUnknown') doubted.add(event.mailId);
    timeline.note(`[${name}] ${JSON.stringify(event)}`, event.mailId);
  };

  return {
    launch: async (name) => {
      const instance: Instance = await startInstance({
        name,
        cloud,
        appFolder,
        settings: { ...CHAOS_SETTINGS, ...SETTINGS_OF_INSTANCE[name] },
        watch: {
          decide: (seen, kill) => {
            const { row } = seen;
            if (row?.fate.state === 'sending') claimedBy.set(row.facts.sender, instance);
            return troubles.decide(seen, kill);
          },
          carriedOut: ({ operation, row }, status) => {
            if (row !== undefined)
              timeline.note(
                `[${name}] ${operation} (turn ${row.progress.turn}): ${status}`,
                row.facts.mailId,
              );
          },
        },
        log: (line) => hear(name, line),
      });
      instances.push(instance);
    },
    anyUrl: () => {
      const urls = instances.flatMap((instance) => instance.url() ?? []);
      return urls[random.below(urls.length)];
    },
    doubted,
    starts: () => instances.reduce((sum, instance) => sum + instance.starts(), 0),
    stop: async () => {
      await Promise.all(instances.map((instance) => instance.stop()));
    },
  };
};
