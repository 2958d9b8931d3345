import { setTimeout as wait } from 'node:timers/promises';
import type { LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import type { Copies } from './books.ts';
import { inParallel } from './in-parallel.ts';

const LOOK_AGAIN_MS = 100;

const ASK_AGAIN_MS = 500;
const MOST_TRIES = 120;

/** A host that was idle may close a connection at the moment it is used: a person asks again, and it may have been done. */
const call = async (anyUrl: () => string | undefined, path: string, body: unknown = {}): Promise<void> => {
  for (let tries = 1; ; tries += 1)
    try {
      // Where no host runs at the moment, this is no address, and fails as well.
      const answer = await fetch(`${anyUrl() ?? ''}/api/mail/${path}`, {
        method: 'POST',
        headers: { 'x-functions-key': KEYS.masterKey, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      if (answer.ok || (tries > 1 && answer.status === 409)) return;
      throw new Error(`the desk was answered ${answer.status}: ${text}`);
    } catch (error) {
      if (!(error instanceof TypeError) || tries === MOST_TRIES) throw error;
      await wait(ASK_AGAIN_MS);
    }
};

export type Cleared = { readonly replayed: readonly string[]; readonly closed: readonly string[] };

/** Does what a person would: closes what was sent after all, and has sent what was not. */
export const clearDesk = async (
  anyUrl: () => string | undefined,
  rows: readonly LedgerRow[],
  copies: ReadonlyMap<string, Copies>,
): Promise<Cleared> => {
  while (anyUrl() === undefined) await wait(LOOK_AGAIN_MS);
  const held = rows.filter(({ fate }) => fate.state === 'held').map(({ facts }) => facts.mailId);
  const [closed, replayed] = [
    held.filter((mailId) => copies.has(mailId)),
    held.filter((mailId) => !copies.has(mailId)),
  ];
  await inParallel(closed, (mailId) => call(anyUrl, `${mailId}/close`, { note: 'found in Sent Items' }));
  await inParallel(replayed, (mailId) => call(anyUrl, `${mailId}/replay`));
  return { replayed, closed };
};
