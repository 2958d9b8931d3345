import { setTimeout as wait } from 'node:timers/promises';
import type { LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import type { Copies } from './books.ts';
import { inParallel } from './in-parallel.ts';

const LOOK_AGAIN_MS = 100;

const call = async (url: string, path: string, body: unknown = {}): Promise<void> => {
  const answer = await fetch(`${url}/api/mail/${path}`, {
    method: 'POST',
    headers: { 'x-functions-key': KEYS.masterKey, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`the desk was answered ${answer.status}: ${text}`);
};

/** Does what a person would: closes what was sent after all, and has sent what was not. Gives the ids of the latter. */
export const clearDesk = async (
  anyUrl: () => string | undefined,
  rows: readonly LedgerRow[],
  copies: ReadonlyMap<string, Copies>,
): Promise<readonly string[]> => {
  while (anyUrl() === undefined) await wait(LOOK_AGAIN_MS);
  const held = rows.filter(({ fate }) => fate.state === 'held').map(({ facts }) => facts.mailId);
  await inParallel(held, async (mailId) => {
    const url = anyUrl() ?? '';
    if (copies.has(mailId)) await call(url, `${mailId}/close`, { note: 'found in Sent Items' });
    else await call(url, `${mailId}/replay`);
  });
  return held.filter((mailId) => !copies.has(mailId));
};
