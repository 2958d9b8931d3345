import type { Connection } from '../connections/connection.ts';
import type { Problem, Reason } from '../errors.ts';
import type { CredentialProof } from '../ports.ts';
import type { Sighting } from '../sending/look-up-plan.ts';

/** What came of a look at one thing. */
export type Seen<Value> =
  | { readonly kind: 'seen'; readonly value: Value }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly upstream?: string }
  /** Nothing came within the time that the doctor has. */
  | { readonly kind: 'late' };

/** What the settings say. Each is absent where it is invalid. */
export type DoctorSettings = {
  readonly problems: readonly Problem[];
  /** Of connections of which only their own senders are refused. */
  readonly connectionProblems: readonly Problem[];
  /** Names that begin like a setting and are not one. */
  readonly strayNames: readonly string[];
  readonly isSendingOn?: boolean;
  /** A sentence for each setting of a test environment that is on. */
  readonly safety: readonly string[];
  /** Addresses and `*@domain`, the default sender first. */
  readonly senders: readonly string[];
  /** An email of unknown outcome is looked for in Sent Items. */
  readonly looksUp: boolean;
  /** The settings that make the relay send drafts. */
  readonly draftSettings: readonly string[];
  /** So many days before the end, warnings begin. */
  readonly warningDays?: number;
  readonly rotationDays?: number;
  /** Host of the proxy that everything goes through. */
  readonly proxyHost?: string;
};

export type QueueFacts = {
  readonly name: string;
  /** Undefined where there is no such queue. */
  readonly messages: number | undefined;
  /** Since when the message that is due next has been there, where nobody took it while the doctor watched. */
  readonly stuckSince?: Date;
};

/** How the main services of storage answer. */
type StorageFacts = Readonly<Record<'tables' | 'queues' | 'blobs', Seen<unknown>>>;

export type ConnectionFacts = { readonly connection: Connection; readonly proof: Seen<CredentialProof> };

/** A sender mailbox, and what its connection saw in it. */
export type MailboxFacts = {
  readonly mailbox: string;
  readonly connection: string;
  readonly sighting: Seen<Sighting>;
};

/** Why a connection cannot read message traces; undefined where it can. */
export type TraceFacts = { readonly connection: string; readonly answer: Seen<Reason | undefined> };

export type LastRun = {
  readonly endedAt: Date;
  /** What it could not do, as a sentence. */
  readonly trouble?: string;
};

export type HeartbeatFacts = {
  readonly name: 'sweep' | 'warnings' | 'rotation';
  readonly lastRun: Seen<LastRun | undefined>;
};

/** Everything that the doctor found out, without an opinion. */
export type DoctorFacts = {
  readonly now: Date;
  readonly settings: DoctorSettings;
  readonly storage: StorageFacts;
  readonly queues: readonly Seen<QueueFacts>[];
  readonly poisonQueues: readonly Seen<QueueFacts>[];
  /** How many emails are held; counted up to a limit. */
  readonly held: Seen<{ readonly count: number; readonly hasMore: boolean }>;
  /** How many secrets and certificates the vault lists; absent where no vault is set. */
  readonly vault?: Seen<number>;
  /** Absent where the settings name none that could be opened. */
  readonly connections: readonly ConnectionFacts[];
  readonly mailboxes: readonly MailboxFacts[];
  /** How many named senders were not looked at. */
  readonly mailboxesLeft: number;
  /** The clock of Entra less our own, in milliseconds. */
  readonly skewMs?: Seen<number>;
  readonly heartbeats: readonly HeartbeatFacts[];
  /** Absent where MAIL_TRACE is off. */
  readonly traces?: readonly TraceFacts[];
};
