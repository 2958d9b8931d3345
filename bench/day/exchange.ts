import type { Ports } from '../../src/lib/ports.ts';
import type { Sighting } from '../../src/lib/sending/look-up-plan.ts';
import type { SendReport } from '../../src/lib/sending/send-outcome.ts';
import type { VirtualTime } from '../lanes/virtual-time.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, TROUBLES } from './day-plan.ts';
import type { Emails } from './emails.ts';
import type { Random } from './random.ts';
import type { Process } from './storage.ts';

/** Limits of Exchange Online and Graph for one mailbox (docs/limits.md). */
const AT_ONCE = 4;
const PER_MINUTE = 30;
const RECIPIENTS_A_DAY = 10_000;
/** GRAPH_TIMEOUT_SECONDS. */
const TIMEOUT_MS = 60_000;

type Mailbox = {
  readonly arrivals: number[];
  accepted: number[];
  inside: number;
  /** By the hour. */
  readonly recipients: number[];
};

export const addressOf = (mailbox: number): string => `sender-${mailbox}@contoso.example`;
const numberOf = (address: string): number => Number(/^sender-(\d+)@/.exec(address)?.[1]);
const MAIL_ID = /"value":"([0-9a-f-]{36})"/;

/** Graph and Exchange in moved time, with their limits, and with half an hour in which they do badly. */
export const makeExchange = (
  time: VirtualTime,
  start: number,
  random: Random,
  emails: Emails,
  mailboxes: number,
) => {
  const all = Array.from(
    { length: mailboxes },
    (): Mailbox => ({ arrivals: [], accepted: [], inside: 0, recipients: [] }),
  );
  const requests = { send: 0, find: 0, throttled: 0, overDay: 0, brownOut: 0, findThrottled: 0 };
  const problems: string[] = [];
  const hasBrownOut = (): boolean => {
    const { from, to } = TROUBLES.brownOut;
    return time.now() >= start + from && time.now() < start + to;
  };
  const hourNow = (): number => Math.floor((time.now() - start) / HOUR_MS);
  /** Lets time pass; a process that has died by then hears nothing more. */
  const pass = (process: Process, ms: number): Promise<void> =>
    new Promise((resolve) => {
      time.at(time.now() + ms, () => {
        if (process.isAlive) resolve();
      });
    });
  const answered = (status: number, retryAfter?: number): SendReport => ({
    kind: 'answered',
    status,
    ...(retryAfter === undefined ? {} : { retryAfter: String(retryAfter) }),
  });

  /** Takes an email after so long, whether anybody still waits for the answer or not. */
  const accept = (mailbox: Mailbox, number: number, recipients: number): void => {
    const shows = time.now() + 2000 + 30_000 * random() + (hasBrownOut() ? 240_000 * random() : 0);
    emails.sent(number, time.now(), shows);
    mailbox.recipients[hourNow()] = (mailbox.recipients[hourNow()] ?? 0) + recipients;
  };

  /** What happens to a request that Exchange has let in: how long until it is sent, and how long until the answer. */
  const fateOf = (): { readonly sentMs?: number; readonly endMs: number; readonly report: SendReport } => {
    const usualMs = 200 + 400 * random();
    if (!hasBrownOut()) return { sentMs: usualMs / 2, endMs: usualMs, report: answered(202) };
    requests.brownOut += 1;
    const kind = random();
    if (kind < 0.3)
      return {
        endMs: 100,
        report: answered(503, random() < 0.5 ? 10 + Math.floor(50 * random()) : undefined),
      };
    const isSent = random() < 0.5;
    if (kind < 0.45) {
      const endMs = 20_000 + 10_000 * random();
      return { ...(isSent ? { sentMs: endMs / 2 } : {}), endMs, report: answered(504) };
    }
    if (kind < 0.5)
      return {
        ...(isSent ? { sentMs: 40_000 } : {}),
        endMs: TIMEOUT_MS,
        report: { kind: 'lost', why: 'timeout' },
      };
    const endMs = kind < 0.8 ? 3000 + 9000 * random() : usualMs;
    return { sentMs: endMs / 2, endMs, report: answered(202) };
  };

  const send = async (process: Process, address: string, body: Buffer): Promise<SendReport> => {
    const mailbox = all[numberOf(address)] as Mailbox;
    const number = emails.numberOf(MAIL_ID.exec(body.toString())?.[1] ?? '');
    if (number === undefined) {
      problems.push('Graph got an email that no application has sent');
      return answered(202);
    }
    const { recipients } = emails.of(number);
    await pass(process, 20 + 60 * random());
    requests.send += 1;
    const now = time.now();
    mailbox.arrivals.push(now);
    if (mailbox.inside >= AT_ONCE) {
      requests.throttled += 1;
      return answered(429, 1);
    }
    mailbox.accepted = mailbox.accepted.filter((at) => now - at < MINUTE_MS);
    if (mailbox.accepted.length >= PER_MINUTE) {
      requests.throttled += 1;
      return answered(429, Math.ceil(((mailbox.accepted[0] ?? now) + MINUTE_MS - now) / 1000));
    }
    const hour = hourNow();
    const ofDay = mailbox.recipients.reduce(
      (sum, count, at) => (at > hour - 24 ? sum + (count ?? 0) : sum),
      0,
    );
    if (ofDay + recipients > RECIPIENTS_A_DAY) {
      requests.overDay += 1;
      return { ...answered(429), upstreamCode: 'ErrorExceededMessageLimit' } as SendReport;
    }
    mailbox.accepted.push(now);
    mailbox.inside += 1;
    const { sentMs, endMs, report } = fateOf();
    if (sentMs !== undefined) time.at(now + sentMs, () => accept(mailbox, number, recipients));
    time.at(now + endMs, () => {
      mailbox.inside -= 1;
    });
    await pass(process, endMs);
    return report;
  };

  const find = async (process: Process, address: string, mailId: string): Promise<Sighting> => {
    const mailbox = all[numberOf(address)] as Mailbox;
    await pass(process, 20 + 60 * random());
    requests.find += 1;
    if (mailbox.inside >= AT_ONCE) {
      requests.findThrottled += 1;
      return { kind: 'not-now', status: 429, waitMs: 1000 };
    }
    const tookMs = hasBrownOut() ? 500 + 5000 * random() : 100 + 200 * random();
    mailbox.inside += 1;
    time.at(time.now() + tookMs, () => {
      mailbox.inside -= 1;
    });
    const isRefused = hasBrownOut() && random() < 0.4;
    await pass(process, tookMs);
    if (isRefused) return { kind: 'not-now', status: 503 };
    const number = emails.numberOf(mailId);
    return number !== undefined && emails.isShown(number, time.now())
      ? { kind: 'found' }
      : { kind: 'absent' };
  };

  return {
    portOf: (process: Process): Ports['mailboxes'] => ({
      routeOf: () => ({ connection: 'main', cloud: 'global', tenantId: 'contoso.example' }),
      send: ({ mailbox, body }) => send(process, mailbox, body),
      find: (mailbox, mailId) => find(process, mailbox, mailId),
    }),
    requests,
    problems,
    arrivalsOf: (mailbox: number): readonly number[] => all[mailbox]?.arrivals ?? [],
    mostRecipientsOfADay: (): number =>
      Math.max(...all.map(({ recipients }) => mostWithin(recipients, DAY_MS / HOUR_MS))),
  };
};

const mostWithin = (counts: readonly number[], width: number): number => {
  let most = 0;
  for (let end = 0; end < counts.length; end += 1) {
    let sum = 0;
    for (let at = Math.max(0, end - width + 1); at <= end; at += 1) sum += counts[at] ?? 0;
    most = Math.max(most, sum);
  }
  return most;
};

export type Exchange = ReturnType<typeof makeExchange>;
