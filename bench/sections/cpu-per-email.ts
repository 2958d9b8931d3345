import type { Aim } from '../aims.ts';
import { buildApp } from '../app-folder.ts';
import { closedLoop } from '../closed-loop.ts';
import { startBenchCloud, startBenchStorage } from '../cloud.ts';
import { type BenchHost, JSON_HEADERS, startHost } from '../host.ts';
import { ms, printTable, times } from '../print-table.ts';
import { startRelay } from '../relay-under-load.ts';
import { type Case, inRounds, medianOf } from '../rounds.ts';
import { mailboxOf, sampleMail } from '../sample-mail.ts';
import { EMPTY_FUNCTION, NAIVE_RELAY, NO_MINUTE_LIMIT, type Section, withOpen } from './section.ts';

const LOOP = { count: 120, concurrency: 8 } as const;
/** A process that has just started compiles more than it works. */
const WARM_UP = { count: 600, concurrency: 8 } as const;
const QUICK_WARM_UP = { count: 250, concurrency: 8 } as const;
const ROUNDS = 15;
const QUICK_ROUNDS = 3;
const AIM = 1.6;

const ROWS = {
  empty: 'an empty function',
  naive: 'a naive relay, without a ledger',
  relay: 'the relay',
} as const;
type Name = keyof typeof ROWS;

/** CPU that the process of the app spends on an email by HTTP, functions host included, beside a relay of 60 lines. */
export const cpuPerEmail: Section = ({ appFolder, quick, progress }) =>
  withOpen(async (keep) => {
    const cloud = await keep(startBenchCloud());
    const storage = await keep(startBenchStorage());
    await cloud.limit(false);
    const relay = await keep(startRelay(appFolder, cloud, storage, NO_MINUTE_LIMIT));
    const naive = await keep(startRelay(await buildApp(NAIVE_RELAY), cloud, storage, {}));
    const empty = await keep(startHost(await buildApp(EMPTY_FUNCTION), cloud, storage));
    const callEmpty = async (mailbox: string): Promise<void> => {
      const { status } = await empty.client.send(
        'POST',
        '/api/empty',
        JSON_HEADERS,
        JSON.stringify(sampleMail(mailbox)),
      );
      if (status !== 200) throw new Error(`The empty function returned ${status} instead of 200.`);
    };
    const subjects: readonly {
      readonly name: Name;
      readonly host: BenchHost;
      readonly call: (mailbox: string) => Promise<void>;
    }[] = [
      { name: 'empty', host: empty, call: callEmpty },
      { name: 'naive', host: naive, call: naive.post },
      { name: 'relay', host: relay, call: relay.post },
    ];
    for (const { name, call } of subjects) {
      progress(`cpu: warming up ${ROWS[name]}`);
      await closedLoop(quick ? QUICK_WARM_UP : WARM_UP, (index) => call(mailboxOf(index)));
    }
    const cases = subjects.map(
      ({ name, host, call }): Case<Name> => ({
        name,
        measure: async () => {
          const before = await host.readUse();
          await closedLoop(LOOP, (index) => call(mailboxOf(index)));
          const after = await host.readUse();
          return (after.cpuMs - before.cpuMs) / LOOP.count;
        },
      }),
    );
    const rounds = await inRounds(quick ? QUICK_ROUNDS : ROUNDS, cases, (line) => progress(`cpu: ${line}`));
    const ofNaive = (name: Name) => medianOf(rounds, (figure) => figure(name) / figure('naive'));
    printTable(`CPU per email by HTTP, ${LOOP.concurrency} simultaneous requests, functions host included`, [
      ['', 'CPU per email', 'of naive'],
      ...subjects.map(({ name }) => [
        ROWS[name],
        ms(medianOf(rounds, (figure) => figure(name))),
        times(ofNaive(name)),
      ]),
    ]);
    return [
      { what: 'CPU per email: relay / naive relay', figure: ofNaive('relay'), limit: { atMost: AIM } },
    ] satisfies Aim[];
  });
