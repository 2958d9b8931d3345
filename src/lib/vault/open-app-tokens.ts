import { openedAtFirstCall } from '../lazily.ts';
import type { ProxyEnv } from '../network/agents.ts';
import type { AppTokens } from '../ports.ts';
import type { AppTokenOptions } from './app-tokens.ts';

/** Checks tokens; loads what checks signatures with the first of them. */
export const openAppTokens = (
  options: AppTokenOptions & { readonly proxyEnv?: ProxyEnv },
  now: () => Date,
): AppTokens =>
  openedAtFirstCall(
    async () => {
      const [tokens, { makeReadJson }, { openHttps }] = await Promise.all([
        import('./app-tokens.ts'),
        import('./read-json.ts'),
        import('../graph/one-request.ts'),
      ]);
      return tokens.openAppTokens(options, { readJson: makeReadJson(openHttps(options.proxyEnv)), now });
    },
    { check: 'promise' },
  );
