import type { Ports } from '../ports.ts';
import type { SendReport } from '../sending/send-outcome.ts';

/** What the parts of sending took, in milliseconds, and what Graph last said. */
export type Measures = { ledgerMs: number; graphMs: number; report?: SendReport };

type Measured = Pick<Ports, 'ledger' | 'mailboxes' | 'drafts'>;

/** The same ports, which also say how long they took. */
export const measured = (
  { ledger, mailboxes, drafts }: Measured,
  now: () => Date,
  measures: Measures,
): Measured => {
  const timed =
    <Inputs extends unknown[], Value>(
      part: 'ledgerMs' | 'graphMs',
      call: (...inputs: Inputs) => Promise<Value>,
    ) =>
    async (...inputs: Inputs): Promise<Value> => {
      const startedAt = now().getTime();
      try {
        return await call(...inputs);
      } finally {
        measures[part] += now().getTime() - startedAt;
      }
    };
  /** Of the requests that send: their answer is the one that counts. */
  const sending =
    <Inputs extends unknown[]>(call: (...inputs: Inputs) => Promise<SendReport>) =>
    async (...inputs: Inputs): Promise<SendReport> => {
      const report = await timed('graphMs', call)(...inputs);
      measures.report = report;
      return report;
    };
  return {
    ledger: {
      ...ledger,
      find: timed('ledgerMs', ledger.find),
      create: (row) => timed('ledgerMs', () => ledger.create(row))(),
      replace: (row, etag) => timed('ledgerMs', () => ledger.replace(row, etag))(),
    },
    mailboxes: { ...mailboxes, send: sending(mailboxes.send) },
    drafts: { ...drafts, create: timed('graphMs', drafts.create), send: sending(drafts.send) },
  };
};
