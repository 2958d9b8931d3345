import type { ErrorCode } from '../error-catalogue.ts';

/** What an operator does that is worth knowing later. */
export const OPERATOR_ACTIONS = ['sign-in', 'replay', 'close', 'open', 'trace', 'test', 'forget'] as const;
export type OperatorAction = (typeof OPERATOR_ACTIONS)[number];

/** An email that an act is about. */
type ActedMail = {
  readonly mailId: string;
  /** Absent while nobody knows: the relay ended before it could write it. */
  readonly outcome?: 'done' | ErrorCode;
};

/** What one operator did at one time: names of operators are in it, and nothing of an email but its id. */
export type OperatorAct = {
  /** In the order of time, the newest first. */
  readonly id: string;
  readonly at: string;
  readonly with: 'master key' | 'Entra';
  readonly by: string;
  readonly action: OperatorAction;
  readonly note?: string;
  readonly mails: readonly ActedMail[];
  /** What it led to as a whole, where that is not about emails that were there. */
  readonly failed?: ErrorCode;
};

/** The largest time of a Date: what is taken from it is smaller the later it was. */
const END_OF_TIME = 8_640_000_000_000_000;
const DIGITS = 16;

/** Where acts of this time begin in the order of ids. */
export const actIdsFrom = (at: Date): string => String(END_OF_TIME - at.getTime()).padStart(DIGITS, '0');

/** The id of an act; `unique` has letters, digits and dashes. */
export const newActId = (at: Date, unique: string): string => `${actIdsFrom(at)}-${unique}`;

export const isActId = (text: string): boolean => /^\d{16}-[0-9a-f-]{36}$/.test(text);
