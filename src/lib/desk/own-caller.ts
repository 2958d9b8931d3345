import type { Caller, Door } from '../callers/caller.ts';
import { defaultSenderOf } from '../callers/caller-policy.ts';
import type { UsageToday } from '../callers/quota.ts';
import { defined } from '../defined.ts';
import type { Priority } from '../mail/priority.ts';
import type { SenderPolicy } from '../mail/sender-policy.ts';
import type { Ports } from '../ports.ts';
import { readUsage } from './read-usage.ts';

export type OwnCallerNeeds = Pick<Ports, 'usages' | 'clock'> & {
  /** Absent where the settings are invalid. */
  readonly senderPolicy?: SenderPolicy;
};

/** A caller, in the words of the API: what it may do, and what it has done today. Its owner is not for the application. */
export type OwnCaller = {
  readonly name: string;
  readonly senders: readonly string[];
  readonly defaultSender?: string;
  readonly recipients: readonly string[];
  readonly limits: {
    readonly mailsPerDay?: number;
    readonly recipientsPerDay?: number;
    readonly maxMailBytes?: number;
  };
  readonly doors: readonly Door[];
  readonly reads: 'own' | 'all';
  readonly onUnknown?: string;
  readonly priority?: Priority;
  readonly tags: readonly string[];
  readonly today?: UsageToday;
};

/** Tells a caller its own rules. Without senders of its own, it has those of the settings. */
export const showOwnCaller = async (needs: OwnCallerNeeds, caller: Caller): Promise<OwnCaller> => {
  const { senderPolicy } = needs;
  const {
    senders,
    recipients,
    mailsPerDay,
    recipientsPerDay,
    maxMailBytes,
    doors,
    reads,
    onUnknown,
    priority,
    tags,
  } = caller.rules;
  const ofSettings =
    senderPolicy === undefined ? [] : [senderPolicy.defaultSender.address, ...senderPolicy.allowedSenders];
  return {
    name: caller.knownAs,
    senders: senders ?? ofSettings,
    ...defined({ defaultSender: addressOfDefault(caller, senderPolicy) }),
    recipients,
    limits: defined({ mailsPerDay, recipientsPerDay, maxMailBytes }),
    doors,
    reads,
    ...defined({ onUnknown, priority }),
    tags,
    ...defined({ today: await readUsage(needs, caller) }),
  };
};

const addressOfDefault = (caller: Caller, senderPolicy: SenderPolicy | undefined): string | undefined =>
  senderPolicy === undefined
    ? caller.rules.defaultSender?.address
    : defaultSenderOf(caller, senderPolicy)?.address;
