import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LedgerGap } from '../../../src/lib/ledger/ledger-gap.ts';
import { isFinal, type LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import type { Fate } from '../../support/stepper.ts';
import { makeSimulatedCloud } from './simulated-cloud.ts';
import { type HttpRequest, makeSimulatedRelay } from './simulated-relay.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MOST_ROUNDS = 4000;

type Act =
  | { readonly kind: 'put'; readonly key: number | null; readonly laterMs: number }
  | { readonly kind: 'post'; readonly key: number; readonly process: number; readonly respondAsync: boolean }
  | { readonly kind: 'deliver' | 'held' | 'sweep'; readonly process: number }
  | { readonly kind: 'step'; readonly one: number; readonly fate: Fate }
  | { readonly kind: 'kill'; readonly process: number; readonly happens: number }
  | { readonly kind: 'wait'; readonly ms: number };

const process = fc.nat({ max: 1 });
const KEYS = 3;
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: fc.constant('step'),
      one: fc.nat({ max: 7 }),
      fate: fc.oneof(
        { weight: 14, arbitrary: fc.constant<Fate>('answered') },
        { weight: 1, arbitrary: fc.constant<Fate>('refused') },
        { weight: 1, arbitrary: fc.constant<Fate>('lost') },
      ),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('deliver'), process }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('put'),
      key: fc.option(fc.nat({ max: KEYS })),
      laterMs: fc.constantFrom(0, 0, 20 * MINUTE_MS, 26 * HOUR_MS),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('post'),
      key: fc.nat({ max: KEYS }),
      process,
      respondAsync: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('held'), process }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep'), process }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill'), process, happens: fc.nat({ max: 255 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      ms: fc.constantFrom(5000, MINUTE_MS, 7 * MINUTE_MS, 20 * MINUTE_MS, 7 * HOUR_MS),
    }),
  },
);

const options = fc.record({
  deliveries: fc.constantFrom<readonly ('standard' | 'exact')[]>(
    ['standard', 'standard'],
    ['exact', 'exact'],
  ),
  sentItemsDelayMs: fc.constantFrom(0, 5000, 10 * MINUTE_MS),
  /** Whether queue messages of before come back too, as where a whole account fails over to an older copy. */
  bringsMessagesBack: fc.boolean(),
});
type Options = typeof options extends fc.Arbitrary<infer Value> ? Value : never;

/** The relay, an application that repeats its requests, and a ledger of which a backup is taken and restored. */
const makeWorld = ({ deliveries, sentItemsDelayMs, bringsMessagesBack }: Options) => {
  const base = makeSimulatedCloud(sentItemsDelayMs);
  let gap: LedgerGap | undefined;
  const written: string[] = [];
  const cloud: typeof base = {
    ...base,
    portsOf: (process, touch) => {
      const ports = base.portsOf(process, touch);
      return {
        ...ports,
        readIdentity: async () => ({ ...IDENTITY, ...(gap === undefined ? {} : { gap }) }),
        mailQueue: {
          ...ports.mailQueue,
          put: (text, delayMs) => {
            written.push(text);
            return ports.mailQueue.put(text, delayMs);
          },
        },
      };
    },
  };
  const relay = makeSimulatedRelay(cloud, { perMinute: 30, leaseMs: MINUTE_MS, deliveries });
  const requests = new Map<number, HttpRequest>();
  const bare = new Set<string>();
  let backup: readonly LedgerRow[] = [];

  const contentOf = (subject: string, laterMs: number) =>
    aMail({
      onUnknown: 'verify',
      subject,
      attachments: [0, 1].map((file) => ({ filename: `file ${file}.txt`, content: 'aGVsbG8=' })),
      ...(laterMs === 0 ? {} : { sendAt: new Date(cloud.now().getTime() + laterMs).toISOString() }),
    });

  const perform = async (next: Act): Promise<void> => {
    switch (next.kind) {
      case 'put': {
        const { key } = next;
        const mail = contentOf(`bare ${key}`, key === null ? next.laterMs : 0);
        const content = key === null ? mail : { ...mail, idempotencyKey: `bare-${key}` };
        const id = cloud.queue.put(JSON.stringify(content), 0, cloud.now());
        bare.add(key === null ? IDENTITY.mailIdOfMessage(id) : IDENTITY.mailIdOfKey('queue', `bare-${key}`));
        return;
      }
      case 'post': {
        const { key, respondAsync } = next;
        const known = requests.get(key) ?? {
          input: contentOf(`post ${key}`, 0),
          key: `key-${key}`,
          respondAsync,
        };
        requests.set(key, known);
        return relay.post(next.process, known, (heard) => {
          cloud.history.push(
            `key-${key} caller hears ${'row' in Object(heard) ? 'an answer' : String(heard)}`,
          );
        });
      }
      case 'deliver':
        return void (await relay.deliver(next.process));
      case 'held':
        return void (await relay.hold(next.process));
      case 'sweep':
        return relay.sweep(next.process);
      case 'step':
        return void (await cloud.processes.take(next.one, next.fate));
      case 'kill':
        return relay.kill(next.process, (index) => (next.happens & (1 << (index % 8))) !== 0);
      case 'wait':
        return relay.wait(next.ms, () => false);
    }
  };

  const quiet = async (): Promise<void> => {
    while (cloud.processes.steps().length > 0) await cloud.processes.take(0, 'answered');
  };

  return {
    perform,
    quiet,
    backUp: (): void => {
      backup = cloud.ledger.rows().map((row) => JSON.parse(JSON.stringify(row)) as LedgerRow);
      cloud.history.push('BACKUP');
    },
    /** The app is stopped, the table emptied and filled, and the time written down: what the command for operators does. */
    restore: async (): Promise<void> => {
      await relay.kill(0, () => true);
      await relay.kill(1, () => true);
      for (const { facts } of cloud.ledger.rows()) {
        const entry = cloud.ledger.find(facts.mailId);
        if (entry !== undefined) cloud.ledger.forget(entry.row, entry.etag);
      }
      for (const row of backup) cloud.ledger.create(row);
      cloud.advanceTo(new Date(cloud.now().getTime() + MINUTE_MS));
      gap = { until: cloud.now(), repeatsUntil: new Date(cloud.now().getTime() + 90 * DAY_MS) };
      if (bringsMessagesBack) for (const text of written.splice(0)) cloud.queue.put(text, 0, cloud.now());
      cloud.history.push('RESTORED');
    },
    /** Everything is delivered, each request is repeated until it is answered, and the sweep runs. */
    finish: async (): Promise<void> => {
      for (const key of requests.keys())
        await perform({ kind: 'post', key, process: 0, respondAsync: false });
      for (let round = 0; round < MOST_ROUNDS; round += 1) {
        await quiet();
        if ((await relay.deliver(round % 2)) || (await relay.hold(round % 2))) continue;
        const next = [cloud.queue.nextVisibleAt(), cloud.poison.nextVisibleAt()]
          .filter((time) => time !== undefined)
          .toSorted((a, b) => a.getTime() - b.getTime())[0];
        if (next !== undefined) {
          cloud.advanceTo(next);
          continue;
        }
        if (cloud.ledger.rows().every(isFinal)) break;
        await relay.wait(HOUR_MS, () => false);
        await relay.sweep(round % 2);
      }
      await quiet();
    },
    broken: (): readonly string[] => {
      const ids = [
        ...bare,
        ...[...requests.values()].map(({ key = '' }) => IDENTITY.mailIdOfKey('key:test', key)),
      ];
      return [
        ...cloud.problems,
        ...cloud.mailboxes.removedAfterSending(),
        ...ids.flatMap((mailId) => {
          const copies = cloud.mailboxes.copies(mailId);
          const row = cloud.ledger.find(mailId)?.row;
          const state = row?.fate.state;
          const isKept = [...cloud.records.values()].some((record) => record.mailId === mailId);
          return [
            ...(copies > 1 ? [`${mailId} was sent ${copies} times`] : []),
            ...(copies === 0 && !isKept && row !== undefined && state !== 'rejected'
              ? [`${mailId} was not sent and is ${state}`]
              : []),
            ...(state === 'sent' && copies === 0 ? [`${mailId} is said to be sent, and was not`] : []),
          ];
        }),
      ];
    },
    history: (): string => `\n${cloud.history.join('\n')}\n`,
  };
};

const acts = fc.array(act, { maxLength: 50, size: 'max' });
const RUNS = Number(globalThis.process.env.MODEL_RUNS ?? 300);
const SEED = Number(globalThis.process.env.MODEL_SEED ?? 20_261_126);

test('whatever a restored ledger has forgotten, no email is sent twice', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(options, acts, acts, acts, async (given, before, lost, after) => {
      const world = makeWorld(given);
      for (const next of before) await world.perform(next);
      world.backUp();
      for (const next of lost) await world.perform(next);
      await world.restore();
      for (const next of after) await world.perform(next);
      await world.finish();
      expect(world.broken(), world.history()).toEqual([]);
    }),
    { numRuns: RUNS, seed: SEED },
  );
});
