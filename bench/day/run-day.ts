import { performance } from 'node:perf_hooks';
import type { LogEvent } from '../../src/lib/log.ts';
import { makeVirtualTime } from '../lanes/virtual-time.ts';
import { DAY_MS, type DayOptions, HOUR_MS, MINUTE_MS, makeDayPlan, TROUBLES } from './day-plan.ts';
import { makeEmails, type NewEmail } from './emails.ts';
import { addressOf, makeExchange } from './exchange.ts';
import { type HttpAnswer, makeHost } from './host.ts';
import { IDENTITY } from './identity.ts';
import { makeQueue } from './queue.ts';
import { makeRandom } from './random.ts';
import { makeStorage } from './storage.ts';
import { HTTP_CALLER } from './use-cases.ts';

/** The last day of a month. */
const START = Date.parse('2026-11-30T00:00:00Z');
/** What is left after the day has so long to end. */
const LONGEST_MS = 3 * DAY_MS;
const LOOKED_EVERY_MS = 10 * MINUTE_MS;
/** An application repeats its request with the same key after so long, twice as long each time, so often. */
const REPEATED_AFTER_MS = 5000;
const REPEATED_AFTER_AT_MOST_MS = 300_000;
const MOST_REPEATS = 100;
const BUSY_MS = 1000;

const TEXT = 'Your order has been received and will be delivered within the next days. '.repeat(6);

/** Runs one day, and what is left of it, as fast as this machine can. */
export const runDay = async (options: DayOptions, progress: (line: string) => void = () => undefined) => {
  const began = performance.now();
  const usedBefore = process.cpuUsage();
  const random = makeRandom(options.seed);
  const time = makeVirtualTime(START);
  const emails = makeEmails(options.emails + 1000);
  const storage = makeStorage(time, START, random);
  const exchange = makeExchange(time, START, random, emails, options.mailboxes);
  const queue = makeQueue(time, 'mail');
  const poison = makeQueue(time, 'poison');
  const events: Record<string, number> = {};
  const log = ({ event }: LogEvent): void => {
    events[event] = (events[event] ?? 0) + 1;
  };
  const host = makeHost({ time, random, storage, exchange, queue, poison, log }, options.instances);
  const refusals: Record<string, number> = {};
  const repeats: Record<string, number> = {};
  let waiting = 0;
  let posted = 0;

  const inputOf = (number: number, email: NewEmail): object => ({
    from: addressOf(email.mailbox),
    to: Array.from({ length: email.recipients }, (_, at) => `person-${number}-${at}@fabrikam.example`),
    subject: `Order ${number}`,
    text: TEXT,
    ...(email.priority === 'normal' ? {} : { priority: email.priority }),
    ...(email.leavesCopy ? {} : { saveToSentItems: false }),
  });

  const post = (number: number, email: NewEmail, tries: number): void => {
    posted += 1;
    const hear = (heard: HttpAnswer): void => {
      if (heard.kind === 'accepted' || heard.kind === 'refused' || tries >= MOST_REPEATS) {
        waiting -= 1;
        if (heard.kind === 'refused') refusals[heard.code] = (refusals[heard.code] ?? 0) + 1;
        if (heard.kind === 'accepted' || heard.kind === 'refused')
          emails.answer(number, heard.kind === 'accepted');
        return;
      }
      const why = 'code' in heard ? heard.code : heard.kind;
      repeats[why] = (repeats[why] ?? 0) + 1;
      const again =
        heard.kind === 'busy'
          ? BUSY_MS
          : Math.min(REPEATED_AFTER_AT_MOST_MS, REPEATED_AFTER_MS * 2 ** Math.min(tries, 10));
      time.at(time.now() + again * (1 + 0.5 * random()), () => post(number, email, tries + 1));
    };
    void host.post(inputOf(number, email), `order-${number}`, email.door === 'http-async', hear);
  };

  const offer = (email: NewEmail): void => {
    const number = emails.add(email);
    if (email.door === 'queue') {
      const id = queue.newId();
      emails.name(number, IDENTITY.mailIdOfMessage(id));
      storage.requests.putByApplications += 1;
      storage.rates.queue.note(time.now());
      emails.answer(number, true);
      queue.put(JSON.stringify(inputOf(number, email)), 0, id);
      return;
    }
    emails.name(number, IDENTITY.mailIdOfKey(HTTP_CALLER, `order-${number}`));
    waiting += 1;
    post(number, email, 0);
  };

  const plan = makeDayPlan(options);
  for (let minute = 0; minute < DAY_MS / MINUTE_MS; minute += 1)
    time.at(START + minute * MINUTE_MS, () => {
      for (const email of plan.ofMinute(minute)) {
        const at = START + email.at;
        time.at(at, () => offer({ ...email, at }));
      }
    });
  for (const after of TROUBLES.deployments) time.at(START + after, host.deploy);
  const killLater = (): void =>
    time.at(time.now() + TROUBLES.killEveryMs * (0.2 + 1.6 * random()), () => {
      host.killOne();
      killLater();
    });
  killLater();
  const everyMinute = (): void =>
    time.at(time.now() + MINUTE_MS, () => {
      host.endStuck();
      void host.holdPoison();
      everyMinute();
    });
  everyMinute();
  const everyHour = (): void =>
    time.at(time.now() + HOUR_MS, () => {
      void host.sweep();
      everyHour();
    });
  everyHour();

  const isOver = (): boolean =>
    time.now() >= START + DAY_MS && waiting + queue.size() + poison.size() + storage.openRows() === 0;
  const seconds = (): number => (performance.now() - began) / 1000;
  while (!isOver() && time.now() < START + LONGEST_MS) {
    await time.runUntil(time.now() + LOOKED_EVERY_MS);
    if ((time.now() - START) % HOUR_MS === 0)
      progress(
        `${new Date(time.now()).toISOString().slice(5, 16)}  ${emails.count} offered, ${storage.openRows()} open, ${queue.size()} messages, ${seconds().toFixed(0)} s`,
      );
  }
  const { user, system } = process.cpuUsage(usedBefore);
  return {
    options,
    startedAt: START,
    endedAt: time.now(),
    emails,
    storage,
    exchange,
    host,
    queue,
    poison,
    events,
    refusals,
    repeats,
    posted,
    waiting,
    problems: [...storage.problems, ...exchange.problems, ...host.problems],
    own: {
      seconds: seconds(),
      cpuSeconds: (user + system) / 1_000_000,
      memoryBytes: process.memoryUsage.rss(),
    },
  };
};

export type Day = Awaited<ReturnType<typeof runDay>>;
