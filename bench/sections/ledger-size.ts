import { setTimeout as wait } from 'node:timers/promises';
import type { Aim } from '../aims.ts';
import { startBenchCloud, startBenchStorage } from '../cloud.ts';
import { startCountingProxy, type Traffic } from '../counting-proxy.ts';
import { fillLedger } from '../fill-ledger.ts';
import { printTable, whole } from '../print-table.ts';
import { type RelayUnderLoad, startRelay } from '../relay-under-load.ts';
import { MAILBOXES, sampleMail } from '../sample-mail.ts';
import { type Bench, type Keep, NO_MINUTE_LIMIT, type Section, withOpen } from './section.ts';

/** One row in each partition. */
const SMALLEST = 256;
const QUICK_MOST = 2560;
const EMAILS = 20;
/** Longer than the two minutes after which a sweep stops by itself. */
const SWEEP_LIMIT_MS = 300_000;
const LOOK_EVERY_MS = 100;
/** Ids and times are of one length, so that the bytes differ by what an ETag or a count has more digits. */
const AIM_BYTES = 1.02;

type Cost = { readonly rows: number; readonly sweep: Traffic; readonly emails: Traffic };

/** What a sweep and an email ask of a small ledger and of a large one, counted before the storage. */
export const ledgerSize: Section = (bench) =>
  withOpen(async (keep) => {
    const most = bench.quick ? Math.min(QUICK_MOST, bench.mostRows) : bench.mostRows;
    const costs: Cost[] = [];
    for (const rows of [SMALLEST, most]) costs.push(await costOf(keep, bench, rows));

    printTable('Table requests by rows in the ledger; bytes of requests and responses', [
      ['rows', 'sweep', 'bytes', `${EMAILS} emails by HTTP`, 'bytes'],
      ...costs.map(({ rows, sweep, emails }) => [
        whole(rows),
        whole(sweep.requests),
        whole(sweep.bytes),
        whole(emails.requests),
        whole(emails.bytes),
      ]),
    ]);
    const [small, large] = costs as [Cost, Cost];
    const ratio = (what: keyof Omit<Cost, 'rows'>, figure: keyof Traffic) =>
      large[what][figure] / small[what][figure];
    const sizes = `${large.rows} rows of ${small.rows}`;
    return [
      { what: `Sweep, table requests, ${sizes}`, figure: ratio('sweep', 'requests'), limit: { equal: 1 } },
      { what: `Sweep, bytes, ${sizes}`, figure: ratio('sweep', 'bytes'), limit: { atMost: AIM_BYTES } },
      { what: `Email, table requests, ${sizes}`, figure: ratio('emails', 'requests'), limit: { equal: 1 } },
      {
        what: `Email, bytes, ${sizes}`,
        figure: ratio('emails', 'bytes'),
        limit: { atMost: AIM_BYTES },
      },
    ] satisfies Aim[];
  });

const costOf = async (keep: Keep, { appFolder, progress }: Bench, rows: number): Promise<Cost> => {
  const cloud = await keep(startBenchCloud());
  await cloud.limit(false);
  const storage = await keep(startBenchStorage());
  const table = /TableEndpoint=([^;]+)/.exec(storage.connectionString)?.[1] ?? '';
  const proxy = await keep(startCountingProxy(table));
  const counted = { connectionString: storage.connectionString.replace(table, proxy.url) };
  const relay = await keep(startRelay(appFolder, cloud, counted, NO_MINUTE_LIMIT));

  const template = await sendOne(relay);
  // The first sweep of a ledger looks once for rows of an earlier layout, while there is one row.
  await sweep(relay);
  const start = performance.now();
  await fillLedger(storage, template, rows - 1);
  progress(`ledger: ${rows} rows written in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  const swept = await proxy.count(() => sweep(relay));
  progress(`ledger: a sweep of ${rows} rows made ${swept.requests} requests`);
  const emails = await proxy.count(async () => {
    for (let sent = 0; sent < EMAILS; sent += 1) await sendOne(relay);
  });
  return { rows, sweep: swept, emails };
};

/** Gives its id. */
const sendOne = async (relay: RelayUnderLoad): Promise<string> => {
  const { status, text } = await relay.postBody(JSON.stringify(sampleMail(MAILBOXES[0] ?? '')));
  if (status !== 200) throw new Error(`POST /api/mail returned ${status} instead of 200: ${text}`);
  return (JSON.parse(text) as { id: string }).id;
};

/** Runs a sweep to its end. One that ran out of time has asked for less than all, and says so. */
const sweep = async (relay: RelayUnderLoad): Promise<void> => {
  const before = relay.sweeps.length;
  await relay.startTimer('sweepMail');
  const deadline = performance.now() + SWEEP_LIMIT_MS;
  while (relay.sweeps.length === before) {
    if (performance.now() > deadline) throw new Error('Expected the end of a sweep, received no event.');
    await wait(LOOK_EVERY_MS);
  }
  const last = relay.sweeps.at(-1) ?? '';
  if (!last.includes('"unfinished":0'))
    throw new Error(
      `The storage stand-in was too slow for a whole sweep; measure a smaller ledger with --rows. ${last}`,
    );
};
