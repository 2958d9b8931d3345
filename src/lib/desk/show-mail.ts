import { AppError } from '../errors.ts';
import { isIn } from '../ledger/ledger-row.ts';
import type { Ports } from '../ports.ts';
import { toDeskStatus } from './desk-status.ts';
import { type HeldContent, readHeldContent } from './held-content.ts';
import { findMail, type MailStatus } from './mail-status.ts';

export type ShowNeeds = Pick<Ports, 'ledger' | 'records' | 'log'>;

/**
 * Any email, for those who may see all. With its subject and recipients where it is held and they are asked for: from its record, for this
 * one answer, and the log says that they were read. Throws MAIL_NOT_FOUND.
 */
export const showMail = async (
  needs: ShowNeeds,
  mailId: string,
  withContent = false,
): Promise<MailStatus & { readonly content?: HeldContent }> => {
  const { row } = await findMail(needs, mailId);
  const status = toDeskStatus(row);
  if (!withContent || !isIn(row, 'held')) return status;
  const content = await readHeldContent(needs, row.facts.mailId).catch(unlessGone);
  if (content === undefined) return status;
  needs.log({ event: 'MailContentShown', mailId: row.facts.mailId });
  return { ...status, content };
};

/** The status is worth more than what only the application had, or what an operator took away a moment ago. */
const unlessGone = (error: unknown): undefined => {
  if (error instanceof AppError && (error.code === 'PAYLOAD_MISSING' || error.code === 'MAIL_NOT_HELD'))
    return undefined;
  throw error;
};
