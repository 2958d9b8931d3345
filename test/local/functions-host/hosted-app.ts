import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import {
  type FunctionsHost,
  type FunctionsHostOptions,
  startFunctionsHost,
} from '../../../local/functions-host/start-functions-host.ts';

export const KEYS = { functionKey: 'the-function-key', masterKey: 'the-master-key' };

export const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

const running: FunctionsHost[] = [];

afterEach(async () => {
  for (const host of running.splice(0)) await host.close();
});

/** A host on a free port, closed after the test; `lines` is its log. */
export async function hostApp(name: string, options: Partial<FunctionsHostOptions> = {}) {
  const lines: string[] = [];
  const host = await startFunctionsHost({
    ...KEYS,
    appFolder: fixture(name),
    storageConnectionString: 'UseDevelopmentStorage=true',
    port: 0,
    log: (line) => lines.push(line),
    settings: {},
    ...options,
  });
  running.push(host);
  return { ...host, lines };
}
