import type { MailFacts } from '../../src/lib/ledger/ledger-row.ts';

/** What the ledger is told of a mail that is fine as it is; override what the test is about. */
export const aNewMail = (acceptedAt: Date, override: Partial<MailFacts> = {}): MailFacts => ({
  mailId: '01a20556-8aab-77d5-aa30-5d8c2af8cc9f',
  caller: 'key:test',
  sender: 'noreply@contoso.example',
  recipients: 1,
  tags: [],
  bodyHash: 'hash',
  leavesCopy: true,
  acceptedAt: acceptedAt.toISOString(),
  ...override,
});
