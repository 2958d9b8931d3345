import type { PacingWorld } from './pacing-world.ts';

/** The worlds of the lane of one mailbox. `inSuite`: the troubles that are explored with the other tests. */
export const PACING_WORLDS: readonly (Omit<PacingWorld, 'troubles'> & { readonly inSuite: number })[] = [
  ...[1, 2].flatMap((perMinute) => [
    {
      name: `two emails, ${perMinute} a minute, one instance and its successors`,
      ...{ perMinute, emails: 2, clocksMs: [0], inSuite: 1 },
    },
    {
      name: `two emails, ${perMinute} a minute, two instances whose clocks are 3 s apart`,
      ...{ perMinute, emails: 2, clocksMs: [0, 3000], inSuite: 0 },
    },
  ]),
  {
    name: 'two emails, 1 a minute, two instances whose clocks are 3 s slow and right',
    ...{ perMinute: 1, emails: 2, clocksMs: [-3000, 0], inSuite: 0 },
  },
  ...[1, 15].map((retryAfter) => ({
    name: `two emails, 2 a minute, one instance and its successors, Graph refuses for ${retryAfter} s`,
    ...{ perMinute: 2, emails: 2, clocksMs: [0], retryAfter, inSuite: 1 },
  })),
  {
    name: 'two emails, 2 a minute, two instances whose clocks are 3 s apart, Graph refuses for 15 s',
    ...{ perMinute: 2, emails: 2, clocksMs: [0, 3000], retryAfter: 15, inSuite: 0 },
  },
  {
    name: 'three emails, 2 a minute, one instance and its successors',
    ...{ perMinute: 2, emails: 3, clocksMs: [0], inSuite: 0 },
  },
];
