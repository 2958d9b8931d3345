import { createServer, type Server } from 'node:http';
import { metricsOf } from './metrics.ts';
import type { SpoolCounts } from './spool/spool.ts';
import type { Watch } from './watch.ts';

export type HealthFacts = {
  readonly now: Date;
  readonly version: string;
  readonly watch: Watch;
  readonly spool?: (SpoolCounts & { readonly maxBytes: number; readonly maxEmails: number }) | undefined;
  readonly dropFolder?: { readonly failed: number; readonly fault: string | undefined } | undefined;
  readonly certificateUntil?: Date | undefined;
};

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** The relay restarts within minutes. */
const TROUBLE_MS = 5 * MINUTE_MS;
/** An email of today is still of use after half an hour. */
const OLD_MS = 30 * MINUTE_MS;
const NEARLY_FULL = 0.8;
/** ACME renews a month before the end: then something is wrong with it. */
const CERTIFICATE_DAYS = 14;

/** Every reason why someone should look at the door, with what to do. */
export const reasonsOf = (facts: HealthFacts): readonly string[] => [...reasons(facts)];

function* reasons({ now, watch, spool, dropFolder, certificateUntil }: HealthFacts): Generator<string> {
  const since = (date: Date): number => now.getTime() - date.getTime();
  for (const [account, reason] of watch.ownFaults)
    yield `The relay does not accept the account ${account} (${reason}). Correct its key or "relay.url", or what blocks emails on the way to it, then send SIGHUP or restart the door.`;
  const { trouble } = watch;
  if (trouble !== undefined && since(trouble.since) >= TROUBLE_MS)
    yield `The relay has not responded since ${trouble.since.toISOString()} (${trouble.reason}). Check the relay, and that this machine reaches it.`;
  if (spool !== undefined) {
    const { oldest, failed, damaged, emails, bytes, maxEmails, maxBytes, refuses } = spool;
    if (refuses === 'FULL')
      yield 'The spool is full, and clients get 452. Look at it with smtp-door spool list: failed emails count too.';
    else if (refuses !== undefined)
      yield `The spool cannot be written (${refuses}), and clients get 452. Make room on its disk, or give the user of the door the right to write there.`;
    if (oldest !== undefined && since(oldest) >= OLD_MS)
      yield `The oldest email in the spool (of ${emails}) waits since ${oldest.toISOString()}. The log says why, in RelayDeferredEmail.`;
    if (failed > 0)
      yield `Emails of the spool that failed: ${failed}. Look at them with smtp-door spool list, then retry or remove them.`;
    if (damaged > 0)
      yield `Files of the spool that are damaged and were not sent: ${damaged}. They are in its folder damaged, with the reason beside each.`;
    if (emails >= NEARLY_FULL * maxEmails || bytes >= NEARLY_FULL * maxBytes)
      yield `The spool is nearly full: ${emails} of ${maxEmails} emails, ${bytes} of ${maxBytes} bytes. When it is full, clients get 452.`;
  }
  yield* watch.reloadFaults.values();
  if (dropFolder?.fault !== undefined) yield dropFolder.fault;
  if (dropFolder !== undefined && dropFolder.failed > 0)
    yield `Files of the drop folder that failed: ${dropFolder.failed}. They are in its folder failed, with the reason beside each.`;
  if (certificateUntil !== undefined && -since(certificateUntil) < CERTIFICATE_DAYS * DAY_MS)
    yield `The certificate ${since(certificateUntil) >= 0 ? 'expired' : 'expires'} on ${certificateUntil.toISOString()}. Replace its files, then send SIGHUP.`;
}

/** What /health returns. */
const healthOf = (facts: HealthFacts) => {
  const found = reasonsOf(facts);
  const { watch, spool, certificateUntil, version } = facts;
  return {
    status: found.length === 0 ? 'ok' : 'not ok',
    reasons: found,
    version,
    startedAt: watch.startedAt.toISOString(),
    lastSuccessAt: watch.lastSuccessAt?.toISOString() ?? null,
    certificateUntil: certificateUntil?.toISOString() ?? null,
    spool:
      spool === undefined
        ? null
        : {
            emails: spool.emails,
            bytes: spool.bytes,
            oldest: spool.oldest?.toISOString() ?? null,
            failed: spool.failed,
            damaged: spool.damaged,
          },
  };
};

/** Answers /health, /live and /metrics to monitors. */
export const serveHealth = async (
  { host, port }: { readonly host: string; readonly port: number },
  facts: () => HealthFacts,
): Promise<{ readonly port: number; readonly close: () => Promise<void> }> => {
  const server: Server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    const path = request.url?.split('?')[0];
    const answer = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'text/plain', 'Use GET.\n');
    if (path === '/health') {
      const health = healthOf(facts());
      return answer(
        health.status === 'ok' ? 200 : 503,
        'application/json',
        `${JSON.stringify(health, null, 2)}\n`,
      );
    }
    // A restart helps nobody whose key is wrong: what restarts the door asks this.
    if (path === '/live') return answer(200, 'text/plain', 'The door is running.\n');
    if (path === '/metrics')
      return answer(200, 'text/plain; version=0.0.4; charset=utf-8', metricsOf(facts()));
    return answer(404, 'text/plain', 'Use /health, /live or /metrics.\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, () => resolve());
  });
  return {
    port: (server.address() as { readonly port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
