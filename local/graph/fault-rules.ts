import { z } from 'zod';

/** Every call that a fault can hit. */
const FAULTY_CALLS = [
  'sendMail',
  'createDraft',
  'updateDraft',
  'addAttachment',
  'listAttachments',
  'createUploadSession',
  'uploadRange',
  'sendDraft',
  'getMessage',
  'listMessages',
  'deleteMessage',
  'listMessageTraces',
  'getTraceDetails',
] as const;
export type FaultyCallName = (typeof FAULTY_CALLS)[number];

/** A 32-bit timer fires at once beyond 24 days; ten minutes outlast every client. */
const LONGEST_DELAY_MS = 600_000;
const MOST_TIMES = 1_000_000;

const headerText = z.string().regex(/^[\x20-\x7e]+$/, 'expected printable ASCII on one line');

const kinds = (expected: string) => ({ error: `expected a kind: ${expected}` });

/** Answers this instead of what is true. A body is sent as it is; without one, errors get Graph's error body. */
const answer = z
  .strictObject({
    kind: z.literal('answer'),
    status: z.int().min(200).max(599),
    retryAfter: headerText.optional(),
    code: z.string().min(1).optional(),
    message: z.string().optional(),
    body: z.string().optional(),
    contentType: headerText.optional(),
    /** Carry the call out first: a 504 after accepting, a 202 with Retry-After. */
    accept: z.boolean().default(false),
  })
  .refine(({ body, code, message }) => body === undefined || (code ?? message) === undefined, {
    error: "expected either 'body' or 'code' and 'message', not both",
    path: ['body'],
  })
  .refine(({ body, contentType }) => contentType === undefined || body !== undefined, {
    error: "expected a 'body' that is of this type",
    path: ['contentType'],
  })
  .refine(({ status, body }) => body === undefined || (status !== 204 && status !== 304), {
    error: 'expected no body: HTTP forbids one with this status',
    path: ['body'],
  });

/** Resets the TCP connection, before or after the call was carried out. */
const reset = z.strictObject({ kind: z.literal('reset'), when: z.enum(['before', 'after']) });

const delay = z.strictObject({
  kind: z.literal('delay'),
  ms: z.int().min(0).max(LONGEST_DELAY_MS),
  /** A client that hangs up ends the delay; this says whether the call was carried out all the same. */
  whenClientLeaves: z.enum(['accept', 'forget']).default('forget'),
  /** What happens to a client that stayed; without it, the call is carried out. */
  afterwards: z.discriminatedUnion('kind', [answer, reset], kinds('answer or reset')).optional(),
});

/** What the store says of a draft that it does not have yet: a call right after its creation may reach another server. */
const notFound = z.strictObject({ kind: z.literal('notFound') });

const call = z.strictObject({
  on: z.enum(FAULTY_CALLS),
  /** Primary address; without it, any mailbox. */
  mailbox: z.string().toLowerCase().min(1).optional(),
  times: z.int().min(1).max(MOST_TIMES).default(1),
  /** Lets this many matching calls pass first. */
  after: z.int().min(0).max(MOST_TIMES).default(0),
  /** Only for MIME of more bytes than this, once decoded. Real ones were seen to answer 200 to 2,240 KB and to send nothing. */
  mimeAboveBytes: z.int().min(0).optional(),
  fault: z.discriminatedUnion(
    'kind',
    [answer, reset, delay, notFound],
    kinds('answer, reset, delay or notFound'),
  ),
});

/** New TCP connections, before the TLS handshake: nothing of a request was sent yet. */
const connect = call.pick({ times: true, after: true }).extend({
  on: z.literal('connect'),
  fault: z.strictObject({ kind: z.literal('reset') }),
});

export const faultRuleSchema = z.discriminatedUnion('on', [call, connect], {
  error: `expected a fault rule on ${FAULTY_CALLS.join(', ')} or connect`,
});

/** As written by a person: what has a default may be left out. */
export type FaultRuleInput = z.input<typeof faultRuleSchema>;
export type FaultRule = z.output<typeof faultRuleSchema>;
export type CallFault = z.output<typeof call>['fault'];

export type InstalledFault = {
  readonly id: number;
  readonly rule: FaultRule;
  readonly passed: number;
  readonly fired: number;
};

export type FaultedCall =
  | {
      readonly on: FaultyCallName;
      readonly mailbox: string;
      /** Bytes of the MIME, where the call brought some. */
      readonly mimeBytes?: number | undefined;
    }
  | { readonly on: 'connect' };

/**
 * Which rule, if any, takes this call: the first that matches, has let enough calls pass and is not used up. A rule that lets
 * a call pass hands it to the next; a call that was taken is not seen by the rules behind.
 */
export const takeFault = (
  faults: readonly InstalledFault[],
  seen: FaultedCall,
): { readonly faults: readonly InstalledFault[]; readonly taken?: InstalledFault } => {
  const after = [...faults];
  for (const [index, fault] of faults.entries()) {
    if (!matches(fault.rule, seen) || fault.fired >= fault.rule.times) continue;
    if (fault.passed < fault.rule.after) {
      after[index] = { ...fault, passed: fault.passed + 1 };
      continue;
    }
    const taken = { ...fault, fired: fault.fired + 1 };
    after[index] = taken;
    return { faults: after, taken };
  }
  return { faults: after };
};

const matches = (rule: FaultRule, seen: FaultedCall) =>
  rule.on === seen.on &&
  (rule.on === 'connect' ||
    seen.on === 'connect' ||
    ((rule.mailbox === undefined || rule.mailbox === seen.mailbox.toLowerCase()) &&
      (rule.mimeAboveBytes === undefined || (seen.mimeBytes ?? 0) > rule.mimeAboveBytes)));
