import { defined } from '../defined.ts';
import type { CredentialProof } from '../ports.ts';
import type { IssuedToken } from './entra-token.ts';

/** What a token proves of its credential. */
export const toProof = async ({
  token,
  expiresOnTimestamp,
  version,
  passedOver,
}: IssuedToken): Promise<CredentialProof> => ({
  ...defined({ version, passedOver }),
  roles: await rolesIn(token),
  expiresOn: new Date(expiresOnTimestamp),
});

/** For people alone: Microsoft promises nothing of what is in a token for Graph, so one that cannot be read has no roles. */
const rolesIn = async (token: string): Promise<readonly string[]> => {
  const { decodeJwt } = await import('jose');
  try {
    const { roles } = decodeJwt(token);
    return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [];
  } catch {
    return [];
  }
};
