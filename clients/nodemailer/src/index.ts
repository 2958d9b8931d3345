import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type * as api from '../index.d.ts';
import { makeTransport } from './transport.ts';

/** Makes a transport that sends through a Graph Mail Relay. Throws if the options are wrong. */
export const graphMailRelay: typeof api.graphMailRelay = (options) =>
  makeTransport(options, {
    fetch: (url, init) => (options.fetch ?? fetch)(url, init),
    wait: async (ms, signal) => setTimeout(ms, undefined, signal === undefined ? {} : { signal }),
    now: () => new Date(),
    newKey: randomUUID,
  });
