import type { Figures, Requests } from './figures.ts';

/** List prices of 2026 in US dollars, in a large region, without free grants; docs/costs.md has the same table. */
export const PRICES = {
  gbSeconds: { what: 'Functions, Flex Consumption: a million GB-seconds', dollars: 26, per: 1_000_000 },
  executions: { what: 'Functions, Flex Consumption: a million executions', dollars: 0.4, per: 1_000_000 },
  table: { what: 'Table Storage (LRS): 10,000 requests', dollars: 0.000_36, per: 10_000 },
  queue: { what: 'Queue Storage (LRS): 10,000 requests', dollars: 0.004, per: 10_000 },
  blob: { what: 'Blob Storage (LRS, hot): 10,000 writes', dollars: 0.055, per: 10_000 },
  logGb: { what: 'Azure Monitor: a GB of log', dollars: 2.3, per: 1 },
} as const;

/** Microsoft sets prices in euro by itself; in 2026 they were about this part of those in dollars. */
export const EURO_PER_DOLLAR = 0.92;

/** As docs/costs.md has it. */
const LOG_KB_PER_EMAIL = 12;

export const tableRequests = (requests: Requests): number =>
  requests.ledgerReads +
  requests.ledgerWrites +
  requests.laneReads +
  requests.laneWrites +
  requests.otherTable;

export const queueRequests = (requests: Requests): number =>
  requests.queuePuts + requests.queueGets + requests.queueDeletes + requests.queueOthers;

export type Cost = { readonly what: string; readonly amount: number; readonly euros: number };

/** What the day costs in euros. */
export const toCosts = ({ emails, requests, executions, gbSeconds }: Figures): readonly Cost[] => {
  const cost = (what: string, amount: number, price: keyof typeof PRICES): Cost => ({
    what,
    amount,
    euros: (amount / PRICES[price].per) * PRICES[price].dollars * EURO_PER_DOLLAR,
  });
  return [
    cost('GB-seconds', gbSeconds.billed, 'gbSeconds'),
    cost('executions', executions.http + executions.queue + executions.other, 'executions'),
    cost('table requests', tableRequests(requests), 'table'),
    cost('queue requests', queueRequests(requests), 'queue'),
    cost('blob requests', requests.blobs, 'blob'),
    cost('GB of log', (emails * LOG_KB_PER_EMAIL) / 1_000_000, 'logGb'),
  ];
};
