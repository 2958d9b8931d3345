import { makePacer } from '../../src/lib/delivery/pacer.ts';
import type { Ports } from '../../src/lib/ports.ts';
import type { LaneLimits } from '../../src/lib/sending/mailbox-lane.ts';
import type { Pacer, Passenger } from '../../src/lib/sending/pacing.ts';
import { type FakeLanes, makeFakeLanes } from './fake-lanes.ts';

/** The port of lanes in memory, with the time of storage. */
export const lanesIn = (lanes: FakeLanes, now: () => Date): Ports['mailboxLanes'] => ({
  read: async (mailbox) => ({ ...lanes.read(mailbox), server: { at: now(), precisionMs: 1 } }),
  write: async (mailbox, lane, etag) => ({
    ...lanes.write(mailbox, lane, etag, now()),
    server: { at: now(), precisionMs: 1 },
  }),
  expire: async (before) => lanes.expire(before),
});

type Given = Partial<LaneLimits> & {
  readonly clock: Ports['clock'];
  readonly random?: () => number;
  readonly log?: Ports['log'];
  readonly lanes?: FakeLanes;
  /** Instead of lanes in memory. */
  readonly mailboxLanes?: Ports['mailboxLanes'];
  readonly owner?: string;
};

/** A pacer over lanes in memory. */
export const aPacer = ({
  clock,
  random = () => 0.5,
  log = () => undefined,
  lanes = makeFakeLanes(),
  mailboxLanes = lanesIn(lanes, clock.now),
  owner = 'one',
  ...limits
}: Given): Pacer =>
  makePacer(
    { mailboxLanes, clock, random, log },
    {
      concurrent: 4,
      perMinute: 30,
      recipientsPerDay: 10_000,
      bookAheadMs: 43_200_000,
      agesAfterMs: 21_600_000,
      ...limits,
    },
    owner,
  );

/** An email that wants to go. */
export const A_PASSENGER: Passenger = {
  mailId: 'a-mail',
  priority: 'normal',
  waitsSince: new Date('2026-03-02T08:00:00Z'),
  recipients: 1,
  bytes: 1000,
};
