import { toTable } from '../print-table.ts';
import { BURSTS } from './day-plan.ts';
import type { Delays, Figures } from './figures.ts';
import { queueRequests, tableRequests, toCosts } from './prices.ts';

const whole = (figure: number): string => Math.round(figure).toLocaleString('en-US');
const money = (figure: number): string => figure.toFixed(2);

const span = (seconds: number): string => {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

const ofDelays = ({ emails, p50, p95, p99, most }: Delays): readonly string[] => [
  whole(emails),
  ...(emails === 0 ? ['-', '-', '-', '-'] : [p50, p95, p99, most].map(span)),
];

/** What is printed of a day. Its rows are always the same; only figures differ. */
export const toReport = (figures: Figures): string => {
  const { options, emails, verdict, requests, graph, executions, gbSeconds, peaks, ended, own } = figures;
  const { sent = 0, held = 0, ...others } = verdict.states;
  const other = Object.values(others).reduce((sum, one) => sum + one, 0);
  const repeats = Object.values(figures.repeats).reduce((sum, one) => sum + one, 0);
  const each = (count: number): string => (count / emails).toFixed(2);
  const costs = toCosts(figures);
  const total = costs.reduce((sum, { euros }) => sum + euros, 0);
  const sections = [
    [
      `A day: ${whole(emails)} emails, ${options.mailboxes} mailboxes, ${options.instances} instances, seed ${options.seed}`,
      ...BURSTS.map(({ name, part }) => `  ${whole(emails * part)} of them are ${name}`),
    ],
    toTable('Promises', [
      ['', 'broken'],
      ...verdict.promises.map(({ what, broken }) => [what, broken === 0 ? 'kept' : whole(broken)]),
    ]),
    toTable('Outcome of the emails', [
      ['', 'emails'],
      ['sent', whole(sent)],
      ['held with a reason', whole(held)],
      ['anything else', whole(other)],
      ['hours until the last one ended', figures.endedAfterHours.toFixed(1)],
    ]),
    toTable('Delay, from the application to Exchange', [
      ['priority', 'emails', 'p50', 'p95', 'p99', 'most'],
      ...figures.delays.map(({ priority, delays }) => [priority, ...ofDelays(delays)]),
    ]),
    toTable('Delay by the hour in which the email was received (p50 and p99)', [
      ['hour', 'emails', 'high', '', 'normal', '', 'bulk', ''],
      ...figures.hours.map(({ hour, offered, delays }) => [
        `${String(hour).padStart(2, '0')}:00`,
        whole(offered),
        ...delays.flatMap((one) => (one.emails === 0 ? ['-', '-'] : [span(one.p50), span(one.p99)])),
      ]),
    ]),
    toTable('Requests', [
      ['', 'requests', 'for each email'],
      ['ledger, read', whole(requests.ledgerReads), each(requests.ledgerReads)],
      ['ledger, written', whole(requests.ledgerWrites), each(requests.ledgerWrites)],
      ['lanes of mailboxes, read', whole(requests.laneReads), each(requests.laneReads)],
      ['lanes of mailboxes, written', whole(requests.laneWrites), each(requests.laneWrites)],
      ['other rows, and the sweep', whole(requests.otherTable), each(requests.otherTable)],
      ['all of the table', whole(tableRequests(requests)), each(tableRequests(requests))],
      ['queue, put', whole(requests.queuePuts), each(requests.queuePuts)],
      ['queue, asked', whole(requests.queueGets), each(requests.queueGets)],
      ['queue, deleted', whole(requests.queueDeletes), each(requests.queueDeletes)],
      ['all of the queue', whole(queueRequests(requests)), each(queueRequests(requests))],
      ['blobs', whole(requests.blobs), each(requests.blobs)],
      ['Graph, sendMail', whole(graph.send), each(graph.send)],
      ['Graph, looking in Sent Items', whole(graph.find), each(graph.find)],
      ['Graph, refused with 429', whole(graph.throttled), each(graph.throttled)],
    ]),
    toTable('The busiest moment', [
      ['', 'most'],
      ['sendMail of one mailbox in any minute', whole(verdict.mostInAnyMinute)],
      ['table requests in a second', whole(peaks.table)],
      ['of these, of the partition of lanes', whole(peaks.lanes)],
      ['queue requests in a second', whole(peaks.queue)],
      ['entities in a write to the ledger, on average', figures.entitiesEach.toFixed(1)],
    ]),
    toTable('Instances', [
      ['', 'count'],
      ['executions, HTTP', whole(executions.http)],
      ['executions, queue', whole(executions.queue)],
      ['executions, other', whole(executions.other)],
      ['GB-seconds, billed', whole(gbSeconds.billed)],
      ['GB-seconds, busy', whole(gbSeconds.busy)],
      ['instances killed', whole(ended.killed)],
      ['instances replaced in two deployments', whole(ended.replaced)],
      ['instances ended by functionTimeout', whole(ended.timedOut)],
      ['storage requests that failed', whole(figures.storageFailed)],
      ['requests repeated by applications', whole(repeats)],
      ['lanes written by another instance first', whole(figures.laneConflicts)],
    ]),
    toTable('Cost of the day at list prices (docs/costs.md)', [
      ['', 'amount', 'EUR'],
      ...costs.map(({ what, amount, euros }) => [what, whole(amount), money(euros)]),
      ['total', '', money(total)],
    ]),
    [
      'The simulation',
      `  took ${span(own.seconds)}, of which ${span(own.cpuSeconds)} of one processor; ${whole(own.memoryBytes / 1_000_000)} MB of memory`,
    ],
    verdict.promises.flatMap(({ examples }) => examples.map((example) => `  ${example}`)),
  ];
  return `${sections
    .filter(({ length }) => length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
};
