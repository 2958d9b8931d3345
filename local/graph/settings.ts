import { z } from 'zod';
import { EXCHANGE_LIMITS, type Limits } from './mailbox-limits.ts';

/** What may be changed while the stand-in runs. */
export type GraphSettings = {
  readonly limits: Limits;
  /** How long the copy of a mail takes to its mailbox's Sent Items. */
  readonly sentItemsDelayMs: number;
  /** How long an accepted mail stays in Drafts until transport takes it. */
  readonly transportDelayMs: number;
  /** How long it takes until a report comes back. */
  readonly reportDelayMs: number;
  /** What becomes of a Message-ID that the caller chose. */
  readonly callerMessageId: 'keep' | 'rewrite';
  /** Whether the `x-` headers of MIME become extended properties, by which the email is found. */
  readonly mimeHeadersAreProperties: boolean;
  /** How long an upload URL is good for. */
  readonly uploadSessionMs: number;
  /** How long an accepted email takes to the message trace. */
  readonly traceDelayMs: number;
  /** Requests for message traces of one tenant. */
  readonly tracesPerFiveMinutes: number;
  /** How long Entra takes to know a secret that was added. */
  readonly newSecretDelayMs: number;
};

/** Where it is unknown what Exchange does, what is harder for the caller. */
const AT_THE_START: GraphSettings = {
  limits: EXCHANGE_LIMITS,
  sentItemsDelayMs: 0,
  transportDelayMs: 0,
  reportDelayMs: 0,
  callerMessageId: 'rewrite',
  mimeHeadersAreProperties: true,
  uploadSessionMs: 3_600_000,
  // 5 to 15 minutes were seen.
  traceDelayMs: 5 * 60_000,
  tracesPerFiveMinutes: 100,
  // 4 to 18 seconds were seen.
  newSecretDelayMs: 4000,
};

export const changeSchema = z.strictObject({
  limits: z
    .strictObject({
      on: z.boolean().optional(),
      concurrentPerMailbox: z.int().min(1).optional(),
      messagesPerMinute: z.int().min(1).optional(),
      bytesPerFiveMinutes: z.int().min(1).optional(),
      messageBytes: z.int().min(1).optional(),
    })
    .optional(),
  sentItemsDelayMs: z.int().min(0).optional(),
  transportDelayMs: z.int().min(0).optional(),
  reportDelayMs: z.int().min(0).optional(),
  callerMessageId: z.enum(['keep', 'rewrite']).optional(),
  mimeHeadersAreProperties: z.boolean().optional(),
  uploadSessionMs: z.int().min(0).optional(),
  traceDelayMs: z.int().min(0).optional(),
  tracesPerFiveMinutes: z.int().min(0).optional(),
  newSecretDelayMs: z.int().min(0).optional(),
});

export type SettingsChange = z.infer<typeof changeSchema>;

export type ChangeableSettings = ReturnType<typeof makeChangeableSettings>;

/** The limits of Exchange and no delays, with what is set at the start. */
export const makeChangeableSettings = (start: SettingsChange) => {
  let settings = apply(AT_THE_START, start);
  return {
    current: (): GraphSettings => settings,
    change: (input: SettingsChange): GraphSettings => {
      settings = apply(settings, input);
      return settings;
    },
  };
};

const apply = (settings: GraphSettings, { limits, ...rest }: SettingsChange): GraphSettings => ({
  ...settings,
  ...withoutUndefined(rest),
  limits: { ...settings.limits, ...withoutUndefined(limits ?? {}) },
});

type Defined<Change> = { [Name in keyof Change]?: Exclude<Change[Name], undefined> };

const withoutUndefined = <Change extends object>(change: Change) =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Defined<Change>;
