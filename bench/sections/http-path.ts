import type { Aim } from '../aims.ts';
import { closedLoop } from '../closed-loop.ts';
import { startBenchCloud, startBenchStorage } from '../cloud.ts';
import { openLedgerWrites } from '../ledger-writes.ts';
import { ms, perSecond, printTable, times } from '../print-table.ts';
import { openRawPost } from '../raw-post.ts';
import { startRelay } from '../relay-under-load.ts';
import { type Case, inRounds, medianOf } from '../rounds.ts';
import { mailboxOf } from '../sample-mail.ts';
import { NO_MINUTE_LIMIT, type Section, withOpen } from './section.ts';

/**
 * One caller at a time shows what a mail takes, eight at once what a machine carries; and with Graph as far away as
 * it is, what of that a caller notices. Few mails, so that the cases of a round meet the same machine.
 */
const SCENARIOS = [
  { concurrency: 1, latencyMs: 0, count: 25 },
  { concurrency: 8, latencyMs: 0, count: 80 },
  { concurrency: 8, latencyMs: 100, count: 40 },
] as const;
const AIM = 0.8;

const ROWS = {
  raw: '(a) raw POST to Graph',
  writes: 'the two ledger writes',
  host: 'a function that does nothing',
  http: '(b) POST /api/mail',
} as const;
type Name = keyof typeof ROWS;

/** (a) and (b): a mail by HTTP against the same mail posted to Graph, and the two ledger writes between. */
export const httpPath: Section = ({ appFolder, quick, progress }) =>
  withOpen(async (keep) => {
    const cloud = await keep(startBenchCloud());
    const storage = await keep(startBenchStorage());
    const relay = await keep(startRelay(appFolder, cloud, storage, NO_MINUTE_LIMIT));
    await cloud.limit(false);
    const post = await openRawPost(cloud);
    const write = openLedgerWrites(storage);

    const aims: Aim[] = [];
    for (const loop of SCENARIOS) {
      const { concurrency, latencyMs } = loop;
      await cloud.delay(latencyMs);
      const title = `${concurrency} simultaneous requests, Graph takes ${latencyMs} ms`;
      const cases: Case<Name>[] = [
        { name: 'raw', measure: () => closedLoop(loop, (index) => post(index)) },
        { name: 'writes', measure: () => closedLoop(loop, write) },
        { name: 'host', measure: () => closedLoop(loop, relay.callHealth) },
        { name: 'http', measure: () => closedLoop(loop, (index) => relay.post(mailboxOf(index))) },
      ];
      const rounds = await inRounds(quick ? 5 : 25, cases, (line) => progress(`a, b, ${title}: ${line}`));

      const row = (name: Name) => {
        const msPerMail = medianOf(rounds, (figure) => figure(name));
        const ofRaw = medianOf(rounds, (figure) => figure('raw') / figure(name));
        return [ROWS[name], ms(msPerMail), perSecond(msPerMail), times(ofRaw), ''];
      };
      const ratio = medianOf(rounds, (figure) => (figure('raw') + figure('writes')) / figure('http'));
      printTable(`HTTP path, ${title}`, [
        ['', 'per mail', 'rate', 'of (a)', 'aim'],
        row('raw'),
        row('writes'),
        row('host'),
        row('http'),
        ['((a) + writes) / (b)', '', '', times(ratio), `>= ${times(AIM)}`],
      ]);
      aims.push({
        what: `HTTP path, ${title}: ((a) + writes) / (b)`,
        figure: ratio,
        limit: { atLeast: AIM },
      });
    }
    return aims;
  });
