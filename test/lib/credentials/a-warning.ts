import type { CredentialWarning } from '../../../src/lib/credentials/credential-warning.ts';
import { theMainConnection } from '../../support/a-connection.ts';

const USE = {
  connection: theMainConnection(),
  senders: ['noreply@contoso.example', '*@contoso.example'],
  callers: ['payroll', 'function-keys', 'queue'],
};

type Expiring = Extract<CredentialWarning, { readonly daysLeft: number }>;

/** The client secret of the main connection, with a week left. */
export const anExpiring = (changes: Partial<Expiring> = {}): Expiring => ({
  key: 'expiry!secret!graph-client-secret!2026-11-29T07:00:00.000Z',
  mark: '2026-11-29T07:00:00.000Z',
  state: 'expiring',
  name: 'graph-client-secret',
  kind: 'secret',
  uses: [USE],
  owners: [],
  expiresOn: new Date('2026-11-29T07:00:00Z'),
  daysLeft: 7,
  ...changes,
});
