import type { InState, MailFacts } from '../src/lib/ledger/ledger-row.ts';
import { newMailId } from '../src/lib/ledger/mail-id.ts';
import { claimNew, recordSent } from '../src/lib/ledger/transitions.ts';
import { openLedgerTable } from '../src/lib/storage/ledger-table.ts';
import type { BenchStorage } from './cloud.ts';

const newMail = (mailId: MailFacts['mailId'], now: Date): MailFacts => ({
  mailId,
  caller: 'key:0123456789',
  sender: 'bench1@contoso.example',
  recipients: 1,
  tags: [],
  leavesCopy: true,
  bodyHash: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  acceptedAt: now.toISOString(),
});

const accepted = (now: Date) =>
  ({
    at: now.toISOString(),
    outcome: 'accepted',
    graphRequestId: 'd8a4f5f0-7f0e-4e58-9d8f-3a1f4f3f9a11',
  }) as const;

/** The row of a mail that was sent at once. */
export const sentRow = (mailId: string, now: Date): InState<'sent'> =>
  recordSent(claimNew(newMail(mailId, now), false, now), accepted(now), now);

/** What a mail by HTTP costs in storage, and nothing else: its claim and its end. */
export const openLedgerWrites = (storage: BenchStorage): (() => Promise<void>) => {
  const ledger = openLedgerTable({ kind: 'connection-string', connectionString: storage.connectionString });
  return async () => {
    const now = new Date();
    const claimed = claimNew(newMail(newMailId(now), now), false, now);
    const written = await ledger.create(claimed);
    if (written === undefined) throw new Error('A new mail was in the ledger already.');
    await ledger.replace(recordSent(claimed, accepted(now), now), written.etag);
  };
};
