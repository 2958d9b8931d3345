// Checks settings before anything is deployed: node scripts/check-settings.ts NAME=VALUE...
// Exits with 2 and one line for each value that the relay would not accept. An empty value restores the default.

import { type Setting, settingsTable } from '../src/lib/settings/settings.ts';

const table: Readonly<Record<string, Setting<unknown> | undefined>> = settingsTable;

for (const argument of process.argv.slice(2)) {
  const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(argument) ?? [];
  const setting = table[name];
  try {
    if (setting === undefined) throw new Error('the name of a setting of the relay (docs/settings.md)');
    if (value.trim() !== '') setting.parse(value.trim());
  } catch (error) {
    console.error(`--set ${name}: expected ${(error as Error).message}.`);
    process.exitCode = 2;
  }
}
