import type { Address } from '../mail/address.ts';
import type { Priority } from '../mail/priority.ts';
import type { OnUnknown } from '../sending/unknown-policy.ts';

/** The ways by which emails come in. */
export const DOORS = ['http', 'queue'] as const;
export type Door = (typeof DOORS)[number];

/** What a caller may do. */
export type CallerRules = {
  /**
   * Addresses, or `*@domain` for every address of a domain; without them, as whom the settings allow. What the settings do not
   * allow stays refused.
   */
  readonly senders?: readonly string[];
  /** Of emails that name no sender; without it, the first address of `senders`, or the default of the settings. */
  readonly defaultSender?: Address;
  /** `*` for everybody, `*@domain`, or addresses. */
  readonly recipients: readonly string[];
  /** Emails, and recipients of all of them, that are accepted from midnight to midnight UTC. */
  readonly mailsPerDay?: number;
  readonly recipientsPerDay?: number;
  /** Of the body and the files of one email, before any encoding. */
  readonly maxMailBytes?: number;
  readonly doors: readonly Door[];
  /** Whose emails it may look at. */
  readonly reads: 'own' | 'all';
  /** What is done about an unknown outcome where the email does not say. */
  readonly onUnknown?: OnUnknown;
  /** Of emails that say none, and the highest that one can have; without it, normal and any. */
  readonly priority?: Priority;
  /** Every email of it has these, beside its own. */
  readonly tags: readonly string[];
  /** The address that is told of what concerns this caller. */
  readonly owner?: string;
  readonly isDisabled: boolean;
};

/** An application that sends, as the relay has found out by what it presented. */
export type Caller = {
  /** The name under which the ledger has its emails. */
  readonly name: string;
  /** The names its emails had before it was declared. */
  readonly earlierNames: readonly string[];
  /** Whose rules these are, for people: its name, or that of the rules for all callers that nobody declared. */
  readonly knownAs: string;
  readonly rules: CallerRules;
};

/** Everything, as before there were callers: the settings alone say as whom. */
export const UNLIMITED: CallerRules = {
  recipients: ['*'],
  doors: DOORS,
  reads: 'own',
  tags: [],
  isDisabled: false,
};

/** Whether an email in the ledger is of this caller. */
export const isOf = ({ name, earlierNames }: Caller, callerOfMail: string): boolean =>
  callerOfMail === name || earlierNames.includes(callerOfMail);
