import { lazily } from '../lazily.ts';
import type { ProxyEnv } from '../network/agents.ts';

/** Asks the host whether a key is its master key; loads what that needs when first asked. */
export const openMasterKey = (hostname: string | undefined, proxyEnv: ProxyEnv | undefined) => {
  const opened = lazily(async () => {
    const [{ makeCheckMasterKey }, { openHttps }] = await Promise.all([
      import('./master-key.ts'),
      import('../graph/one-request.ts'),
    ]);
    return makeCheckMasterKey(hostname, openHttps(proxyEnv));
  });
  return async (key: string): Promise<'right' | 'wrong' | 'unknown'> => (await opened())(key);
};
