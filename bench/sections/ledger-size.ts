import { closedLoop } from '../closed-loop.ts';
import { startBenchCloud, startBenchStorage } from '../cloud.ts';
import { fillLedger } from '../fill-ledger.ts';
import { openLedgerWrites } from '../ledger-writes.ts';
import { ms, printTable, times } from '../print-table.ts';
import { startRelay } from '../relay-under-load.ts';
import { type Case, inRounds, medianOf } from '../rounds.ts';
import { mailboxOf } from '../sample-mail.ts';
import { NO_MINUTE_LIMIT, type Section, withOpen } from './section.ts';

const SIZES = [1000, 10_000, 100_000] as const;
const QUICK_MOST = 10_000;
const CONCURRENCY = 4;
/** Flat, and room for what a machine does besides. */
const AIM_GROWTH = 1.25;
/** Few, so that the smallest ledger does not become a large one while it is measured. */
const MAILS_PER_ROUND = 30;

/** (e): ledgers of different sizes, each with its own storage and relay, measured in turn. */
export const ledgerSize: Section = ({ appFolder, quick, mostRows, progress }) =>
  withOpen(async (keep) => {
    const cloud = await keep(startBenchCloud());
    await cloud.limit(false);
    const sizes = SIZES.filter((size) => size <= (quick ? QUICK_MOST : mostRows));
    const cases: Case[] = [];
    for (const size of sizes) {
      const storage = await keep(startBenchStorage());
      const start = performance.now();
      await fillLedger(storage, size);
      progress(`e: ${size} rows written in ${((performance.now() - start) / 1000).toFixed(1)} s`);
      const relay = await keep(startRelay(appFolder, cloud, storage, NO_MINUTE_LIMIT));
      const loop = { count: MAILS_PER_ROUND, concurrency: CONCURRENCY };
      const write = openLedgerWrites(storage);
      cases.push(
        { name: `mail ${size}`, measure: () => closedLoop(loop, (index) => relay.post(mailboxOf(index))) },
        { name: `writes ${size}`, measure: () => closedLoop(loop, write) },
      );
    }
    const rounds = await inRounds(quick ? 3 : 15, cases, (line) => progress(`e: ${line}`));

    const ownCost = (size: number) =>
      medianOf(rounds, (figure) => figure(`mail ${size}`) - figure(`writes ${size}`));
    printTable(`(e) Cost of an email by HTTP by rows in the ledger, ${CONCURRENCY} simultaneous requests`, [
      [
        'rows',
        'per mail',
        'of the smallest',
        'two writes alone',
        'of the smallest',
        'mail less writes',
        'aim',
      ],
      ...sizes.map((size) => {
        const [mail, writes] = [`mail ${size}`, `writes ${size}`];
        return [
          String(size),
          ms(medianOf(rounds, (figure) => figure(mail))),
          times(medianOf(rounds, (figure) => figure(mail) / figure(`mail ${SIZES[0]}`))),
          ms(medianOf(rounds, (figure) => figure(writes))),
          times(medianOf(rounds, (figure) => figure(writes) / figure(`writes ${SIZES[0]}`))),
          ms(ownCost(size)),
          'flat',
        ];
      }),
    ]);
    const [smallest = 0, largest = smallest] = [sizes[0], sizes.at(-1)];
    return [
      {
        what: `(e) mail less writes, ${largest} rows of ${smallest}`,
        figure: ownCost(largest) / ownCost(smallest),
        limit: { atMost: AIM_GROWTH },
      },
    ];
  });
