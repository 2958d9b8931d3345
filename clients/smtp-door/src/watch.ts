import type { Outcome } from './relay/outcome.ts';
import type { Delivered } from './submission.ts';

export type Result = Delivered['kind'];

/** What health and metrics know of the door since it started. */
export class Watch {
  readonly startedAt: Date;
  readonly #now: () => Date;
  readonly #counts = new Map<string, number>();
  readonly #ownFaults = new Map<string, string>();
  readonly #reloadFaults = new Map<string, string>();
  #lastSuccessAt: Date | undefined;
  #troubleSince: Date | undefined;
  #trouble = '';

  constructor(now: () => Date) {
    this.#now = now;
    this.startedAt = now();
  }

  /** Counts what a client or the drop folder got as an answer. */
  answered(account: string, result: Result): void {
    const key = JSON.stringify([account, result]);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Notes what the relay said, or that it said nothing. */
  attempted(account: string, outcome: Outcome): void {
    if (outcome.kind === 'later') {
      if (outcome.isOwnFault) this.#ownFaults.set(account, outcome.reason);
      // The relay takes other emails where only one or one account waits.
      if (!outcome.pauses.includes('relay')) return;
      this.#troubleSince ??= this.#now();
      this.#trouble = outcome.reason;
      return;
    }
    this.#ownFaults.delete(account);
    this.#troubleSince = undefined;
    this.#lastSuccessAt = this.#now();
  }

  get counts(): readonly { readonly account: string; readonly result: string; readonly count: number }[] {
    return [...this.#counts].map(([key, count]) => {
      const [account, result] = JSON.parse(key) as [string, string];
      return { account, result, count };
    });
  }

  /** Accounts whose key the relay does not accept, and why. */
  get ownFaults(): ReadonlyMap<string, string> {
    return this.#ownFaults;
  }

  /** Notes that the door goes on with an old configuration or certificate, and what to do; or that it does not. */
  reloaded(what: 'configuration' | 'certificate', fault?: string): void {
    if (fault === undefined) this.#reloadFaults.delete(what);
    else this.#reloadFaults.set(what, fault);
  }

  /** What could not be read again, with what to do. */
  get reloadFaults(): ReadonlyMap<string, string> {
    return this.#reloadFaults;
  }

  get lastSuccessAt(): Date | undefined {
    return this.#lastSuccessAt;
  }

  /** Since when the relay does not respond. */
  get trouble(): { readonly since: Date; readonly reason: string } | undefined {
    return this.#troubleSince && { since: this.#troubleSince, reason: this.#trouble };
  }

  /** Accounts and keys have changed: what was wrong with them is not known any more. */
  forgetFaults(): void {
    this.#ownFaults.clear();
  }
}
