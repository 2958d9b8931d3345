import type { Aim } from '../aims.ts';
import { buildApp } from '../app-folder.ts';
import { closedLoop } from '../closed-loop.ts';
import { startBenchCloud, startBenchStorage } from '../cloud.ts';
import { startHost } from '../host.ts';
import { ms, perSecond, printTable, times } from '../print-table.ts';
import { openRawEmail } from '../raw-email.ts';
import { startRelay } from '../relay-under-load.ts';
import { type Case, inRounds, medianOf } from '../rounds.ts';
import { mailboxOf } from '../sample-mail.ts';
import { EMPTY_FUNCTION, NO_MINUTE_LIMIT, type Section, withOpen } from './section.ts';

/**
 * One caller at a time shows what a mail takes, eight at once what a machine carries; and with Graph as far away as
 * it is, what of that a caller notices. Few mails, so that the cases of a round meet the same machine.
 */
const SCENARIOS = [
  { concurrency: 1, latencyMs: 0, count: 25 },
  { concurrency: 8, latencyMs: 0, count: 80 },
  { concurrency: 8, latencyMs: 100, count: 40 },
] as const;
const ROUNDS = 25;
const QUICK_ROUNDS = 3;
const AIM = 0.8;

const ROWS = {
  graph: 'raw request to Graph',
  rows: 'two raw table writes',
  empty: 'an empty function',
  raw: 'baseline: all of these',
  http: 'POST /api/mail',
} as const;
type Name = keyof typeof ROWS;

/** An email by HTTP against the raw requests that it cannot do without. */
export const httpPath: Section = ({ appFolder, quick, progress }) =>
  withOpen(async (keep) => {
    const cloud = await keep(startBenchCloud());
    const storage = await keep(startBenchStorage());
    const relay = await keep(startRelay(appFolder, cloud, storage, NO_MINUTE_LIMIT));
    const empty = await keep(startHost(await buildApp(EMPTY_FUNCTION), cloud, storage));
    await cloud.limit(false);
    const raw = await keep(openRawEmail(cloud, storage, empty));

    const aims: Aim[] = [];
    for (const loop of SCENARIOS) {
      const { concurrency, latencyMs } = loop;
      await cloud.delay(latencyMs);
      const title = `${concurrency} simultaneous requests, Graph takes ${latencyMs} ms`;
      const cases: Case<Name>[] = [
        { name: 'graph', measure: () => closedLoop(loop, (index) => raw.callGraph(mailboxOf(index))) },
        { name: 'rows', measure: () => closedLoop(loop, raw.writeRows) },
        {
          name: 'empty',
          measure: () => closedLoop(loop, (index) => raw.callEmptyFunction(mailboxOf(index))),
        },
        { name: 'raw', measure: () => closedLoop(loop, (index) => raw.send(mailboxOf(index))) },
        { name: 'http', measure: () => closedLoop(loop, (index) => relay.post(mailboxOf(index))) },
      ];
      const rounds = await inRounds(quick ? QUICK_ROUNDS : ROUNDS, cases, (line) =>
        progress(`http, ${title}: ${line}`),
      );

      const row = (name: Name) => {
        const msPerMail = medianOf(rounds, (figure) => figure(name));
        const share = medianOf(rounds, (figure) => figure('raw') / figure(name));
        return [ROWS[name], ms(msPerMail), perSecond(msPerMail), times(share)];
      };
      printTable(`HTTP path, ${title}`, [
        ['', 'per email', 'rate', 'baseline / this'],
        ...(Object.keys(ROWS) as Name[]).map(row),
      ]);
      aims.push({
        what: `HTTP path, ${title}: baseline / relay`,
        figure: medianOf(rounds, (figure) => figure('raw') / figure('http')),
        limit: { atLeast: AIM },
      });
    }
    return aims;
  });
