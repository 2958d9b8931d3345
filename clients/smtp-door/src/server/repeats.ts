const DAY_MS = 24 * 60 * 60_000;
/** Few MB; beyond it the oldest are forgotten. */
const MAX_KEPT = 10_000;
/** Who goes away sooner never waited for a reply, and sends no email again because it saw none. */
const PATIENCE_MS = 10_000;

type Kept = {
  readonly contentKey: string;
  readonly since: number;
  /** Whether its client may still hear of it. */
  readonly isOpen: () => boolean;
  /** A repeat goes on with its key. */
  isTaken: boolean;
};

/**
 * `answered`: the relay or the spool has it. `refused`: it never will be sent. `nothing`: this attempt did nothing. `unknown`: it may
 * have done something.
 */
export type Ending = 'answered' | 'refused' | 'nothing' | 'unknown';

/** One transaction of an email that has no name of its own. */
export type Claim = {
  readonly idempotencyKey: string;
  readonly end: (ending: Ending) => void;
};

/**
 * Keeps the idempotency key of emails that nothing tells apart, whose client was not told what became of them: if it sends the same again,
 * that is the same email. Two that were both answered stay two.
 */
export const makeRepeats = (now: () => Date, most = MAX_KEPT) => {
  const kept = new Map<string, Kept>();
  /** How many keys the emails with this content had. */
  const counts = new Map<string, { readonly count: number; readonly since: number }>();
  const time = (): number => now().getTime();
  /** A key that no earlier email with this content had, as far as it is known; the first is the same after a restart. */
  const fresh = (contentKey: string, freshKey: string): string => {
    const { count, since } = counts.get(contentKey) ?? { count: 0, since: 0 };
    const before = time() - since < DAY_MS ? count : 0;
    counts.delete(contentKey);
    counts.set(contentKey, { count: before + 1, since: time() });
    const [oldest] = counts.keys();
    if (counts.size > most && oldest !== undefined) counts.delete(oldest);
    return before === 0 ? freshKey : `${freshKey}-${before + 1}`;
  };
  const keep = (key: string, entry: Kept): void => {
    // A map keeps its order: the oldest is the first.
    kept.delete(key);
    kept.set(key, entry);
    for (const [oldest, { since }] of kept) {
      if (kept.size <= most && time() - since < DAY_MS) break;
      kept.delete(oldest);
    }
  };
  /** `isThere` says whether the client still waits for its reply. */
  const begin = (contentKey: string, freshKey: string, isThere: () => boolean): Claim => {
    const isSame = ([, of]: readonly [string, Kept]): boolean =>
      of.contentKey === contentKey && !of.isOpen() && time() - of.since < DAY_MS;
    const [idempotencyKey, before] = [...kept].find(isSame) ?? [fresh(contentKey, freshKey)];
    if (before !== undefined) before.isTaken = true;
    const since = time();
    const hasGivenUp = (): boolean => !isThere() && time() - since >= PATIENCE_MS;
    const own: Kept = { contentKey, since, isOpen: () => !hasGivenUp(), isTaken: false };
    keep(idempotencyKey, own);
    return {
      idempotencyKey,
      end: (ending) => {
        if (own.isTaken) return;
        const isKnown =
          ending === 'refused' ||
          (ending === 'answered' && !hasGivenUp()) ||
          (ending === 'nothing' && before === undefined);
        if (isKnown) kept.delete(idempotencyKey);
        else keep(idempotencyKey, { contentKey, since: time(), isOpen: () => false, isTaken: false });
      },
    };
  };
  return { begin };
};
