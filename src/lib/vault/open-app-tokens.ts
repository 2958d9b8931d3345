import { openedAtFirstCall } from '../lazily.ts';
import type { AppTokens } from '../ports.ts';
import type { AppTokenOptions } from './app-tokens.ts';

/** Checks tokens; loads what checks signatures with the first of them. */
export const openAppTokens = (options: AppTokenOptions, now: () => Date): AppTokens =>
  openedAtFirstCall(
    async () => {
      const [tokens, { readJson }] = await Promise.all([import('./app-tokens.ts'), import('./read-json.ts')]);
      return tokens.openAppTokens(options, { readJson, now });
    },
    { check: 'promise' },
  );
