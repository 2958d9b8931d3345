import type { FaultRuleInput } from '../../local/graph/fault-rules.ts';
import type { MailStory } from '../support/mail-promises.ts';
import { type DeclaredCaller, LIMITED, TWO_WAYS } from './declared-callers.ts';
import { LONG_STOP_MS } from './outages.ts';
import { makeRandom, type Random } from './random.ts';
import type { Operation } from './storage-operations.ts';
import type { Killed } from './storage-proxy.ts';

/** One mail of a run, and what Graph does to it. */
export type PlannedMail = {
  readonly number: number;
  readonly mailbox: string;
  readonly policy: MailStory['policy'];
  readonly way: 'queue, plain' | 'queue, base64' | 'HTTP' | 'HTTP, respond-async' | 'HTTP and queue';
  /** Absent: it is given with a function key, or on the queue of all. */
  readonly caller: DeclaredCaller | undefined;
  readonly key: string | undefined;
  /** Put on the queue a second time, as an application does that does not know whether the first time worked. */
  readonly twice: boolean;
  readonly large: boolean;
  readonly files: number;
  /** A file that needs an upload session, and where it is. */
  readonly largeFile: LargeFile | undefined;
  /** Has what a message in JSON cannot say. */
  readonly asMime: boolean;
  /** How long after it is given it is to be sent; else it is sent as soon as it can be. */
  readonly laterMs: number | undefined;
  /** Its application takes it back while it waits. */
  readonly cancel: boolean;
  readonly graphFaults: readonly GraphFault[];
  /** Lies in wait from the moment this mail is given to the relay, for whichever mail comes first. */
  readonly incident: Incident | undefined;
};

type LargeFile = 'in a blob' | 'in the email';

type GraphFault = {
  readonly name: string;
  /** The call that it hits where the mail goes as a draft; else it hits sendMail. */
  readonly draftCall: (typeof DRAFT_CALLS)[number] | (typeof UPLOAD_CALLS)[number];
  readonly fault: Exclude<FaultRuleInput, { on: 'connect' }>['fault'];
  /** Nobody can know from the answer whether the mail was sent. */
  readonly inDoubt: boolean;
};

/** `soon after`: its answer is heard, and what follows it is under way. */
type KillTime = 'before' | 'after' | 'soon after';

export type Incident =
  | {
      readonly kind: 'kill';
      readonly at: Operation | 'accept';
      readonly when: KillTime;
      readonly whom: Killed;
    }
  /** SIGSTOP after storage has carried it out and before the process hears of it, and SIGCONT after this time. */
  | { readonly kind: 'stop'; readonly at: Operation; readonly ms: number }
  | {
      readonly kind: 'storage';
      readonly at: Operation;
      readonly fate: 'reset before' | 'reset after' | 'busy';
      /** More than the SDKs try, and the relay itself meets the failure. */
      readonly times: number;
    }
  | { readonly kind: 'message'; readonly at: 'put message'; readonly fate: MessageFate; readonly ms: number }
  | { readonly kind: 'entra' | 'key vault'; readonly fault: 'busy' | 'reset'; readonly times: number };

/** It arrives once more after this time, or only then. */
export type MessageFate = 'repeated' | 'late';

/** Few mails for each, so that a mailbox that is throttled holds up few others. */
const MOST_MAILBOXES = 300;
/** So many mails of so many are from busy mailboxes, which get more than Exchange takes in a minute; not too many for each, or a run would take hours. */
const [BUSY, OF] = [3, 20];
const MAILS_FOR_BUSY = 150;
/** Longer than GRAPH_TIMEOUT_SECONDS of most instances. */
const TOO_SLOW_MS = 1600;
/** Longer than any instance waits; one of them then has no functionTimeout left. */
const HANGS_MS = 30_000;

/** As many mails have a file above 3 MB; each costs as much as dozens of others. */
const LARGE_FILES = 0.025;
/** Longer runs have no more of what costs a start of a host or an upload: it would take hours, and shows nothing new. */
const AS_OFTEN_UNTIL = 2000;
/** As many mails are of each declared caller. */
const DECLARED = 0.08;
/** Long enough for a caller to take the mail back, and short enough to be sent within the run. */
const LEAST_LATER_MS = 3000;
const MORE_LATER_MS = 6000;

const mailboxOf = (number: number): string => `chaos-${number % MOST_MAILBOXES}@contoso.example`;
const busyOf = (number: number): string => `busy-${number}@contoso.example`;
const countBusy = (mails: number): number => Math.ceil((mails * BUSY) / OF / MAILS_FOR_BUSY);
export const mailboxesFor = (mails: number): readonly string[] => [
  ...Array.from({ length: Math.min(mails, MOST_MAILBOXES) }, (_, number) => mailboxOf(number)),
  ...Array.from({ length: countBusy(mails) }, (_, number) => busyOf(number)),
];

/** What is done to a draft; to send it twice as often, as there it matters most. */
const DRAFT_CALLS = [
  'createDraft',
  'addAttachment',
  'sendDraft',
  'sendDraft',
  'getMessage',
  'deleteMessage',
] as const;

/** Of a mail with a large file. */
const UPLOAD_CALLS = [
  'createDraft',
  'createUploadSession',
  'uploadRange',
  'uploadRange',
  'sendDraft',
  'sendDraft',
] as const;

type Fault = Omit<GraphFault, 'draftCall'>;
const known = (name: string, fault: Fault['fault']): Fault => ({ name, fault, inDoubt: false });
const doubtful = (name: string, fault: Fault['fault']): Fault => ({ name, fault, inDoubt: true });

const GRAPH_FAULTS = [
  known('429', { kind: 'answer', status: 429 }),
  known('429 with Retry-After', { kind: 'answer', status: 429, retryAfter: '1.5' }),
  known('503', { kind: 'answer', status: 503, retryAfter: '1' }),
  doubtful('504 after accepting', { kind: 'answer', status: 504, accept: true }),
  doubtful('504 without accepting', { kind: 'answer', status: 504 }),
  doubtful('500 after accepting', { kind: 'answer', status: 500, accept: true }),
  doubtful('reset before accepting', { kind: 'reset', when: 'before' }),
  doubtful('reset after accepting', { kind: 'reset', when: 'after' }),
  doubtful('too slow, accepted', { kind: 'delay', ms: TOO_SLOW_MS, whenClientLeaves: 'accept' }),
  doubtful('too slow, forgotten', { kind: 'delay', ms: TOO_SLOW_MS, whenClientLeaves: 'forget' }),
  doubtful('hangs, accepted', { kind: 'delay', ms: HANGS_MS, whenClientLeaves: 'accept' }),
  doubtful('hangs, forgotten', { kind: 'delay', ms: HANGS_MS, whenClientLeaves: 'forget' }),
] as const;

/** The instants at which a process can die that matter to a mail, and at which storage can fail it. */
const INSTANTS = [
  'write sending',
  'write draft',
  'write submitting',
  'write sent',
  'write deferred',
  'write canceled',
  'write unknown',
  'write held',
  'put message',
  'delete message',
  'put payload',
  'delete payload',
  'store record',
] as const;
const COMMON_INSTANTS = [
  'write sending',
  'write submitting',
  'write sent',
  'put message',
  'delete message',
] as const;
/** Between the draft and its first range, between two ranges or while one is under way, and between the last and the sending. */
const UPLOAD_INSTANTS = {
  'in a blob': ['read file', 'read file', 'read file', 'write draft', 'write submitting'],
  'in the email': ['write draft', 'write submitting'],
} as const;

/** Between them and what follows, another instance must not find an email that nobody works on, and send it. */
const STOP_INSTANTS = [
  'write sending',
  'write sending',
  'write submitting',
  'write sent',
  'put message',
] as const;
const LATE_MS = 12_000;

/** A worker dies more often than its host. */
const pickKilled = (random: Random): Killed => random.pick(['worker', 'worker', 'host']);
const pickStop = (random: Random): number => (random.chance(0.5) ? LONG_STOP_MS : 1000 + random.below(3000));

const planIncident = (random: Random): Incident => {
  const at = random.pick(random.chance(0.6) ? COMMON_INSTANTS : INSTANTS);
  const dice = random.next();
  if (dice < 0.1) return { kind: 'kill', at: 'accept', when: 'after', whom: pickKilled(random) };
  if (dice < 0.3)
    return { kind: 'kill', at, when: random.pick(['before', 'after']), whom: pickKilled(random) };
  if (dice < 0.38) return { kind: 'stop', at: random.pick(STOP_INSTANTS), ms: pickStop(random) };
  if (dice < 0.48) {
    const fate = random.pick(['repeated', 'late'] as const);
    return { kind: 'message', at: 'put message', fate, ms: LEAST_LATER_MS + random.below(LATE_MS) };
  }
  if (dice < 0.92) {
    const fate = random.pick(['reset before', 'reset after', 'busy'] as const);
    return { kind: 'storage', at, fate, times: random.pick([1, 2, 5]) };
  }
  return {
    kind: random.pick(['entra', 'key vault'] as const),
    fault: random.pick(['busy', 'reset'] as const),
    // Once is enough: all mails under way in a fresh process meet it together.
    times: 1,
  };
};

const planUploadIncident = (random: Random, place: LargeFile): Incident => {
  const whom = pickKilled(random);
  if (random.chance(0.2)) return { kind: 'kill', at: 'accept', when: 'after', whom };
  const at: Operation = random.pick<Operation>(UPLOAD_INSTANTS[place]);
  return { kind: 'kill', at, when: random.pick(['before', 'after', 'soon after']), whom };
};

const planGraphFault = (random: Random, isUploaded: boolean): GraphFault => {
  const fault = random.pick(GRAPH_FAULTS);
  if (!isUploaded) return { ...fault, draftCall: random.pick(DRAFT_CALLS) };
  const draftCall = random.pick(UPLOAD_CALLS);
  // Whatever happened to a range, the email was not sent.
  return { ...fault, draftCall, inDoubt: fault.inDoubt && draftCall === 'sendDraft' };
};

const planLargeFile = (random: Random, way: PlannedMail['way'], rarity: number): PlannedMail['largeFile'] => {
  if (!random.chance(LARGE_FILES / rarity)) return undefined;
  return way.startsWith('HTTP') ? random.pick(['in a blob', 'in the email']) : 'in a blob';
};

const pickWay = (random: Random): readonly [PlannedMail['way'], PlannedMail['caller']] => {
  const dice = random.next();
  if (dice < DECLARED) return ['HTTP and queue', TWO_WAYS];
  if (dice < 2 * DECLARED) return [random.pick(['HTTP', 'HTTP, respond-async']), LIMITED];
  return [random.pick(['queue, plain', 'queue, base64', 'HTTP', 'HTTP', 'HTTP, respond-async']), undefined];
};

const senderOf = (number: number, mails: number): string =>
  number % OF < BUSY ? busyOf(Math.floor(number / OF) % countBusy(mails)) : mailboxOf(number);

const planMail = (number: number, mails: number, random: Random, rarity: number): PlannedMail => {
  const [way, caller] = pickWay(random);
  const isHttp = way.startsWith('HTTP');
  const keyed = isHttp || random.chance(0.4);
  // A declared caller has a folder of its own for files.
  const largeFile = caller === undefined ? planLargeFile(random, way, rarity) : undefined;
  const laterMs = random.chance(0.1) ? LEAST_LATER_MS + random.below(MORE_LATER_MS) : undefined;
  return {
    number,
    mailbox: senderOf(number, mails),
    policy: random.pick(['verify', 'verify', 'hold', 'resend']),
    way,
    caller,
    key: keyed ? `mail-${number}` : undefined,
    twice: keyed && !isHttp && random.chance(0.5),
    // A message of an application holds 64 KiB: as much as fits one, and needs a blob once the relay has it wait.
    large: way !== 'queue, base64' && random.chance(0.15),
    files: random.pick([0, 1, 2]),
    largeFile,
    asMime: random.chance(0.2),
    laterMs,
    // Only a caller by HTTP can ask for it.
    cancel: isHttp && laterMs !== undefined && random.chance(0.6),
    graphFaults: random.chance(0.4) ? [planGraphFault(random, largeFile !== undefined)] : [],
    incident: planTrouble(random, largeFile, rarity),
  };
};

const planTrouble = (
  random: Random,
  largeFile: PlannedMail['largeFile'],
  rarity: number,
): Incident | undefined => {
  if (largeFile !== undefined && random.chance(0.7)) return planUploadIncident(random, largeFile);
  return random.chance(0.14 / rarity) ? planIncident(random) : undefined;
};

/** Everything that will be tried, from a seed. */
export const planRun = (mails: number, seed: number): readonly PlannedMail[] => {
  const random = makeRandom(seed);
  const rarity = Math.max(1, mails / AS_OFTEN_UNTIL);
  return Array.from({ length: mails }, (_, number) => planMail(number, mails, random, rarity));
};

/** The run of the test suite. Of few plans it is one with every kind of trouble, as plan.test.ts says; longer ones by `npm run chaos`. */
export const SUITE_RUN = { mails: 100, instances: 2, seed: 290369 } as const;
