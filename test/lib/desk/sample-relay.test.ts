import { describe, expect, test } from 'vitest';
import { type SampleNeeds, sampleRelay } from '../../../src/lib/desk/sample-relay.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { LogEvent } from '../../../src/lib/log.ts';
import { EXCHANGE_LIMITS } from '../../../src/lib/metrics/mailbox-use.ts';
import type { SecretFacts } from '../../../src/lib/ports.ts';
import { makeFakeCounts } from '../../support/fake-counts.ts';
import { makeFakeSamples } from '../../support/fake-samples.ts';

const START = new Date('2026-03-02T08:00:40Z');
const MINUTE_MS = 60_000;
const ACCEPTED = '["mailrelay.mail.accepted","door","http"]';

const secret = (name: string, expiresOn?: Date, enabled = true): SecretFacts => ({
  name,
  kind: 'secret',
  version: '',
  enabled,
  tags: {},
  ...(expiresOn === undefined ? {} : { expiresOn }),
});

/** A relay whose queues, held emails and vault are as a test says. */
const aRelay = () => {
  let now = START;
  const logged: LogEvent[] = [];
  const requests: string[] = [];
  const state = {
    messages: 0 as number | undefined,
    next: undefined as Date | undefined,
    held: 0,
    secrets: [] as readonly SecretFacts[],
    failing: new Set<string>(),
  };
  const asked = <Value>(what: string, value: () => Value | Promise<Value>): Promise<Value> => {
    requests.push(what);
    return state.failing.has(what)
      ? Promise.reject(new AppError('STORAGE_UNAVAILABLE'))
      : Promise.resolve(value());
  };
  const counts = makeFakeCounts(() => now);
  const samples = makeFakeSamples();
  const needs: SampleNeeds = {
    counts: {
      ...counts,
      read: () => asked('counts.read', () => counts.read()),
      fold: (before) => asked('counts.fold', () => counts.fold(before)),
    },
    samples: {
      ...samples,
      newest: () => asked('samples.newest', () => samples.newest()),
      write: (sample) => asked('samples.write', () => samples.write(sample)),
      expire: (before) => asked('samples.expire', () => samples.expire(before)),
    },
    records: {
      list: (limit) =>
        asked('records.list', () => ({
          records: Array.from({ length: Math.min(limit, state.held) }, (_, number) => ({
            name: `${number}`,
            mailId: `${number}`,
            writtenAt: START,
          })),
          ...(state.held > limit ? { next: 'more' } : {}),
        })),
    },
    queues: {
      mail: {
        put: async () => undefined,
        count: () => asked('queue.count', () => state.messages),
        peek: () => asked('queue.peek', () => state.next && { id: '1', putAt: state.next }),
      },
    },
    poisonQueues: {
      'mail-poison': { put: async () => undefined, count: () => asked('poison.count', () => 2) },
    },
    mailboxLimits: EXCHANGE_LIMITS,
    vault: { listSecrets: () => asked('vault.list', () => state.secrets) },
    clock: { now: () => now, sleep: async () => undefined },
    log: (event) => void logged.push(event),
  };
  return {
    state,
    counts,
    samples,
    logged,
    requests,
    sample: () => sampleRelay(needs),
    sampleWithoutVault: () => {
      const { vault: _, ...others } = needs;
      return sampleRelay(others);
    },
    pass: (minutes: number) => {
      now = new Date(now.getTime() + minutes * MINUTE_MS);
    },
  };
};

describe('a sample', () => {
  test('says what waits, what is held, when secrets expire and what was counted, and tells the log', async () => {
    const relay = aRelay();
    Object.assign(relay.state, {
      messages: 7,
      next: new Date('2026-03-02T07:50:40Z'),
      held: 3,
      secrets: [
        secret('later', new Date('2026-06-01T00:00:00Z')),
        secret('sooner', new Date('2026-03-12T00:00:00Z')),
        secret('undated'),
        secret('disabled', new Date('2026-03-03T00:00:00Z'), false),
      ],
    });
    await relay.counts.write(
      'a',
      { tally: { counts: { [ACCEPTED]: 9 }, distributions: {} }, mailboxes: [] },
      true,
    );
    await relay.sample();
    expect(relay.samples.all()).toMatchObject([
      {
        at: START.toISOString(),
        queues: [{ queue: 'mail', messages: 7, waitingSince: '2026-03-02T07:50:40.000Z' }],
        poisonMessages: 2,
        held: { count: 3, hasMore: false },
        credentials: { all: [{ credential: 'sooner' }, { credential: 'later' }] },
        mailboxes: [],
        totals: { accepted: 9 },
      },
    ]);
    expect(relay.logged).toMatchObject([
      { event: 'Metrics', queueMessages: 7, queueAge: 600, held: 3, secretDaysLeft: 10, accepted: 9 },
    ]);
  });

  test('is made of what could be read, and fails only where it cannot be written', async () => {
    const relay = aRelay();
    for (const call of [
      'counts.read',
      'records.list',
      'queue.count',
      'poison.count',
      'vault.list',
      'samples.newest',
    ])
      relay.state.failing.add(call);
    await relay.sample();
    expect(relay.samples.all()).toEqual([{ at: START.toISOString(), queues: [] }]);
    relay.state.failing.add('samples.write');
    await expect(relay.sample()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  test('takes the time that a message was hidden for no age: it waits since it could be seen', async () => {
    const relay = aRelay();
    await relay.sample();
    relay.pass(5);
    Object.assign(relay.state, { messages: 1, next: new Date('2026-03-01T00:00:00Z') });
    await relay.sample();
    expect(relay.logged.at(-1)).toMatchObject({ queueAge: 300 });
    relay.pass(5);
    await relay.sample();
    expect(relay.logged.at(-1)).toMatchObject({ queueAge: 600 });
  });

  test('of more held emails than one request lists says that there are more', async () => {
    const relay = aRelay();
    relay.state.held = 6000;
    await relay.sampleWithoutVault();
    expect(relay.samples.all()).toMatchObject([{ held: { count: 5000, hasMore: true } }]);
    expect(relay.samples.all()[0]).not.toHaveProperty('credentials');
  });
});

describe('a day of samples', () => {
  test('makes seven calls to storage every five minutes and two every hour, and asks the vault once an hour', async () => {
    const relay = aRelay();
    Object.assign(relay.state, { messages: 1, next: START });
    await relay.sample();
    relay.requests.length = 0;
    for (let run = 0; run < 288; run += 1) {
      relay.pass(5);
      await relay.sample();
    }
    const vault = relay.requests.filter((one) => one === 'vault.list').length;
    expect([relay.requests.length - vault, vault]).toEqual([288 * 7 + 24 * 2, 24]);
  });

  test('keeps two days of them, and folds what instances counted that ended a day ago', async () => {
    const relay = aRelay();
    await relay.counts.write(
      'a',
      { tally: { counts: { [ACCEPTED]: 4 }, distributions: {} }, mailboxes: [] },
      true,
    );
    for (let run = 0; run < 3 * 288; run += 1) {
      await relay.sample();
      relay.pass(5);
    }
    const oldest = Date.parse(relay.samples.all().at(-1)?.at ?? '');
    const newest = Date.parse(relay.samples.all()[0]?.at ?? '');
    expect((newest - oldest) / 3_600_000).toBeGreaterThanOrEqual(48);
    expect((newest - oldest) / 3_600_000).toBeLessThan(49);
    expect(
      await relay.counts.write('a', { tally: { counts: {}, distributions: {} }, mailboxes: [] }, false),
    ).toMatchObject({
      folded: { counts: { [ACCEPTED]: 4 } },
    });
  });

  test('goes on with the dates that are known while the vault does not answer', async () => {
    const relay = aRelay();
    relay.state.secrets = [secret('one', new Date('2026-03-12T00:00:00Z'))];
    await relay.sample();
    relay.state.failing.add('vault.list');
    relay.pass(24 * 60);
    await relay.sample();
    expect(relay.logged.map((event) => 'secretDaysLeft' in event && event.secretDaysLeft)).toEqual([10, 9]);
  });
});
