import { BLOB, REFUSAL_VARIANTS } from './simulated-cloud.ts';
import type { Act } from './simulation.ts';
import type { Failure, SmallWorld, Wish } from './small-world.ts';

type Post = Extract<Act, { readonly kind: 'post' }>;
type Put = Extract<Act, { readonly kind: 'put' }>;

const MAIL = { policy: 'verify', large: false, laterMs: 0 } as const;
const MINUTE_MS = 60_000;

const post =
  (more: Partial<Post> = {}): Wish =>
  (process) => ({ kind: 'post', ...MAIL, respondAsync: false, process, ...more });
/** A message of an application, twice: Storage can deliver any message again while it is worked on. */
const put =
  (more: Partial<Put> = {}): Wish =>
  () => ({ kind: 'put', ...MAIL, key: null, isDoubled: true, ...more });
const onFirst =
  (kind: 'cancel' | 'close' | 'replay'): Wish =>
  (process) => ({ kind, process, one: 0 });
const sweep: Wish = (process) => ({ kind: 'sweep', process });
const reschedule =
  (laterMs: number): Wish =>
  (process) => ({ kind: 'reschedule', process, one: 0, laterMs });

const [BUSY, NO_TOKEN, NEVER] = REFUSAL_VARIANTS.map((variant): Failure => ({ fate: 'refused', variant }));
/** It was sent, and Graph's answer did not come. */
const SENT_UNHEARD: Failure = { fate: 'lost', variant: 0 };
/** It was not sent, and nobody can know. */
const NOT_SENT_UNHEARD: Failure = { fate: 'dropped', variant: 0 };
const STORAGE_DOWN: Failure = { fate: 'refused' };

const sending = (...failures: readonly (Failure | undefined)[]) => ({
  fixed: { 'mailboxes.send': failures.filter((failure) => failure !== undefined) },
});
const EXACT = { deliveries: ['exact', 'exact'] } as const;
const LATER = { respondAsync: true, laterMs: MINUTE_MS } as const;

/** The worlds of which every order of events is explored. */
export const SMALL_WORLDS: readonly SmallWorld[] = [
  { name: 'an email from the queue, and its message again', first: [put()] },
  { name: 'an email from the queue', first: [put({ isDoubled: false })], inSuite: 1 },
  { name: 'an email by HTTP without a key', first: [post({ isKeyless: true })], inSuite: 2 },
  { name: 'an email by HTTP with a key', first: [post()], repeats: 1, inSuite: 1 },
  { name: 'an email by HTTP that is to be queued', first: [post({ respondAsync: true })], repeats: 1 },
  { name: 'two emails from the queue', first: [put({ isDoubled: false }), put({ isDoubled: false })] },
  { name: 'a large email from the queue, that waits once', first: [put({ large: true })], ...sending(BUSY) },
  {
    name: 'an email from the queue with a file in storage',
    first: [put({ more: { attachments: [{ blob: BLOB.name }] } })],
  },
  { name: 'a draft from the queue', options: EXACT, first: [put({ isDoubled: false })] },
  { name: 'a draft by HTTP', options: EXACT, first: [post()], repeats: 1 },
  { name: 'an email from the queue that Graph has no time for', first: [put()], ...sending(BUSY) },
  { name: 'an email by HTTP that Graph has no time for', first: [post()], repeats: 1, ...sending(BUSY) },
  { name: 'an email by HTTP for which there is no token', first: [post()], repeats: 1, ...sending(NO_TOKEN) },
  {
    name: 'an email by HTTP without a key that cannot be queued',
    first: [post({ isKeyless: true })],
    fixed: { 'mailboxes.send': [{ fate: 'refused', variant: 0 }], 'mailQueue.put': [STORAGE_DOWN] },
  },
  { name: 'an email of which nobody hears that it was sent', first: [put()], ...sending(SENT_UNHEARD) },
  {
    name: 'an email of which nobody hears that it was not sent',
    first: [put({ isDoubled: false })],
    ...sending(NOT_SENT_UNHEARD),
  },
  {
    name: 'an email in doubt that is to be held, and is replayed',
    first: [put({ policy: 'hold' })],
    later: [onFirst('replay')],
    ...sending(SENT_UNHEARD),
  },
  {
    name: 'an email in doubt that is to be sent again',
    first: [put({ policy: 'resend' })],
    ...sending(NOT_SENT_UNHEARD),
  },
  {
    name: 'an email that is held and replayed',
    first: [put({ isDoubled: false })],
    later: [onFirst('replay')],
    ...sending(NEVER),
  },
  {
    name: 'an email that is held, and closed while it is replayed',
    first: [put({ isDoubled: false })],
    later: [onFirst('replay'), onFirst('close')],
    ...sending(NEVER),
  },
  { name: 'an email that is canceled', first: [post({ respondAsync: true })], later: [onFirst('cancel')] },
  {
    name: 'an email that waits and is canceled',
    first: [put()],
    later: [onFirst('cancel')],
    ...sending(BUSY),
  },
  { name: 'an email that waits and is closed', first: [put()], later: [onFirst('close')], ...sending(BUSY) },
  { name: 'an email that is queued and closed', first: [post(LATER)], later: [onFirst('close')] },
  { name: 'an email for later that is wanted now', first: [post(LATER)], later: [reschedule(0)] },
  {
    name: 'an email for later that is wanted later still',
    first: [post(LATER)],
    later: [reschedule(2 * MINUTE_MS)],
  },
  {
    name: 'an email by HTTP and from the queue of its caller under one key',
    options: { queueOf: 'key:test' },
    first: [put({ key: 0 })],
    later: [post({ key: 0 })],
  },
  { name: 'an email by HTTP while the sweep runs', first: [post()], repeats: 1, later: [sweep] },
  {
    name: 'an email from the queue that storage fails for until the host gives up',
    first: [put({ isDoubled: false })],
    fixed: {
      'ledger.create': Array.from({ length: 5 }, () => STORAGE_DOWN),
      'arrivalQueue.put': [STORAGE_DOWN],
    },
  },
  {
    name: 'two emails by HTTP of a caller that may send one a day',
    options: { mailsPerDay: 1 },
    first: [post()],
    later: [post()],
  },
  {
    name: 'two emails from the queue of a caller that may send one a day',
    options: { mailsPerDay: 1 },
    first: [put({ isDoubled: false }), put({ isDoubled: false })],
  },
  ...[sending(BUSY), sending(NOT_SENT_UNHEARD)].map(
    (failing, index): SmallWorld => ({
      name: `an email that is captured while that is switched on, ${index === 0 ? 'and waits' : 'and is in doubt'}`,
      options: { captures: [false, true] },
      first: [put({ isDoubled: false })],
      isOnTwo: true,
      ...failing,
    }),
  ),
  {
    name: 'an email that is rejected, and captured when it is repeated',
    options: { captures: [false, true] },
    first: [post()],
    repeats: 1,
    isOnTwo: true,
    ...sending(NEVER),
  },
  ...[1, 2].map(
    (perMinute): SmallWorld => ({
      name: `two emails of a mailbox that takes ${perMinute} a minute`,
      options: { perMinute, clocksMs: [0, 3000] },
      first: [put({ isDoubled: false }), put({ isDoubled: false })],
      isPaced: true,
    }),
  ),
];
