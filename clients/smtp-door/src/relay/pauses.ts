import type { Later } from './outcome.ts';

const FIRST_MS = 5_000;
/** So that emails go out within minutes after an outage. */
const LONGEST_MS = 5 * 60_000;
/** Longer than the first pause of an account: an email that may itself be the reason lets the next one pass. */
const FIRST_OF_EMAIL_MS = 30_000;
const LONGEST_OF_EMAIL_MS = 60 * 60_000;

const doubled = (failures: number, first: number, longest: number): number =>
  Math.min(longest, first * 2 ** Math.min(failures - 1, 20));

/** A Retry-After of zero must not make a loop, and one of a proxy not stop the door for years. The longest of the relay is until midnight. */
const SHORTEST_MS = 1_000;
const DAY_MS = 24 * 60 * 60_000;

const asked = ({ waitMs }: Pick<Later, 'waitMs'>): number | undefined =>
  waitMs === undefined ? undefined : Math.min(DAY_MS, Math.max(SHORTEST_MS, waitMs));

/** How long to wait after so many failures in a row: twice as long each time, unless the relay says how long. */
export const pauseMs = (failures: number, later: Pick<Later, 'waitMs'>): number =>
  asked(later) ?? doubled(failures, FIRST_MS, LONGEST_MS);

export const pauseOfEmailMs = (failures: number, later: Pick<Later, 'waitMs'>): number =>
  asked(later) ?? doubled(failures, FIRST_OF_EMAIL_MS, LONGEST_OF_EMAIL_MS);

type Pause = { failures: number; until: number; later: Later };

const RELAY = Symbol('relay');

/** Which accounts wait, until when and why: one attempt of an email spares all others the same answer. */
export class Pauses {
  readonly #now: () => Date;
  readonly #pauses = new Map<string | typeof RELAY, Pause>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Why an account waits; undefined if it can be tried. */
  of(account: string): Later | undefined {
    const now = this.#now().getTime();
    return [this.#pauses.get(RELAY), this.#pauses.get(account)].find((pause) => pause && pause.until > now)
      ?.later;
  }

  /** When an account can be tried again: milliseconds since 1970. */
  until(account: string): number {
    return Math.max(this.#pauses.get(RELAY)?.until ?? 0, this.#pauses.get(account)?.until ?? 0);
  }

  /** Whether the last attempt failed: until one succeeds, one at a time is enough. */
  isDoubtful(account: string): boolean {
    return this.#pauses.has(RELAY) || this.#pauses.has(account);
  }

  failed(account: string, later: Later): void {
    for (const paused of later.pauses) {
      if (paused === 'email') continue;
      const key = paused === 'relay' ? RELAY : account;
      const known = this.#pauses.get(key);
      const now = this.#now().getTime();
      // What was begun at the same time and failed in the same way counts once.
      const isSame = known !== undefined && known.until > now;
      const failures = (known?.failures ?? 0) + (isSame ? 0 : 1);
      const until = Math.max(known?.until ?? 0, now + pauseMs(failures, later));
      this.#pauses.set(key, { failures, until, later });
    }
    // What the relay said of an account it said itself: it can be reached.
    if (!later.pauses.includes('relay')) this.#pauses.delete(RELAY);
  }

  /** The relay accepted or refused an email of this account. */
  answered(account: string): void {
    this.#pauses.delete(RELAY);
    this.#pauses.delete(account);
  }

  /** Accounts and keys have changed. */
  clear(): void {
    this.#pauses.clear();
  }
}
