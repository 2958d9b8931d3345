import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  disable,
  RENEW_MAIN_SECRET,
  recordDate,
  renewCertificate,
  renewSecret,
} from '../../src/lib/credentials/renewal-commands.ts';
import { TOOLS_MS } from '../support/patience.ts';
import { azVersion, misunderstoodByAz } from '../support/real-az.ts';

const ROOT = join(import.meta.dirname, '../..');
const context = { vault: 'kv-relay' };
const date = new Date('2027-05-31T00:00:00Z');

/** The words of a command as bash makes them; a command inside it gives one word. */
const wordsOf = (command: string): readonly string[] =>
  execFileSync('bash', ['-c', `az() { echo inner; }; set -- ${command}; printf '%s\\n' "$@"`], {
    encoding: 'utf8',
  })
    .trimEnd()
    .split('\n');

const AZ = [
  ...renewCertificate(context, 'graph-certificate', '11111111-2222-3333-4444-555555555555'),
  'az keyvault certificate get-default-policy',
  'az keyvault show --name kv-relay --query id --output tsv',
  recordDate(context, { name: 'erp-key', version: '0f3a', date }),
  recordDate(context, { name: 'erp-key', version: '', date }),
  disable(context, 'secret', 'erp-key'),
  disable(context, 'certificate', 'web-tls'),
];

test.skipIf(azVersion === undefined)(
  'az understands every command of a warning',
  async () => {
    const commands = AZ.map((command) => wordsOf(command).slice(1));
    expect(commands[0]).toContain('inner');
    // One that it cannot understand, else nothing would be found.
    const wrong = ['ad', 'app', 'credential', 'reset', '--no-such-option', 'x'];
    const misunderstood = await misunderstoodByAz([...commands, wrong]);
    expect(misunderstood).toEqual([expect.stringContaining('--no-such-option')]);
  },
  TOOLS_MS,
);

test.each([
  RENEW_MAIN_SECRET.replace('<resource group>', 'rg'),
  renewSecret(context, 'erp-key', '11111111-2222-3333-4444-555555555555'),
])('the script of a warning has these options: %s', (command) => {
  const [script = '', ...words] = wordsOf(command);
  const help = execFileSync(join(ROOT, script), ['--help'], { encoding: 'utf8' });
  for (const word of words.filter((one) => one.startsWith('--')))
    expect(help).toMatch(new RegExp(`${word}\\b`));
});
