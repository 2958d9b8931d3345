import type { FaultRuleInput } from '../../local/graph/fault-rules.ts';
import type { MailStory } from '../support/mail-promises.ts';
import { makeRandom, type Random } from './random.ts';
import type { Operation } from './storage-operations.ts';

/** One mail of a run, and what Graph does to it. */
export type PlannedMail = {
  readonly number: number;
  readonly mailbox: string;
  readonly policy: MailStory['policy'];
  readonly way: 'queue, plain' | 'queue, base64' | 'HTTP' | 'HTTP, respond-async';
  readonly key: string | undefined;
  /** Put on the queue a second time, as an application does that does not know whether the first time worked. */
  readonly twice: boolean;
  readonly large: boolean;
  readonly files: number;
  readonly graphFaults: readonly GraphFault[];
  /** Lies in wait from the moment this mail is given to the relay, for whichever mail comes first. */
  readonly incident: Incident | undefined;
};

type GraphFault = {
  readonly name: string;
  /** The call that it hits where the mail goes as a draft; else it hits sendMail. */
  readonly draftCall: (typeof DRAFT_CALLS)[number];
  readonly fault: Exclude<FaultRuleInput, { on: 'connect' }>['fault'];
  /** Nobody can know from the answer whether the mail was sent. */
  readonly inDoubt: boolean;
};

export type Incident =
  | { readonly kind: 'kill'; readonly at: Operation | 'accept'; readonly when: 'before' | 'after' }
  | {
      readonly kind: 'storage';
      readonly at: Operation;
      readonly fate: 'reset before' | 'reset after' | 'busy';
      /** More than the SDKs try, and the relay itself meets the failure. */
      readonly times: number;
    }
  | { readonly kind: 'entra' | 'key vault'; readonly fault: 'busy' | 'reset'; readonly times: number };

/** Few mails for each, so that a mailbox that is throttled holds up few others. */
const MOST_MAILBOXES = 300;
/** Longer than GRAPH_TIMEOUT_SECONDS of a run, which is 1. */
const TOO_SLOW_MS = 1600;

const mailboxOf = (number: number): string => `chaos-${number % MOST_MAILBOXES}@contoso.example`;
export const mailboxesFor = (mails: number): readonly string[] =>
  Array.from({ length: Math.min(mails, MOST_MAILBOXES) }, (_, number) => mailboxOf(number));

/** What is done to a draft; to send it twice as often, as there it matters most. */
const DRAFT_CALLS = [
  'createDraft',
  'addAttachment',
  'sendDraft',
  'sendDraft',
  'getMessage',
  'deleteMessage',
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
] as const;

/** The instants at which a process can die that matter to a mail, and at which storage can fail it. */
const INSTANTS = [
  'write sending',
  'write sent',
  'write deferred',
  'write unknown',
  'write held',
  'put message',
  'delete message',
  'put payload',
  'delete payload',
  'store record',
] as const;
const COMMON_INSTANTS = ['write sending', 'write sent', 'put message', 'delete message'] as const;

const planIncident = (random: Random): Incident => {
  const at = random.pick(random.chance(0.6) ? COMMON_INSTANTS : INSTANTS);
  const dice = random.next();
  if (dice < 0.1) return { kind: 'kill', at: 'accept', when: 'after' };
  if (dice < 0.35) return { kind: 'kill', at, when: random.pick(['before', 'after']) };
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

const planMail = (number: number, random: Random): PlannedMail => {
  const way = random.pick(['queue, plain', 'queue, base64', 'HTTP', 'HTTP', 'HTTP, respond-async'] as const);
  const isHttp = way.startsWith('HTTP');
  const keyed = isHttp || random.chance(0.4);
  return {
    number,
    mailbox: mailboxOf(number),
    policy: random.pick(['verify', 'verify', 'hold', 'resend']),
    way,
    key: keyed ? `mail-${number}` : undefined,
    twice: keyed && !isHttp && random.chance(0.5),
    // A message of an application holds 64 KiB: as much as fits one, and needs a blob once the relay has it wait.
    large: way !== 'queue, base64' && random.chance(0.15),
    files: random.pick([0, 1, 2]),
    graphFaults: random.chance(0.4)
      ? [{ ...random.pick(GRAPH_FAULTS), draftCall: random.pick(DRAFT_CALLS) }]
      : [],
    incident: random.chance(0.14) ? planIncident(random) : undefined,
  };
};

/** Everything that will be tried, from a seed. */
export const planRun = (mails: number, seed: number): readonly PlannedMail[] => {
  const random = makeRandom(seed);
  return Array.from({ length: mails }, (_, number) => planMail(number, random));
};
