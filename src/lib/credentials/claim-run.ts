import type { Ports, RunClaim, WarningRun } from '../ports.ts';
import { isAhead } from './clock-ahead.ts';

export type ClaimNeeds = Pick<Ports, 'clock' | 'warnings'> & { readonly newRunId: () => string };

/** Twice as long as an invocation can take (host.json, functionTimeout): its run has ended, whatever it says. */
export const CLAIM_MS = 10 * 60_000;

/** A run that may tell people, until it has ended. */
export type ClaimedRun = {
  /** The same for a run that takes over what another one did not finish, so that it writes the same emails. */
  readonly id: string;
  readonly startedAt: Date;
  readonly lastRun?: WarningRun;
  readonly end: (run: WarningRun) => Promise<void>;
  /** It did not get far enough: the next run may begin immediately, and goes on as the same. */
  readonly fail: () => Promise<void>;
};

/** The claim of a run that begins now; undefined while another one is running. */
const decideClaim = (
  current: RunClaim | undefined,
  now: Date,
  newRunId: () => string,
): RunClaim | undefined => {
  const isRunning =
    current?.state === 'running' &&
    !isAhead(current.startedAt, now) &&
    now.getTime() - current.startedAt.getTime() < CLAIM_MS;
  if (isRunning) return undefined;
  const isOpen = current !== undefined && current.state !== 'over';
  return {
    ...current,
    id: isOpen ? current.id : newRunId(),
    startedAt: now,
    state: 'running',
  };
};

/** Claims the run; undefined while another one is running. */
export const claimRun = async ({
  warnings,
  clock,
  newRunId,
}: ClaimNeeds): Promise<ClaimedRun | undefined> => {
  const current = await warnings.readClaim();
  const claim = decideClaim(current.claim, clock.now(), newRunId);
  if (claim === undefined) return undefined;
  const { isOwn, entry } = await warnings.writeClaim(claim, current.etag);
  if (!isOwn) return undefined;
  const write = async (last: RunClaim): Promise<void> => {
    // Another run that has taken over meanwhile says itself how it ends.
    await warnings.writeClaim(last, entry.etag);
  };
  return {
    ...claim,
    end: (lastRun) => write({ ...claim, state: 'over', lastRun }),
    fail: () => write({ ...claim, state: 'failed' }),
  };
};
