import type { LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import { isFinal } from '../../src/lib/ledger/ledger-row.ts';

/** A mail, and everything that is known of it when all is done. */
export type MailStory = {
  readonly mailId: string;
  readonly policy: 'verify' | 'hold' | 'resend';
  /** The relay took it: it was put on the queue, or a caller was told so. */
  readonly accepted: boolean;
  /** A caller was told that it was sent. */
  readonly toldSent: boolean;
  /** Its caller was told that it was canceled. */
  readonly toldCanceled?: boolean;
  /** Its caller asked to cancel it; undefined where nobody knows. */
  readonly mayBeCanceled?: boolean;
  /** The settings of a test environment have kept it for the inbox page. */
  readonly isCaptured?: boolean;
  /** An operator asked to close it. */
  readonly mayBeClosed?: boolean;
  /** It was sent before the time that it names. */
  readonly isEarly?: boolean;
  /** At some moment nobody could know whether it was sent. */
  readonly doubted: boolean;
  /** How often a person had it sent again, not knowing whether it had been. */
  readonly replays: number;
  /** How often Graph accepted it. */
  readonly copies: number;
  readonly row: LedgerRow | undefined;
  /** What the record of a held mail holds. */
  readonly recorded: unknown;
  /** The mail as its application wrote it. */
  readonly content: unknown;
};

/** How often a mail may go out: once, and once more where somebody chose that for an unknown outcome. */
export const mostCopies = ({ policy, replays }: MailStory): number => (policy === 'resend' ? 2 : 1) + replays;

/** Which promises were broken, in words; nothing when all were kept. */
export const brokenPromises = (story: MailStory): readonly string[] => {
  const { row, copies, policy, accepted, toldSent, toldCanceled, doubted, replays } = story;
  const { mayBeCanceled, mayBeClosed = false, isCaptured = false, isEarly } = story;
  const most = mostCopies(story);
  const state = row?.fate.state ?? 'unknown to the ledger';
  const broken: string[] = [];
  if (accepted && (row === undefined || !isFinal(row)))
    broken.push(`it was accepted and ends in no final state: it is ${state}`);
  if (copies > most) broken.push(`it was sent ${copies} times, and ${most} is the most with ${policy}`);
  if (state === 'sent' && copies === 0) broken.push('the ledger says sent, and Graph never had it');
  if (toldSent && copies === 0) broken.push('a caller was told it was sent, and Graph never had it');
  if (toldSent && policy !== 'resend' && replays === 0 && copies !== 1)
    broken.push(`a caller was told it was sent, and it was sent ${copies} times`);
  if (toldCanceled && state !== 'canceled')
    broken.push(`its caller was told that it was canceled, and it is ${state}`);
  if (state === 'canceled' && mayBeCanceled === false)
    broken.push('nobody asked to cancel it, and it is canceled');
  if (isEarly) broken.push('it was sent before its sendAt');
  if (toldCanceled && !doubted && copies > 0)
    broken.push(`its caller was told that it was canceled, and it was sent ${copies} times`);
  if (accepted && !doubted && state === 'sent' && copies !== 1)
    broken.push(`nothing about it was in doubt, and it was sent ${copies} times`);
  if (!doubted && state !== 'sent' && copies > 0)
    broken.push(`nothing about it was in doubt, it was sent, and it is ${state}`);
  const isGivenUp = state === 'canceled' || (state === 'closed' && mayBeClosed);
  const isShown = state === 'captured' && isCaptured;
  if (accepted && copies === 0 && !isGivenUp && !isShown && !isKept(story))
    broken.push(`it was not sent, and its content is not kept: it is ${state}`);
  return broken;
};

/** It was held with all its content, for a person. */
export const isKept = ({ row, recorded, content }: MailStory): boolean =>
  row?.fate.state === 'held' && JSON.stringify(recorded) === JSON.stringify(content);
