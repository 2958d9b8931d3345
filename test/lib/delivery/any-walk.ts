import fc from 'fast-check';
import type { Fate } from '../../support/stepper.ts';
import type { Act } from './simulation.ts';

/** Most things go well, or nothing would ever end. */
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Fate>('answered') },
  { weight: 2, arbitrary: fc.constant<Fate>('refused') },
  { weight: 2, arbitrary: fc.constant<Fate>('lost') },
  { weight: 1, arbitrary: fc.constant<Fate>('dropped') },
);

export const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const process = fc.nat({ max: 1 });
export const one = fc.nat({ max: 7 });
export const mail = {
  policy: fc.constantFrom('verify', 'hold', 'resend'),
  large: fc.boolean(),
  laterMs: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(10 * MINUTE_MS, 25 * HOUR_MS, 9 * DAY_MS, 30 * DAY_MS) },
  ),
} as const;

/** Anything that can happen. */
export const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 24, arbitrary: fc.record({ kind: fc.constant('step'), one, fate }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('deliver'), process }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('put'), ...mail, key: fc.option(fc.nat({ max: 1 })) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('post'), ...mail, process, respondAsync: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('ask again'), process, one }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('kill'), process, happens: fc.nat({ max: 255 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      ms: fc.constantFrom(5000, MINUTE_MS, 7 * MINUTE_MS, 20 * MINUTE_MS),
      happens: fc.nat({ max: 255 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('held'), process }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep'), process }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replay'), process, one }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel'), process, one }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('reschedule'),
      process,
      one,
      laterMs: fc.constantFrom(0, 3 * MINUTE_MS, HOUR_MS, 26 * HOUR_MS, 12 * DAY_MS),
    }),
  },
);

export const options = fc.record({
  perMinute: fc.constantFrom(2, 30),
  leaseMs: fc.constantFrom(MINUTE_MS, 10 * MINUTE_MS),
  deliveries: fc.constantFrom<readonly ('standard' | 'exact')[]>(
    ['standard', 'standard'],
    ['exact', 'exact'],
    ['standard', 'exact'],
  ),
  /** Well within the time that a mail is looked for. */
  sentItemsDelayMs: fc.constantFrom(0, 5000, 10 * MINUTE_MS),
});
