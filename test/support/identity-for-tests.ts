import { type KnownIdentity, makeIdentity } from '../../src/lib/ledger/identity.ts';
import { openRelayKey } from '../../src/lib/storage/relay-key.ts';

/** The identity of a relay whose key is known to tests. */
export const IDENTITY: KnownIdentity = { ...makeIdentity(Buffer.alloc(32, 7)), hasEarlierRows: false };

/** The identity of a running relay, by the key in its storage. */
export const identityOf = async (connectionString: string): Promise<KnownIdentity> => {
  const { readRelayKey } = openRelayKey({ kind: 'connection-string', connectionString });
  const { key, hasEarlierRows } = await readRelayKey();
  return { ...makeIdentity(key), hasEarlierRows };
};
