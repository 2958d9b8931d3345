import { AppError } from '../errors.ts';
import { type InState, isIn, type LedgerRow } from '../ledger/ledger-row.ts';
import type { LedgerEntry, Ports } from '../ports.ts';
import { findMail } from './mail-status.ts';

/** Throws MAIL_NOT_FOUND, MAIL_NOT_HELD. */
export const findHeld = async (
  needs: Pick<Ports, 'ledger'>,
  mailId: string,
): Promise<LedgerEntry<InState<'held'>>> => {
  const { row, etag } = await findMail(needs, mailId);
  if (!isIn(row, 'held')) throw new AppError('MAIL_NOT_HELD', { detail: stateDetail(row) });
  return { row, etag };
};

export const stateDetail = ({ fate }: LedgerRow): string => `The email is in the state ${fate.state}.`;
