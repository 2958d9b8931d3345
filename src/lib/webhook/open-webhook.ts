import { openedAtFirstCall } from '../lazily.ts';
import type { ProxyEnv } from '../network/agents.ts';
import type { EventWebhooks, Webhook } from '../ports.ts';

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

/** Posts events to webhooks; loads its adapter at the first one. */
export const openEventWebhooks = (proxyEnv?: ProxyEnv): EventWebhooks =>
  openedAtFirstCall(
    async () => {
      const [{ openHttps }, { openHttpsEventWebhooks }, { makeLoopbackRequest }] = await Promise.all([
        import('../graph/one-request.ts'),
        import('./https-webhook.ts'),
        import('./loopback-request.ts'),
      ]);
      return openHttpsEventWebhooks(openHttps(proxyEnv), makeLoopbackRequest);
    },
    { post: 'promise' },
  );
