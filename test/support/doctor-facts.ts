import type { Connection } from '../../src/lib/connections/connection.ts';
import type { DoctorFacts, Seen } from '../../src/lib/desk/doctor-facts.ts';
import type { CredentialProof } from '../../src/lib/ports.ts';
import { aSecret } from './fake-vault.ts';
import { NOW } from './in-memory-ports.ts';

export const seen = <Value>(value: Value): Seen<Value> => ({ kind: 'seen', value });

export const aConnection = (changes: Partial<Connection> = {}): Connection => ({
  name: 'main',
  cloud: 'global',
  authority: 'https://login.microsoftonline.com',
  graphEndpoint: 'https://graph.microsoft.com',
  tenantId: 'contoso.example',
  clientId: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  credential: { kind: 'client-secret', secretName: 'graph-client-secret' },
  senders: [],
  ...changes,
});

export const daysFromNow = (days: number): Date => new Date(NOW.getTime() + days * 86_400_000);

export const aProof = (changes: Partial<CredentialProof> = {}): CredentialProof => ({
  version: aSecret({ version: '0123456789abcdef', expiresOn: daysFromNow(200) }),
  roles: [],
  expiresOn: new Date(NOW.getTime() + 3_600_000),
  ...changes,
});

/** A relay of which everything is in order. */
export const healthyFacts = (changes: Partial<DoctorFacts> = {}): DoctorFacts => ({
  now: NOW,
  settings: {
    problems: [],
    strayNames: [],
    isSendingOn: true,
    safety: [],
    senders: ['noreply@contoso.example'],
    looksUp: true,
    draftSettings: [],
    warningDays: 60,
  },
  storage: { tables: seen(undefined), queues: seen(undefined), blobs: seen(undefined) },
  queues: [seen({ name: 'mail', messages: 0 })],
  poisonQueues: [seen({ name: 'mail-poison', messages: 0 })],
  held: seen({ count: 0, hasMore: false }),
  vault: seen(1),
  connections: [{ connection: aConnection(), proof: seen(aProof()) }],
  mailboxes: [{ mailbox: 'noreply@contoso.example', connection: 'main', sighting: seen({ kind: 'absent' }) }],
  mailboxesLeft: 0,
  skewMs: seen(400),
  heartbeats: [{ name: 'sweep', lastRun: seen({ endedAt: new Date(NOW.getTime() - 1_800_000) }) }],
  ...changes,
});
