import { makeRandom, type Random } from './random.ts';
import { TIMES } from './scaled-times.ts';

/** What happens to whole instances, whatever emails they have. */
export type Outage =
  | {
      readonly kind: 'storage frozen';
      readonly instance: number | 'all';
      readonly ms: number;
      readonly carriesOut: 'at the end' | 'meanwhile';
    }
  | {
      readonly kind: 'storage slow';
      readonly instance: number | 'all';
      readonly ms: number;
      readonly answerMs: number;
    }
  /** SIGSTOP, and SIGCONT after this time. */
  | { readonly kind: 'process stopped'; readonly instance: number; readonly ms: number }
  /** From then on its clock is wrong by so much. */
  | { readonly kind: 'clock jump'; readonly instance: number; readonly errorMs: number }
  | { readonly kind: 'replaced'; readonly instance: number; readonly how: 'drain' | 'SIGTERM' }
  | { readonly kind: 'killed'; readonly instance: number; readonly whom: 'worker' | 'host' };

/** It begins when this mail is given to the relay. */
export type PlannedOutage = { readonly atMail: number; readonly outage: Outage };

/** After this part of the mails the last instance has joined, and after so many in a long run. */
const ALL_FROM = 0.4;
const ALL_FROM_MOST = 200;
/** Beyond this part of the mails nothing begins: the run is to show how it ends. */
const LAST_AT = 0.95;
const MAILS_FOR_EACH = 60;
/** Each stops the run for seconds. */
const MOST = 96;

const FROZEN_MS = 3000;
const MORE_FROZEN_MS = 5000;
const SLOW_FOR_MS = 8000;
const SLOW_ANSWER_MS = 150;
const MORE_SLOW_MS = 350;
const BRIEFLY_MS = 2000;
const MORE_BRIEFLY_MS = 4000;
/** Others have given up its attempts by then, looked for their emails, and sent them. */
export const LONG_STOP_MS = (TIMES.sendingLimit.run + TIMES.verify.run + 4) * 1000;
const CLOCK_MS = TIMES.clock.run * 1000;

/** After how many mails an instance joins the others. */
export const joinsAt = (instance: number, mails: number, instances: number): number =>
  instance === 0 ? 0 : Math.floor((Math.min(mails * ALL_FROM, ALL_FROM_MOST) * instance) / (instances - 1));

type Make = (random: Random, instance: number) => Outage;
const frozen =
  (carriesOut: 'at the end' | 'meanwhile', isForAll = false): Make =>
  (random, instance) => ({
    kind: 'storage frozen',
    instance: isForAll ? 'all' : instance,
    ms: FROZEN_MS + random.below(isForAll ? 1 : MORE_FROZEN_MS),
    carriesOut,
  });
const slow =
  (isForAll = false): Make =>
  (random, instance) => ({
    kind: 'storage slow',
    instance: isForAll ? 'all' : instance,
    ms: SLOW_FOR_MS,
    answerMs: SLOW_ANSWER_MS + random.below(MORE_SLOW_MS),
  });

/** Each once, in an order by chance, and then again. */
const DECK: readonly Make[] = [
  frozen('at the end'),
  frozen('meanwhile'),
  frozen('at the end', true),
  slow(),
  slow(true),
  (random, instance) => ({
    kind: 'process stopped',
    instance,
    ms: BRIEFLY_MS + random.below(MORE_BRIEFLY_MS),
  }),
  (_, instance) => ({ kind: 'process stopped', instance, ms: LONG_STOP_MS }),
  (_, instance) => ({ kind: 'clock jump', instance, errorMs: CLOCK_MS }),
  (_, instance) => ({ kind: 'clock jump', instance, errorMs: -CLOCK_MS }),
  (_, instance) => ({ kind: 'replaced', instance, how: 'drain' }),
  (_, instance) => ({ kind: 'replaced', instance, how: 'SIGTERM' }),
  (_, instance) => ({ kind: 'killed', instance, whom: 'worker' }),
  (_, instance) => ({ kind: 'killed', instance, whom: 'host' }),
];

/** Spread over the run, each kind at least once. */
export const planOutages = (mails: number, instances: number, seed: number): readonly PlannedOutage[] => {
  const random = makeRandom(seed ^ 0x0a7a9e);
  const count = Math.max(DECK.length, Math.min(MOST, Math.round(mails / MAILS_FOR_EACH)));
  const planned: PlannedOutage[] = [];
  let deck: Make[] = [];
  for (let index = 0; index < count; index += 1) {
    const atMail = Math.floor((mails * LAST_AT * (index + random.next())) / count);
    const running = Array.from({ length: instances }, (_, instance) => instance).filter(
      (instance) => joinsAt(instance, mails, instances) <= atMail,
    );
    if (deck.length === 0) deck = [...DECK];
    const [make] = deck.splice(random.below(deck.length), 1);
    const instance = running[random.below(running.length)] ?? 0;
    if (make !== undefined) planned.push({ atMail, outage: make(random, instance) });
  }
  return planned;
};

/** How it is counted. */
export const nameOf = (outage: Outage): string => {
  switch (outage.kind) {
    case 'storage frozen':
      return `storage frozen for ${whoOf(outage.instance)}, requests carried out ${outage.carriesOut}`;
    case 'storage slow':
      return `storage slow for ${whoOf(outage.instance)}`;
    case 'process stopped':
      return stopName(outage.ms);
    case 'clock jump':
      return `clock ${outage.errorMs > 0 ? 'ahead' : 'behind'} by ${Math.abs(outage.errorMs) / 1000} s`;
    case 'replaced':
      return `instance replaced, ${outage.how}`;
    case 'killed':
      return `kill -9 of the ${outage.whom} at any time`;
  }
};

const whoOf = (instance: number | 'all'): string => (instance === 'all' ? 'all instances' : 'one instance');

/** By whether others can have taken over in the meantime. */
export const stopName = (ms: number): string =>
  ms >= LONG_STOP_MS ? 'SIGSTOP, SIGCONT after others took over' : 'SIGSTOP, SIGCONT soon';
