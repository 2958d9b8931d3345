import type { HeldRecord } from '../../src/lib/ledger/held-record.ts';
import { isIn, type LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import type { MailStory } from '../support/mail-promises.ts';
import type { Copies } from './books.ts';
import type { GivenMail } from './callers.ts';

export type Evidence = {
  readonly rows: readonly LedgerRow[];
  readonly copies: ReadonlyMap<string, Copies>;
  /** Mails of which the relay itself said that nobody knows. */
  readonly doubted: ReadonlySet<string>;
  readonly record: (name: string) => Promise<HeldRecord>;
  /** How wrong a clock of an instance can have been: by so much an email may be early. */
  readonly clockErrorMs: number;
};

/** What became of every mail that was given to the relay. */
export const tellStories = async (
  given: readonly GivenMail[],
  { rows, copies, doubted, record, clockErrorMs }: Evidence,
): Promise<readonly MailStory[]> => {
  const rowOf = new Map(rows.map((row) => [row.facts.mailId, row]));
  const records: HeldRecord[] = [];
  for (const row of rows) if (isIn(row, 'held')) records.push(await record(row.fate.record));

  return given.map(({ plan, mailId, content, accepted, toldSent, toldCanceled }) => {
    const json = JSON.stringify(content);
    // A bare message that never got into the ledger is held under the id it has on the poison queue.
    const found = records.find(({ original }) => JSON.stringify(original) === json);
    const ids = new Set([mailId, found?.mailId ?? mailId]);
    const sent = [...ids].flatMap((id) => copies.get(id) ?? []);
    return {
      mailId,
      policy: plan.policy,
      accepted,
      toldSent,
      toldCanceled,
      mayBeCanceled: plan.cancel,
      isEarly: sent.some(({ firstAtMs }) => firstAtMs + clockErrorMs < Date.parse(content.sendAt ?? '')),
      doubted: doubted.has(mailId) || plan.graphFaults.some(({ inDoubt }) => inDoubt),
      replays: 0,
      copies: sent.reduce((sum, { count }) => sum + count, 0),
      row: rowOf.get(mailId) ?? rowOf.get(found?.mailId ?? ''),
      recorded: found?.original,
      content,
    };
  });
};
