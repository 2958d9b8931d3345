import type { Ports } from '../../../src/lib/ports.ts';

/*
 * What the use cases ask of storage and Graph, as steps of the model of crashes. A port or a method that is not listed here does not
 * compile; a step that no explored world takes fails protocol.test.ts.
 */

/** How a step can go wrong. */
export type StepKind =
  /** It changes nothing: whether it failed or its answer was lost is the same. */
  | 'read'
  | 'write'
  /** A write that a client of storage can repeat by itself, so that it happens twice. */
  | 'put'
  /** A request to Graph that has a report of its own for each failure. */
  | 'request'
  /** Time in which others go on. It cannot fail. */
  | 'wait';

/** Not a step, and why that keeps no interleaving from being seen. */
type Outside = { readonly outside: string };

type Rule = StepKind | Outside;
type RuleOf<Port> = Port extends (...inputs: never[]) => unknown
  ? Rule
  : Port extends readonly unknown[]
    ? Outside
    : Outside | { readonly [Method in keyof Port]-?: Rule };

const OTHER_USE_CASES: Outside = { outside: 'no use case that moves an email is given it' };
const FACTS: Outside = { outside: 'it is known in the process, or kept there for a minute' };
const ONLY_SHOWN: Outside = {
  outside: 'only what people see is read from it, and nothing follows from that',
};
const SAME_QUEUES: Outside = { outside: 'these are the queues mailQueue and poisonQueue under other names' };

/** Every method of every port. */
export const PROTOCOL = {
  ledger: {
    find: 'read',
    create: 'write',
    replace: 'write',
    listOpen: 'read',
    expire: 'write',
    forget: { outside: 'an operator deletes an email that has ended; forget-mail.test.ts has its races' },
    fileEarlier: 'write',
  },
  mailIndex: ONLY_SHOWN,
  payloads: { put: 'write', read: 'read', sizeOf: 'read', keep: 'write', delete: 'write', list: 'read' },
  records: { store: 'write', list: 'read', read: 'read', delete: 'write' },
  captured: {
    store: 'write',
    list: ONLY_SHOWN,
    read: ONLY_SHOWN,
    delete: 'write',
    clear: ONLY_SHOWN,
    expire: 'write',
  },
  mailQueue: { put: 'put', count: ONLY_SHOWN },
  arrivalQueue: { put: 'put', count: ONLY_SHOWN },
  poisonQueue: { put: 'put', count: ONLY_SHOWN },
  poisonQueues: SAME_QUEUES,
  events: { put: 'put' },
  mailboxes: { send: 'request', routeOf: FACTS, find: 'read' },
  drafts: {
    create: 'request',
    mark: 'request',
    attach: 'request',
    openUpload: {
      outside:
        'it stands where attach does, for files of 3 MB and more; send-by-draft.test.ts has its failures',
    },
    send: 'request',
    look: 'read',
    remove: 'write',
    listOf: 'read',
    listBefore: 'read',
  },
  receivedMail: OTHER_USE_CASES,
  watchedMailboxes: {
    outside:
      'that a sender is watched for reports is no promise about an email; its failures are only logged',
  },
  attachments: { find: 'read', read: 'read' },
  traces: OTHER_USE_CASES,
  traceUses: OTHER_USE_CASES,
  callers: FACTS,
  callerStore: OTHER_USE_CASES,
  operatorTrail: OTHER_USE_CASES,
  usages: { read: 'read', write: 'write', expire: 'write' },
  mailboxLanes: { read: 'read', write: 'write', expire: 'write' },
  recipientBudgets: { read: 'read', write: 'write' },
  heartbeats: ONLY_SHOWN,
  counts: OTHER_USE_CASES,
  samples: OTHER_USE_CASES,
  appTokens: OTHER_USE_CASES,
  vault: OTHER_USE_CASES,
  connections: OTHER_USE_CASES,
  warnings: OTHER_USE_CASES,
  webhook: OTHER_USE_CASES,
  webhookQueue: OTHER_USE_CASES,
  eventWebhooks: OTHER_USE_CASES,
  signingKeys: OTHER_USE_CASES,
  rotations: OTHER_USE_CASES,
  readIdentity: FACTS,
  clock: { now: FACTS, sleep: 'wait' },
  random: FACTS,
  log: ONLY_SHOWN,
} as const satisfies { readonly [Name in keyof Ports]-?: RuleOf<NonNullable<Ports[Name]>> };

type StepsOf<Port> = {
  [Name in keyof Port & string]: {
    [Method in keyof Port[Name] & string]: Port[Name][Method] extends StepKind ? `${Name}.${Method}` : never;
  }[keyof Port[Name] & string];
}[keyof Port & string];

/** A step, by port and method; or what the host does with a message when its invocation has ended. */
export type StepName = StepsOf<typeof PROTOCOL> | 'host.deleteMessage';

const isStep = (rule: unknown): rule is StepKind => typeof rule === 'string';

/** Every step, with how it can go wrong. */
export const STEPS: ReadonlyMap<StepName, StepKind> = new Map([
  ...Object.entries(PROTOCOL).flatMap(([port, methods]) =>
    Object.entries(methods).flatMap(([method, rule]) =>
      port !== 'outside' && method !== 'outside' && isStep(rule)
        ? [[`${port}.${method}` as StepName, rule as StepKind] as const]
        : [],
    ),
  ),
  ['host.deleteMessage' as const, 'write' as const],
]);
