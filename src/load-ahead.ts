import { setImmediate } from 'node:timers/promises';

/** What the first email needs, in the order in which it does. Queues and blobs are not among it: most emails need neither. */
const NEEDED_FIRST: readonly (() => Promise<unknown>)[] = [
  () => import('./lib/storage/relay-key.ts'),
  () => import('./lib/storage/ledger-table.ts'),
  () => import('./lib/storage/caller-table.ts'),
  () => import('./lib/vault/managed-identity.ts'),
  () => import('./lib/vault/key-vault.ts'),
  () => import('./lib/vault/token-request.ts'),
  () => import('./lib/graph/graph-call.ts'),
];

/**
 * Loads the adapters with their SDKs while the host prepares the first invocation, rather than within it. One at a time, so
 * that what the host sends meanwhile waits for one of them at most.
 */
export const loadAhead = async (): Promise<void> => {
  for (const load of NEEDED_FIRST) {
    await setImmediate();
    await load();
  }
};
