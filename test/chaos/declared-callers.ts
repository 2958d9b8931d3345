import { setTimeout as wait } from 'node:timers/promises';
import { KEYS } from '../support/cloud-for-tests.ts';
import type { PlannedMail } from './plan.ts';

/** Gives each email by HTTP and on its own queue, with one key. */
export const TWO_WAYS = 'orders';
/** Has a daily limit that it reaches. */
export const LIMITED = 'reports';
export type DeclaredCaller = typeof TWO_WAYS | typeof LIMITED;

/** Of the emails that it wants to send. */
const LIMIT_SHARE = 0.6;
const ASK_AGAIN_MS = 200;

/** How many emails the limited caller can send in a day. */
export const dailyLimit = (plans: readonly Pick<PlannedMail, 'caller'>[]): number =>
  Math.max(1, Math.floor(plans.filter(({ caller }) => caller === LIMITED).length * LIMIT_SHARE));

/** Declares both as an operator does, and gives their keys. */
export const declareCallers = async (
  anyUrl: () => string | undefined,
  limit: number,
): Promise<ReadonlyMap<DeclaredCaller, string>> => {
  const declare = async (name: DeclaredCaller, limits: object): Promise<string> => {
    let url = anyUrl();
    for (; url === undefined; url = anyUrl()) await wait(ASK_AGAIN_MS);
    const answer = await fetch(`${url}/api/callers`, {
      method: 'POST',
      headers: { 'x-functions-key': KEYS.masterKey, 'content-type': 'application/json' },
      body: JSON.stringify({ name, ...limits }),
    });
    const { key } = (await answer.json()) as { readonly key?: string };
    if (key === undefined) throw new Error(`The caller ${name} was not declared: ${answer.status}.`);
    return key;
  };
  return new Map([
    [TWO_WAYS, await declare(TWO_WAYS, {})],
    [LIMITED, await declare(LIMITED, { mailsPerDay: limit })],
  ]);
};
