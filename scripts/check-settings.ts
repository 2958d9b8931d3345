// Checks settings before anything is deployed: node scripts/check-settings.ts NAME=VALUE...
// Exits with 2 and one line for each value that the relay would not accept. An empty value restores the default.

import { AppError, type Problem } from '../src/lib/errors.ts';
import { isNamedConnection, problemsOfConnections } from '../src/lib/settings/connections.ts';
import { PROXY_NAMES, proxyProblems } from '../src/lib/settings/proxy.ts';
import { readSettings, type Setting, settingsTable } from '../src/lib/settings/settings.ts';

const table: Readonly<Record<string, Setting<unknown> | undefined>> = settingsTable;

for (const argument of process.argv.slice(2)) {
  const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(argument) ?? [];
  const setting = table[name];
  try {
    if (name === 'GRAPH_CONNECTIONS' || isNamedConnection(name)) {
      if (value.trim() !== '') requireConnections(name, value);
      continue;
    }
    if (isOfProxy(name)) {
      if (value.trim() !== '') requireProxy(name, value.trim());
      continue;
    }
    if (setting === undefined) throw new Error('the name of a setting of the relay (docs/settings.md)');
    if (value.trim() !== '') setting.parse(value.trim());
  } catch (error) {
    console.error(`--set ${name}: expected ${(error as Error).message}.`);
    process.exitCode = 2;
  }
}

/** Not settings of the relay's own: Node and the functions host read them too. */
function isOfProxy(name: string): boolean {
  return [...PROXY_NAMES, 'NO_PROXY', 'NODE_USE_ENV_PROXY'].includes(name);
}

function requireProxy(name: string, value: string): void {
  if (name === 'NODE_USE_ENV_PROXY' && value !== '0' && value !== '1') throw new Error('0 or 1');
  // Azure puts the secret of the vault in the place of such a reference.
  if (name.startsWith('NO') || value.startsWith('@Microsoft.KeyVault(')) return;
  const [problem] = proxyProblems({ [name]: value });
  if (problem !== undefined) throw new Error(`${problem.expected}; received ${problem.received}`);
}

/** Says everything that is wrong with connections, and where. */
function requireConnections(name: string, value: string): void {
  const found = connectionProblems(name, value);
  for (const { pointer, expected, received } of found)
    console.error(`--set ${name}: ${pointer}: expected ${expected}; received ${received}.`);
  if (found.length > 0) process.exitCode = 2;
}

function connectionProblems(name: string, value: string): readonly Problem[] {
  try {
    return problemsOfConnections(readSettings({ [name]: value }, ['GRAPH_CONNECTIONS']));
  } catch (error) {
    if (error instanceof AppError && error.facts.problems !== undefined) return error.facts.problems;
    throw error;
  }
}
