import type { IncomingMessage } from 'node:http';
import { InboxProblem } from './inbox-problem.ts';

const OWN_NAMES = new Set(['localhost', '127.0.0.1']);
const METHODS_THAT_ONLY_LOOK = new Set(['GET', 'HEAD']);

/**
 * The inbox has no password, and any web page may send requests to this machine. A page whose own name was made to
 * point to 127.0.0.1 (DNS rebinding) shows in `Host`; a page that posts across origins shows in `Origin`.
 */
export function refuseForeignPages({ method = 'GET', headers }: IncomingMessage): void {
  const host = headers.host ?? '';
  const name = /^([^:@/]+)(?::\d{1,5})?$/.exec(host)?.[1]?.toLowerCase();
  if (name === undefined || !OWN_NAMES.has(name)) {
    throw new InboxProblem(
      403,
      `The inbox answers to localhost and 127.0.0.1 only, not to ${JSON.stringify(host)}.`,
    );
  }
  if (METHODS_THAT_ONLY_LOOK.has(method)) return;
  if (headers.origin !== undefined && headers.origin !== `http://${host}`) {
    throw new InboxProblem(
      403,
      `Only the inbox's own page, or a client without an Origin header, may change it; this came from ${JSON.stringify(headers.origin)}.`,
    );
  }
}
