import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Configuration } from './configuration.ts';
import { DropFolder } from './drop-folder/drop-folder.ts';
import { judgeFile } from './drop-folder/judge-file.ts';
import { type HealthFacts, serveHealth } from './health.ts';
import type { Log } from './log.ts';
import { judgeApart } from './message/judge-apart.ts';
import type { Judge } from './message/judge-message.ts';
import { deliverTo } from './relay/deliver.ts';
import { oneLine } from './relay/one-line.ts';
import { Pauses } from './relay/pauses.ts';
import { type PostMail, postMailTo } from './relay/post-mail.ts';
import type { Account, DoorSettings } from './settings.ts';
import { Courier } from './spool/courier.ts';
import { FOLDER_MODE } from './spool/durable-file.ts';
import { lockFolder } from './spool/folder-lock.ts';
import { Spool } from './spool/spool.ts';
import type { Deliver } from './submission.ts';
import { Watch } from './watch.ts';

/** The SMTP side, as this side uses it. */
type Door = {
  readonly ports: readonly number[];
  readonly certificateValidTo: () => Date | undefined;
  readonly reloadCertificate: () => Promise<boolean>;
  readonly useAccounts: (accounts: readonly Account[]) => void;
  readonly close: (drainMs: number) => Promise<void>;
};

type StartDoor = (
  settings: DoorSettings,
  deliver: Deliver,
  world: { readonly now: () => Date; readonly log: Log; readonly judge?: Judge },
) => Promise<Door>;

export type RunWorld = {
  readonly now: () => Date;
  readonly log: Log;
  readonly version: string;
  readonly startDoor: StartDoor;
  /** The file of the program, for its threads. */
  readonly program: URL;
};

export type Running = {
  readonly ports: readonly number[];
  readonly healthPort: number | undefined;
  /** Takes the accounts and the certificate of another configuration; says which other fields need a restart. */
  readonly reload: (configuration: Configuration) => Promise<void>;
  /** There was to be another configuration, and it cannot be used. */
  readonly reloadFailed: (error: Error) => void;
  readonly close: () => Promise<void>;
};

/** As callers of the relay wait (docs/callers/README.md): it waits 60 seconds for Graph itself. */
const SPOOL_TIMEOUT_MS = 100_000;
const CONFIGURATION_KEPT =
  'The changed configuration cannot be used, and the door goes on with the one before: see ReloadFailed in the log. Correct it (smtp-door check), then send SIGHUP.';
const CERTIFICATE_KEPT =
  'The new files of the certificate cannot be used, and the door goes on with the old ones: see CertificateKept in the log. Correct them, then send SIGHUP.';
const RESCAN_MS = 5_000;
const HOUR_MS = 3_600_000;

const wait = (ms: number, signal: AbortSignal): Promise<void> =>
  // Node's timers end at 2^31 - 1 milliseconds.
  sleep(Math.min(ms, 2 ** 31 - 1), undefined, { signal }).then(
    () => undefined,
    () => undefined,
  );

/** Runs the door until it is closed. */
export const runDoor = async (configuration: Configuration, world: RunWorld): Promise<Running> => {
  const { now, log, version } = world;
  const judge = judgeApart(world.program);
  let current = configuration;
  const watch = new Watch(now);
  const pauses = new Pauses(now);
  const post: PostMail = postMailTo({ url: configuration.url }, now);
  const keyOf = (account: string): string | undefined => current.keys.get(account);
  const attempting = { post, keyOf, pauses, watch, log };
  const closing: (() => Promise<unknown> | unknown)[] = [];
  // Last begun, first ended: no client may be served any more when the spool closes.
  const closeAll = async (): Promise<void> => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const spool = await openSpool(configuration, world);
    if (spool !== undefined) closing.push(spool.release);
    const courier = spool && startCourier(configuration, spool.spool, attempting, now);
    if (courier !== undefined) closing.push(() => courier.close(configuration.drainMs));
    const deliver = deliverTo({ ...attempting, keep: spool?.spool.keep, replyMs: configuration.replyMs });

    const dropFolder = startDropFolder(configuration, () => current, deliver, judge, world);
    if (dropFolder !== undefined) closing.push(dropFolder.close);

    let door: Door | undefined;
    const facts = (): HealthFacts => ({
      now: now(),
      version,
      watch,
      spool: spool && configuration.spool && { ...spool.spool.counts, ...configuration.spool },
      dropFolder: dropFolder?.facts(),
      certificateUntil: door?.certificateValidTo(),
    });
    const health =
      configuration.health === false ? undefined : await serveHealth(configuration.health, facts);
    if (health !== undefined) closing.push(health.close);

    if (configuration.door.listeners.length > 0) {
      const opened = await world.startDoor(configuration.door, deliver, { now, log, judge });
      door = opened;
      closing.push(() => opened.close(configuration.drainMs));
    }

    return {
      ports: door?.ports ?? [],
      healthPort: health?.port,
      reload: async (next) => {
        const fixed = fixedFieldsThatDiffer(configuration, next);
        if (fixed.length > 0) log('warn', 'RestartNeeded', { fields: fixed.join(', ') });
        current = next;
        pauses.clear();
        watch.forgetFaults();
        courier?.wake();
        door?.useAccounts(next.door.accounts);
        const hasCertificate = (await door?.reloadCertificate()) ?? true;
        watch.reloaded('configuration');
        watch.reloaded('certificate', hasCertificate ? undefined : CERTIFICATE_KEPT);
        log('info', 'ConfigurationReloaded', { accounts: next.keys.size });
      },
      reloadFailed: (error) => {
        watch.reloaded('configuration', CONFIGURATION_KEPT);
        log('error', 'ReloadFailed', { say: oneLine(error.message) });
      },
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
};

const openSpool = async ({ spool: settings }: Configuration, { log, now }: RunWorld) => {
  if (settings === undefined) return undefined;
  await mkdir(settings.folder, { recursive: true, mode: FOLDER_MODE });
  const lock = lockFolder(settings.folder);
  try {
    return { spool: await Spool.open(settings, log, now), release: lock.release };
  } catch (error) {
    lock.release();
    throw error;
  }
};

const startCourier = (
  { spool: settings }: Configuration,
  spool: Spool,
  attempting: ConstructorParameters<typeof Courier>[1],
  now: () => Date,
): Courier =>
  new Courier(
    spool,
    attempting,
    {
      concurrency: settings?.concurrency ?? 1,
      timeoutMs: SPOOL_TIMEOUT_MS,
      giveUpMs: (settings?.giveUpHours ?? 1) * HOUR_MS,
      rescanMs: RESCAN_MS,
    },
    { now, wait },
  );

const startDropFolder = (
  started: Configuration,
  current: () => Configuration,
  deliver: Deliver,
  judge: Judge,
  { now, log }: RunWorld,
) => {
  const { dropFolder: settings } = started;
  if (settings === undefined) return undefined;
  const folder = new DropFolder(
    { ...settings, maxBytes: started.door.maxBytes },
    {
      judge: async (bytes) => {
        const named = ({ name }: Account): boolean => name === settings.account;
        const account = current().door.accounts.find(named) ?? started.door.accounts.find(named);
        if (account === undefined) throw new Error('The configuration was not checked.');
        return judgeFile(bytes, account, started.door, judge);
      },
      deliver,
      now,
      log,
    },
  );
  const closed = new AbortController();
  const loop = (async () => {
    while (!closed.signal.aborted) {
      await folder.look(closed.signal);
      await wait(settings.pollSeconds * 1000, closed.signal);
    }
  })();
  return {
    facts: () => folder.facts,
    close: async () => {
      closed.abort();
      await loop;
    },
  };
};

/** What is read only when the door starts. */
const fixedFieldsThatDiffer = (one: Configuration, other: Configuration): readonly string[] => {
  const fixed = ({
    url,
    replyMs,
    door: { accounts: _, ...door },
    spool,
    dropFolder,
    health,
    drainMs,
  }: Configuration) => ({
    'relay.url': url,
    'relay.replySeconds': replyMs,
    ...door,
    spool,
    dropFolder,
    health,
    drainSeconds: drainMs,
  });
  const [before, after] = [fixed(one), fixed(other)] as Record<string, unknown>[];
  return Object.keys({ ...before, ...after }).filter(
    (field) => JSON.stringify(before?.[field]) !== JSON.stringify(after?.[field]),
  );
};
