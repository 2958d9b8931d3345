import type { Log } from '../log.ts';
import { type Attempting, attempt } from '../relay/attempt.ts';
import { pauseOfEmailMs } from '../relay/pauses.ts';
import { codeOf } from './durable-file.ts';
import type { Spool, Waiting } from './spool.ts';

export type CourierSettings = {
  /** Emails that are posted at the same time. */
  readonly concurrency: number;
  readonly timeoutMs: number;
  /** After this time an email goes to the failed ones. */
  readonly giveUpMs: number;
  /** How often the folder is looked at for what someone else put there. */
  readonly rescanMs: number;
};

export type CourierWorld = {
  readonly now: () => Date;
  /** Waits for so long, or until the signal. Never rejects. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
};

/** Sends what is in the spool, oldest first, until it is closed. */
export class Courier {
  readonly #spool: Spool;
  readonly #attempting: Attempting;
  readonly #settings: CourierSettings;
  readonly #world: CourierWorld;
  readonly #log: Log;
  readonly #running = new Map<string, { readonly account: string; readonly ended: Promise<void> }>();
  #woken = new AbortController();
  #isClosed = false;
  readonly #loop: Promise<void>;

  constructor(spool: Spool, attempting: Attempting, settings: CourierSettings, world: CourierWorld) {
    this.#spool = spool;
    this.#attempting = attempting;
    this.#settings = settings;
    this.#world = world;
    this.#log = attempting.log;
    spool.onAdded(() => this.wake());
    this.#loop = this.#run();
  }

  /** Looks again now at what can be sent. */
  wake(): void {
    this.#woken.abort();
  }

  /** Begins no email any more, and waits for those that are being posted. What is not finished stays in the spool. */
  async close(drainMs: number): Promise<void> {
    this.#isClosed = true;
    this.wake();
    const patience = new AbortController();
    const done = Promise.all([this.#loop, ...[...this.#running.values()].map(({ ended }) => ended)]).then(
      () => patience.abort(),
    );
    await Promise.race([done, this.#world.wait(drainMs, patience.signal)]);
  }

  async #run(): Promise<void> {
    let rescanAt = this.#world.now().getTime() + this.#settings.rescanMs;
    while (!this.#isClosed) {
      this.#woken = new AbortController();
      const now = this.#world.now().getTime();
      if (now >= rescanAt) {
        await this.#spool.rescan().catch((error: unknown) => {
          this.#log('error', 'SpoolUnreadable', { code: codeOf(error) });
        });
        rescanAt = this.#world.now().getTime() + this.#settings.rescanMs;
      }
      const nextAt = this.#begin(now);
      await this.#world.wait(Math.max(0, Math.min(nextAt, rescanAt) - now), this.#woken.signal);
    }
  }

  /** Begins what can be sent now, and returns when the next one can. */
  #begin(now: number): number {
    const { pauses } = this.#attempting;
    let nextAt = Number.POSITIVE_INFINITY;
    const doubtful = new Set(
      [...this.#running.values()]
        .map(({ account }) => account)
        .filter((account) => pauses.isDoubtful(account)),
    );
    for (const waiting of this.#spool.waiting) {
      if (this.#running.size >= this.#settings.concurrency) break;
      const { name, account } = waiting;
      if (this.#running.has(name)) continue;
      const at = Math.max(waiting.notBefore, pauses.until(account));
      if (at > now) nextAt = Math.min(nextAt, at);
      else if (!doubtful.has(account)) {
        // While nobody knows whether the relay takes emails again, one of an account finds out.
        if (pauses.isDoubtful(account)) doubtful.add(account);
        this.#start(waiting);
      }
    }
    return nextAt;
  }

  #start(waiting: Waiting): void {
    const { name, account } = waiting;
    const ended = this.#carry(waiting)
      .catch((error: unknown) => {
        // A disk that fails: the email is where it was, and has the same idempotency key.
        waiting.attempts += 1;
        waiting.notBefore =
          this.#world.now().getTime() + pauseOfEmailMs(waiting.attempts, { waitMs: undefined });
        this.#log('error', 'SpoolUnreadable', { id: waiting.id, account, code: codeOf(error) });
      })
      .finally(() => {
        this.#running.delete(name);
        this.wake();
      });
    this.#running.set(name, { account, ended });
  }

  async #carry(waiting: Waiting): Promise<void> {
    const submission = await this.#spool.read(waiting);
    if (submission === undefined) return;
    const outcome = await attempt(this.#attempting, submission, this.#settings.timeoutMs);
    if (outcome.kind === 'accepted') return this.#spool.remove(waiting);
    const now = this.#world.now();
    const { reason, text } = outcome;
    const { id, account } = waiting;
    if (outcome.kind === 'refused') {
      await this.#spool.fail(waiting, { at: now.toISOString(), kind: 'refused', reason, text });
      this.#log('error', 'EmailFailed', { id, account, reason, say: text });
      return;
    }
    if (now.getTime() - waiting.receivedAt.getTime() >= this.#settings.giveUpMs) {
      await this.#spool.fail(waiting, { at: now.toISOString(), kind: 'gave up', reason, text });
      this.#log('error', 'EmailFailed', { id, account, reason: `GAVE_UP after ${reason}`, say: text });
      return;
    }
    waiting.attempts += 1;
    if (outcome.pauses.includes('email'))
      waiting.notBefore = now.getTime() + pauseOfEmailMs(waiting.attempts, outcome);
  }
}
