import { openedAtFirstCall } from '../lazily.ts';
import type { ProxyEnv } from '../network/agents.ts';
import type { Webhook } from '../ports.ts';

/** The webhook at this address; loads its adapter at the first post, which most days do not have. `proxyEnv` is the proxy of the settings. */
export const openWebhook = (url: string, proxyEnv?: ProxyEnv): Webhook =>
  openedAtFirstCall(
    async () => {
      const [{ openHttps }, { openHttpsWebhook }] = await Promise.all([
        import('../graph/one-request.ts'),
        import('./https-webhook.ts'),
      ]);
      return openHttpsWebhook(url, openHttps(proxyEnv));
    },
    { post: 'promise' },
  );
