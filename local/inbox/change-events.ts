import type { ServerResponse } from 'node:http';
import type { MailChange } from './mail-store.ts';

/** A change of the inbox, or of what waits at the relay. */
export type PageChange = MailChange | { readonly kind: 'relay' };

/** Milliseconds after which the page comes back when the inbox went away, for example for a restart. */
const RETRY_MS = 1000;

/** Server-sent events: one for every change, with the ids it is about. */
export const streamChanges =
  (onChange: (listener: (change: PageChange) => void) => () => void) =>
  (response: ServerResponse): void => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    if (response.req.method === 'HEAD') return void response.end();
    response.write(`retry: ${RETRY_MS}\n\n`);
    const unsubscribe = onChange((change) => response.write(`data: ${JSON.stringify(change)}\n\n`));
    response.once('close', unsubscribe);
  };
