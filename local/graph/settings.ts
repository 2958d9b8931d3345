import { z } from 'zod';
import { EXCHANGE_LIMITS, type Limits } from './mailbox-limits.ts';

/** What may be changed while the stand-in runs. */
export type GraphSettings = {
  readonly limits: Limits;
  /** How long the copy of a mail takes to its mailbox's Sent Items. */
  readonly sentItemsDelayMs: number;
  /** How long an accepted mail stays in Drafts until transport takes it. */
  readonly transportDelayMs: number;
};

export const changeSchema = z.strictObject({
  limits: z
    .strictObject({
      on: z.boolean().optional(),
      concurrentPerMailbox: z.int().min(1).optional(),
      messagesPerMinute: z.int().min(1).optional(),
    })
    .optional(),
  sentItemsDelayMs: z.int().min(0).optional(),
  transportDelayMs: z.int().min(0).optional(),
});

export type SettingsChange = z.infer<typeof changeSchema>;

export type ChangeableSettings = ReturnType<typeof makeChangeableSettings>;

/** The limits of Exchange and no delays, with what is set at the start. */
export const makeChangeableSettings = (start: SettingsChange) => {
  let settings: GraphSettings = apply(
    { limits: EXCHANGE_LIMITS, sentItemsDelayMs: 0, transportDelayMs: 0 },
    start,
  );
  return {
    current: (): GraphSettings => settings,
    change: (input: SettingsChange): GraphSettings => {
      settings = apply(settings, input);
      return settings;
    },
  };
};

const apply = (
  settings: GraphSettings,
  { limits = {}, sentItemsDelayMs, transportDelayMs }: SettingsChange,
): GraphSettings => ({
  limits: {
    on: limits.on ?? settings.limits.on,
    concurrentPerMailbox: limits.concurrentPerMailbox ?? settings.limits.concurrentPerMailbox,
    messagesPerMinute: limits.messagesPerMinute ?? settings.limits.messagesPerMinute,
  },
  sentItemsDelayMs: sentItemsDelayMs ?? settings.sentItemsDelayMs,
  transportDelayMs: transportDelayMs ?? settings.transportDelayMs,
});
