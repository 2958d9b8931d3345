import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { RelayAnswer } from '../../../clients/smtp-door/src/relay/answer.ts';
import { deliverTo, type Keep } from '../../../clients/smtp-door/src/relay/deliver.ts';
import { Pauses } from '../../../clients/smtp-door/src/relay/pauses.ts';
import { Courier } from '../../../clients/smtp-door/src/spool/courier.ts';
import type { Spool } from '../../../clients/smtp-door/src/spool/spool.ts';
import type { Submission } from '../../../clients/smtp-door/src/submission.ts';
import { Watch } from '../../../clients/smtp-door/src/watch.ts';
import { aLog, aSpool } from './a-spool.ts';
import { aSubmission } from './a-submission.ts';

const SENT: RelayAnswer = {
  kind: 'response',
  status: 200,
  retryAfterMs: undefined,
  body: { kind: 'mail', id: 'm', state: 'sent' },
};
const AWAY: RelayAnswer = { kind: 'none', why: 'network', cause: 'ECONNREFUSED' };
const problem = (status: number, code: string, retryAfterMs?: number): RelayAnswer => ({
  kind: 'response',
  status,
  retryAfterMs,
  body: { kind: 'problem', code, title: 'Title', remedy: 'Do this.', detail: '', problems: [] },
});

const HOUR = 3_600_000;

/** A clock that only the test moves. Whoever waits goes on when it has come so far. */
const aClock = () => {
  let time = Date.UTC(2026, 10, 26, 12);
  const waiting = new Set<{ readonly at: number; readonly go: () => void }>();
  return {
    now: () => new Date(time),
    wait: (ms: number, signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const one = { at: time + ms, go: resolve };
        waiting.add(one);
        signal.addEventListener('abort', () => {
          waiting.delete(one);
          resolve();
        });
      }),
    /** Of whoever waits the shortest time. */
    nextMs: (): number => Math.min(...[...waiting].map(({ at }) => at - time)),
    advance: (ms: number): void => {
      time += ms;
      for (const one of waiting)
        if (one.at <= time) {
          waiting.delete(one);
          one.go();
        }
    },
  };
};

const couriers: Courier[] = [];
afterEach(async () => {
  for (const courier of couriers.splice(0)) await courier.close(0);
});

type Answer = (submission: Submission, key: string) => RelayAnswer | Promise<RelayAnswer>;

const start = async (answer: Answer, concurrency = 4, spooled: readonly Submission[] = []) => {
  const { spool, folder } = await aSpool();
  for (const submission of spooled) await spool.keep(submission);
  const clock = aClock();
  const { log, events } = aLog();
  const posts: { readonly id: string; readonly key: string; readonly at: number }[] = [];
  const began = clock.now().getTime();
  const keys = new Map([
    ['scanner', 'gmr_scanner'],
    ['erp', 'gmr_erp'],
  ]);
  const attempting = {
    post: async (submission: Submission, key: string) => {
      posts.push({ id: submission.id, key, at: (clock.now().getTime() - began) / 1000 });
      return answer(submission, key);
    },
    keyOf: (account: string) => keys.get(account),
    pauses: new Pauses(clock.now),
    watch: new Watch(clock.now),
    log,
  };
  const settings = { concurrency, timeoutMs: 100_000, giveUpMs: 96 * HOUR, rescanMs: 10 * HOUR };
  const courier = new Courier(spool, attempting, settings, clock);
  couriers.push(courier);
  const deliver = deliverTo({ ...attempting, keep: spool.keep, replyMs: 50_000 });
  return { spool, folder, clock, events, posts, keys, attempting, deliver, courier };
};

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await setImmediate();
};
const emptied = (spool: Spool): Promise<void> => until(() => spool.counts.emails === 0);

describe('an email while its client waits', () => {
  test('goes to the relay, and not to the disk', async () => {
    const { deliver, spool, posts } = await start(() => SENT);
    expect(await deliver(aSubmission())).toEqual({ kind: 'accepted', id: 'm', state: 'sent' });
    expect([spool.counts.emails, posts.length]).toEqual([0, 1]);
  });

  test('that the relay refuses is refused to its client, who can change it', async () => {
    const { deliver, spool } = await start(() => problem(400, 'MIME_INVALID'));
    expect(await deliver(aSubmission())).toMatchObject({ kind: 'refused', code: '554', enhanced: '5.6.0' });
    expect(spool.counts).toMatchObject({ emails: 0, failed: 0 });
  });

  test('is in the spool while the relay is unavailable; further ones do not even wait for that', async () => {
    const { deliver, spool, posts } = await start(() => AWAY);
    const emails = [aSubmission(), aSubmission(), aSubmission()];
    for (const email of emails) expect(await deliver(email)).toEqual({ kind: 'spooled' });
    expect(spool.counts.emails).toBe(3);
    expect(posts.map(({ id }) => id)).toEqual([emails[0]?.id]);
  });

  test('is in the spool if the key of the door is wrong: that is no fault of the client', async () => {
    const { deliver, attempting, events } = await start(() => problem(401, 'KEY_NOT_ACCEPTED'));
    expect(await deliver(aSubmission())).toEqual({ kind: 'spooled' });
    expect([...attempting.watch.ownFaults]).toEqual([['scanner', 'KEY_NOT_ACCEPTED']]);
    expect(events).toContain('RelayRefusesDoor');
  });

  test('gets 451 without a spool, and the relay is spared the next ones', async () => {
    const { attempting, posts } = await start(() => AWAY);
    const deliver = deliverTo({ ...attempting, replyMs: 50_000 });
    const [first, second] = [await deliver(aSubmission()), await deliver(aSubmission())];
    expect(first).toEqual({
      kind: 'later',
      code: '451',
      enhanced: '4.4.1',
      text: 'The mail relay cannot be reached. Send the email again later.',
      isUncertain: false,
    });
    expect([second, posts.length]).toEqual([first, 1]);
    expect(attempting.watch.counts).toEqual([{ account: 'scanner', result: 'later', count: 2 }]);
  });

  test('may be accepted after a timeout, also if the spool is full; what was not attempted is not', async () => {
    const { attempting } = await start(() => ({ kind: 'none', why: 'timeout', cause: 'TIMEOUT' }));
    const full: Keep = async () => ({ kind: 'later', code: '452', enhanced: '4.3.1', text: 'Full' });
    const deliver = deliverTo({ ...attempting, keep: full, replyMs: 50_000 });
    const answers = [await deliver(aSubmission()), await deliver(aSubmission())];
    expect(answers).toMatchObject([
      { code: '452', isUncertain: true },
      { code: '452', isUncertain: false },
    ]);
  });
});

describe('the spool', () => {
  test('is sent oldest first with the key of its account, and is then empty', async () => {
    const emails = [aSubmission(), aSubmission({ account: 'erp' }), aSubmission()];
    const { spool, posts } = await start(() => SENT, 1, emails);
    await emptied(spool);
    expect(posts.map(({ id, key }) => [id, key])).toEqual(
      emails.map(({ id, account }) => [id, `gmr_${account}`]),
    );
  });

  test('waits longer after each failure, with one email, until the relay is there again', async () => {
    let isAway = true;
    const emails = Array.from({ length: 6 }, () => aSubmission());
    const { spool, posts, clock } = await start(() => (isAway ? AWAY : SENT), 4, emails);
    // Before anything is known of the relay, several are tried together.
    await until(() => posts.length === 4);
    const gaps = [];
    for (let tries = 1; tries <= 8; tries += 1) {
      await until(() => clock.nextMs() <= 300_000);
      gaps.push(clock.nextMs() / 1000);
      isAway = tries < 8;
      clock.advance(clock.nextMs());
      await until(() => posts.length >= 4 + tries);
    }
    expect(gaps).toEqual([5, 10, 20, 40, 80, 160, 300, 300]);
    expect(posts.slice(4, 11).map(({ id }) => id)).toEqual(Array(7).fill(emails[0]?.id));
    await emptied(spool);
  });

  test('obeys Retry-After for the account that it is about, and the other one goes on', async () => {
    let isLimited = true;
    const emails = [aSubmission(), aSubmission(), aSubmission({ account: 'erp' })];
    const limited = problem(429, 'CALLER_LIMIT_REACHED', 600_000);
    const { spool, posts, clock } = await start(
      ({ account }) => (account === 'scanner' && isLimited ? limited : SENT),
      1,
      emails,
    );
    await until(() => spool.counts.emails === 2);
    expect(posts.map(({ id }) => id)).toEqual([emails[0]?.id, emails[2]?.id]);
    isLimited = false;
    clock.advance(599_999);
    await setImmediate();
    expect(posts.length).toBe(2);
    clock.advance(1);
    await emptied(spool);
  });

  test('lets others pass an email that makes the relay fail', async () => {
    const poison = aSubmission();
    const { spool, clock, posts } = await start(
      ({ id }) => (id === poison.id ? problem(500, 'UNEXPECTED') : SENT),
      1,
      [poison, aSubmission(), aSubmission()],
    );
    await until(() => posts.length === 1);
    clock.advance(5_000);
    await until(() => spool.counts.emails === 1);
    expect([...spool.waiting].map(({ id }) => id)).toEqual([poison.id]);
  });

  test('keeps what the relay refuses among the failed ones, with the reason, and says so', async () => {
    const { spool, events } = await start(() => problem(403, 'SENDER_NOT_ALLOWED'), 4, [aSubmission()]);
    await emptied(spool);
    expect(spool.counts).toMatchObject({ emails: 0, failed: 1 });
    expect(events).toContain('EmailFailed');
  });

  test('gives up after the hours of its settings, and loses nothing', async () => {
    const old = aSubmission({ receivedAt: new Date(Date.UTC(2026, 10, 22, 11)) });
    const { spool } = await start(() => AWAY, 4, [old]);
    await emptied(spool);
    expect(spool.counts).toMatchObject({ emails: 0, failed: 1 });
  });

  test('keeps emails of an account that the configuration does not have, until it has it again', async () => {
    const { spool, keys, attempting, courier, events } = await start(() => SENT, 4, [
      aSubmission({ account: 'old' }),
    ]);
    await until(() => events.includes('RelayRefusesDoor'));
    expect([...attempting.watch.ownFaults]).toEqual([['old', 'ACCOUNT_NOT_CONFIGURED']]);
    keys.set('old', 'gmr_old');
    attempting.pauses.clear();
    courier.wake();
    await emptied(spool);
  });

  test('posts no more at the same time than its settings say', async () => {
    let [open, most] = [0, 0];
    const { spool } = await start(
      async () => {
        open += 1;
        most = Math.max(most, open);
        await until(() => most >= 3);
        open -= 1;
        return SENT;
      },
      3,
      Array.from({ length: 12 }, () => aSubmission()),
    );
    await emptied(spool);
    expect(most).toBe(3);
  });

  test('ends after the email that is being posted, and keeps the rest', async () => {
    let finish: (answer: RelayAnswer) => void = () => {};
    const emails = [aSubmission(), aSubmission()];
    const { spool, courier, posts } = await start(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
      1,
      emails,
    );
    await until(() => posts.length === 1);
    const closed = courier.close(60_000);
    finish(SENT);
    await closed;
    expect([...spool.waiting].map(({ id }) => id)).toEqual([emails[1]?.id]);
  });
});
