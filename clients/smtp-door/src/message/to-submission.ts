import { randomUUID } from 'node:crypto';
import type { Submission } from '../submission.ts';
import { type Arrival, type Judge, judgeMessage, type MessageSettings } from './judge-message.ts';
import type { Refusal } from './refusal.ts';

/** An email for the relay, and what was put right in it. */
export type Judgement =
  | {
      readonly kind: 'submission';
      readonly submission: Submission;
      readonly notes: Readonly<Record<string, string | number | boolean>>;
    }
  | Refusal;

/** Judges what arrived, by SMTP or as a file, and makes a submission of it. */
export const toSubmission = async (
  arrival: Arrival,
  settings: MessageSettings,
  receivedAt: Date,
  judge: Judge = judgeMessage,
): Promise<Judgement> => {
  const judged = await judge({ ...arrival, receivedAt }, settings);
  if (judged.kind === 'refused') return judged;
  const { kind: _, notes, ...email } = judged;
  const submission = {
    id: randomUUID(),
    account: arrival.account.name,
    receivedAt,
    ...email,
  };
  return { kind: 'submission', submission, notes };
};
