import { hash } from 'node:crypto';
import { sendInLane } from '../../../src/lib/delivery/in-lane.ts';
import { makePacer } from '../../../src/lib/delivery/pacer.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { Ports } from '../../../src/lib/ports.ts';
import { oddly } from '../../../src/lib/sending/mailbox-lane.ts';
import type { Pacer } from '../../../src/lib/sending/pacing.ts';
import type { World } from '../../support/explore.ts';
import { makeFakeLanes } from '../../support/fake-lanes.ts';
import { type Asker, makeReplayableProcesses } from '../../support/processes.ts';
import type { Fate } from '../../support/stepper.ts';

/**
 * A world of the pacer alone, on the real way through the lane of one mailbox. In place of the ledger an email is claimed or it is not, and
 * in place of the queue it comes back when it is visible.
 */
export type PacingWorld = {
  readonly name: string;
  readonly perMinute: number;
  readonly emails: number;
  /** How much the clock of each instance is ahead. */
  readonly clocksMs: readonly number[];
  /** Troubles of one path. */
  readonly troubles: number;
  /** Graph refuses with 429 and this time, in seconds; otherwise it says that it is busy. */
  readonly retryAfter?: number;
  /** How long a message stays hidden when its instance ends. */
  readonly leaseMs?: number;
};

type Email = {
  state: 'visible' | 'in progress' | 'sent';
  /** Claimed, and nobody has written down how that attempt ended. */
  isClaimed: boolean;
  visibleAt: number;
  dueAt: number | undefined;
};

type Choice = { readonly isTrouble: boolean } & (
  | { readonly kind: 'step'; readonly index: number; readonly what: string; readonly fate: Fate }
  | { readonly kind: 'deliver'; readonly process: number; readonly email: number }
  | { readonly kind: 'kill'; readonly process: number; readonly happens: readonly boolean[] }
  | { readonly kind: 'wait'; readonly ms: number }
);

const START = Date.parse('2026-03-02T08:00:00Z');
const MINUTE_MS = 60_000;
/** Shorter than the relay waits after a refusal, so that the minute of the start is not over. */
const BACK_OFF_MS = 5000;
const MAILBOX = 'noreply@contoso.example';
/** All emails that wait for nothing but a limit have gone by then, whatever goes wrong once. */
const LATEST_MS = 30 * MINUTE_MS;
/** Later than an email may be for its start, and than what a lane adds to a minute. */
const SLOW_MS = 5000;

/** How each step can go wrong. A refused write of the lane throws; where another instance was first, the fake says so by itself. */
const FAILURES: Readonly<Record<string, readonly Fate[]>> = {
  'lanes.read': ['refused'],
  'lanes.write': ['refused', 'lost', 'dropped'],
  claim: ['refused', 'lost'],
  send: ['refused'],
  sleep: [],
};

const kindOf = (what: string): string => what.split(' ')[0] ?? '';

export const makePacingWorld = async (
  { perMinute, emails: count, clocksMs, troubles, retryAfter, leaseMs = MINUTE_MS }: PacingWorld,
  coverage: Set<string> = new Set(),
): Promise<World<Choice>> => {
  let now = START;
  let left = troubles;
  let alone = 0;
  let starts: readonly number[] = [];
  const lives = clocksMs.map(() => 0);
  const history: string[] = [];
  const lanes = makeFakeLanes();
  const processes = makeReplayableProcesses(() => new Date(now));
  const emails: Email[] = Array.from({ length: count }, () => ({
    state: 'visible',
    isClaimed: false,
    visibleAt: START,
    dueAt: undefined,
  }));
  /** Which emails each instance works on. */
  const holders = new Map<number, number>();

  const tell = (line: string): void => void history.push(`${((now - START) / 1000).toFixed(3)} ${line}`);
  const isAway = (): never => {
    throw new AppError('STORAGE_UNAVAILABLE');
  };
  const server = () => ({ at: new Date(now), precisionMs: 1 });
  const lanesOf = (asker: Asker): Ports['mailboxLanes'] => ({
    read: (mailbox) => asker.ask('lanes.read', () => ({ ...lanes.read(mailbox), server: server() }), isAway),
    write: (mailbox, lane, etag) =>
      asker.ask(
        'lanes.write',
        () => ({ ...lanes.write(mailbox, lane, etag, new Date(now)), server: server() }),
        (fate) =>
          fate === 'dropped' ? { isOwn: false, entry: lanes.read(mailbox), server: server() } : isAway(),
      ),
    expire: async () => undefined,
  });
  const pacerOf = (asker: Asker, ports: Pick<Ports, 'clock'>, owner: string): Pacer => {
    const kept = asker.memory.get('pacer') as Pacer | undefined;
    const pacer =
      kept ??
      makePacer(
        {
          ...ports,
          mailboxLanes: lanesOf(asker),
          random: () => 0.5,
          log: ({ event }) => {
            if (event === 'PacingAlone')
              asker.effect(() => {
                alone += 1;
              });
          },
        },
        {
          ...{ concurrent: 4, perMinute, recipientsPerDay: 10_000 },
          ...{ bookAheadMs: 43_200_000, agesAfterMs: 21_600_000 },
        },
        owner,
      );
    asker.memory.set('pacer', pacer);
    return pacer;
  };

  /** The message is written again and deleted, as one step: what lies between is of the ledger's worlds. */
  const comeBack = (number: number, waitMs: number, dueAt: number | undefined): void => {
    const visibleAt = now + Math.ceil(Math.max(0, waitMs) / 1000) * 1000;
    Object.assign(emails[number] as Email, { state: 'visible', isClaimed: false, visibleAt, dueAt });
    tell(`email ${number} waits until ${(visibleAt - START) / 1000}`);
  };

  const deliver = (process: number, number: number): Promise<void> => {
    const email = emails[number] as Email;
    const { dueAt } = email;
    email.state = 'in progress';
    holders.set(number, process);
    const aheadMs = clocksMs[process] ?? 0;
    const owner = `instance-${process}-${lives[process]}`;
    return processes.start(process, `${owner} ${number} ${dueAt}`, async (asker) => {
      const clock = {
        now: () => new Date(asker.now().getTime() + aheadMs),
        sleep: (ms: number) =>
          asker.ask<void>(
            `sleep ${asker.now().getTime() + Math.ceil(ms)}`,
            () => undefined,
            () => undefined,
          ),
      };
      const needs = {
        clock,
        pacer: pacerOf(asker, { clock }, owner),
        random: () => 0.5,
        log: () => undefined,
        policy: { verifyWindowMs: 900_000, sendingLimitMs: 900_000 },
        mailboxes: {
          routeOf: () => ({ connection: 'main' }),
          send: () =>
            asker.ask(
              `send ${number}`,
              () => {
                starts = [...starts, now];
                (emails[number] as Email).state = 'sent';
                tell(`email ${number} sent`);
                return { kind: 'answered', status: 202 };
              },
              () => {
                starts = [...starts, now];
                tell(`email ${number} refused`);
                return retryAfter === undefined
                  ? { kind: 'answered', status: 503 }
                  : { kind: 'answered', status: 429, retryAfter: String(retryAfter) };
              },
            ),
        },
      } as unknown as Parameters<typeof sendInLane>[0];
      const plan = { kind: 'json', mailbox: MAILBOX, body: Buffer.alloc(1000) } as unknown as Parameters<
        typeof sendInLane
      >[1];
      const who = {
        mailId: String(number),
        priority: 'normal',
        recipients: 1,
        waitsSince: new Date(START),
        givesWay: true,
        ...(dueAt === undefined ? {} : { dueAt: new Date(dueAt) }),
      } as const;
      const claim = () =>
        asker.ask(
          `claim ${number}`,
          () => {
            const claimed = emails[number] as Email;
            if (claimed.isClaimed) return undefined;
            claimed.isClaimed = true;
            const progress = { updatedAt: new Date(now).toISOString() };
            return { row: { progress }, etag: '' } as unknown as Awaited<
              ReturnType<Parameters<typeof sendInLane>[3]>
            >;
          },
          isAway,
        );
      try {
        const result = await sendInLane(needs, plan, who, claim);
        if (result.kind === 'beaten') asker.effect(() => comeBack(number, 1000, dueAt));
        else if (result.kind === 'ended') {
          const { outcome } = result;
          if (outcome.kind === 'accepted') return;
          const waitMs = Math.max(('waitMs' in outcome ? outcome.waitMs : undefined) ?? 0, BACK_OFF_MS);
          // As performAfterAttempt does: the start that it used is not kept for it any more.
          asker.effect(() => comeBack(number, waitMs, dueAt === undefined ? undefined : oddly(dueAt)));
        } else {
          const told = result.kind === 'full' ? undefined : result.dueAt.getTime();
          asker.effect(() => comeBack(number, result.waitMs, told));
        }
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        // The host delivers the same message again.
        asker.effect(() => comeBack(number, MINUTE_MS, dueAt));
      }
    });
  };

  const kill = (process: number, happens: readonly boolean[]): void => {
    tell(`instance ${process} ends`);
    processes.kill(process, (index) => happens[index] ?? false);
    lives[process] = (lives[process] ?? 0) + 1;
    emails.forEach((email, number) => {
      if (email.state !== 'in progress' || holders.get(number) !== process) return;
      Object.assign(email, { state: 'visible', isClaimed: false, visibleAt: now + leaseMs });
    });
  };

  const isOver = (): boolean => emails.every(({ state }) => state === 'sent');
  const wakesAt = (what: string): number => Number(what.split(' ')[1]);
  const isAwake = (what: string): boolean => kindOf(what) !== 'sleep' || wakesAt(what) <= now;
  const isBusy = (process: number): boolean =>
    processes.steps().some((step) => step.process === process) ||
    emails.some(({ state }, number) => state === 'in progress' && holders.get(number) === process);

  const stepsNow = (): readonly Choice[] =>
    processes.steps().flatMap(({ what }, index) => {
      if (!isAwake(what)) return [];
      const step = (fate: Fate): Choice => ({
        kind: 'step',
        index,
        what,
        fate,
        isTrouble: fate !== 'answered',
      });
      const failures = left > 0 ? (FAILURES[kindOf(what)] ?? []) : [];
      return [step('answered'), ...failures.map(step)];
    });
  const deliveries = (): readonly Choice[] =>
    clocksMs.flatMap((_ahead, process) =>
      emails.flatMap(({ state, visibleAt }, email) =>
        state === 'visible' && visibleAt <= now
          ? [{ kind: 'deliver', process, email, isTrouble: false } as const]
          : [],
      ),
    );
  const kills = (): readonly Choice[] =>
    left === 0
      ? []
      : clocksMs.flatMap((_ahead, process) => {
          if (!isBusy(process)) return [];
          const own = processes.steps().filter((step) => step.process === process);
          // What changes something has happened or not.
          const ways = own.reduce<readonly (readonly boolean[])[]>(
            (before, { what }) =>
              before.flatMap((way) =>
                ['lanes.write', 'claim', 'send'].includes(kindOf(what))
                  ? [
                      [...way, false],
                      [...way, true],
                    ]
                  : [[...way, false]],
              ),
            [[]],
          );
          return ways.map((happens) => ({ kind: 'kill', process, happens, isTrouble: true }) as const);
        });
  const passing = (isUrgent: boolean): readonly Choice[] => {
    if (isUrgent) {
      // What is on its way to Graph arrives.
      const isGoing = processes.steps().some(({ what }) => kindOf(what) === 'send');
      return left === 0 || isGoing ? [] : [{ kind: 'wait', ms: SLOW_MS, isTrouble: true }];
    }
    const times = [
      ...emails.flatMap(({ state, visibleAt }) => (state === 'visible' ? [visibleAt] : [])),
      ...processes.steps().flatMap(({ what }) => (kindOf(what) === 'sleep' ? [wakesAt(what)] : [])),
    ].filter((time) => time > now);
    return times.length === 0 ? [] : [{ kind: 'wait', ms: Math.min(...times) - now, isTrouble: false }];
  };

  return {
    choices: () => {
      if (isOver()) return [];
      const urgent = [...stepsNow(), ...deliveries()];
      return [...urgent, ...kills(), ...passing(urgent.length > 0)];
    },
    take: async (choice) => {
      if (choice.isTrouble) left -= 1;
      switch (choice.kind) {
        case 'step':
          coverage.add(`${kindOf(choice.what)} ${choice.fate}`);
          tell(`${choice.what} ${choice.fate}`);
          await processes.take(choice.index, choice.fate);
          return;
        case 'deliver':
          tell(`email ${choice.email} to instance ${choice.process}`);
          return deliver(choice.process, choice.email);
        case 'kill':
          processes
            .steps()
            .filter((step) => step.process === choice.process)
            .forEach(({ what }, index) => {
              coverage.add(`kill ${choice.happens[index] ? 'after' : 'at'} ${kindOf(what)}`);
            });
          return kill(choice.process, choice.happens);
        case 'wait':
          coverage.add(choice.isTrouble ? 'slow' : 'wait');
          now += choice.ms;
      }
    },
    state: () => {
      const running = clocksMs.map((_ahead, process) => processes.stateOf(process));
      const recent = starts.filter((at) => at > now - MINUTE_MS);
      const whole = [now, left, alone, recent, lives, emails, [...holders].toSorted(), [...lanes.all()]];
      return hash('sha1', JSON.stringify([running, whole]), 'base64url');
    },
    save: () => {
      const [time, troublesLeft, alones, begun, lines] = [now, left, alone, starts, history.length];
      const [counts, copies, held] = [[...lives], emails.map((email) => ({ ...email })), [...holders]];
      const back = [lanes.save(), processes.save()];
      return () => {
        [now, left, alone, starts] = [time, troublesLeft, alones, begun];
        history.splice(lines);
        lives.splice(0, lives.length, ...counts);
        copies.forEach((copy, number) => {
          Object.assign(emails[number] as Email, copy);
        });
        holders.clear();
        for (const [number, process] of held) holders.set(number, process);
        for (const restore of back) restore();
      };
    },
    faults: () => [
      ...(now - START > LATEST_MS ? ['an email has not ended after 30 minutes'] : []),
      ...crowded(starts, perMinute + alone),
    ],
    end: async () => (isOver() ? [] : ['an email has not ended, and nothing is left that could happen']),
    history: () => history.join('\n'),
  };
};

/** Where more starts than this are within a minute by Graph's clock. An instance without storage may add one that nobody knows of. */
const crowded = (starts: readonly number[], most: number): readonly string[] =>
  starts.flatMap((start, index) =>
    (starts[index + most] ?? Number.POSITIVE_INFINITY) - start < MINUTE_MS
      ? [`more than ${most} emails went to Graph in the minute from ${(start - START) / 1000} s`]
      : [],
  );
