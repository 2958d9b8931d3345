import { afterAll, expect, test } from 'vitest';
import { run } from '../support/caller-examples.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { ROOT, readDocument } from '../support/documents.ts';
import { startRelay } from './relay-for-tests.ts';

/** In the order of the page, in its code blocks and in its text, each once. */
const commands = new Set(
  [...readDocument('docs/manage-callers.md').text.matchAll(/(?:^|`)(npm run \w+ -- [^`\n]+)/gm)].map(
    ([, command = '']) => command,
  ),
);

const relay = await startRelay();
afterAll(() => relay.close());

/** In bash, as an operator of a deployed relay has it, with npm replaced by what it would run: that is faster. */
const bash = (script: string, environment: Record<string, string> = {}) =>
  run(
    ['bash', '-c', `npm() { local name=$2; shift 3; "$NODE" "${ROOT}/scripts/$name.ts" "$@"; }\n${script}`],
    {
      folder: relay.cloud.folder,
      environment: {
        NODE: process.execPath,
        MAIL_RELAY_URL: relay.url(),
        MAIL_RELAY_MASTER_KEY: KEYS.masterKey,
        ...environment,
      },
    },
  );

/** The request that `add` prints, from the line after the one that reads the key. */
const printedRequest = (output: string): string => /^ *curl [\s\S]*/m.exec(output)?.[0] ?? 'false';

test('every command of the page for callers works in its order on the relay of npm start', async () => {
  const verbs = new Set<string>();
  let oldKey = '';
  for (const command of commands) {
    // With a placeholder, it stands for another that is there in full.
    if (/\bNAME\b/.test(command)) continue;
    const verb = command.split(' ')[4] ?? '';
    verbs.add(verb);
    const { status, output } = await bash(command.replace(/\bID\b/, oldKey));
    expect(status, `${command}\n${output}`).toBe(0);
    const [key = '', id = ''] = /gmr_([a-z0-9]+)_[a-z0-9]+/.exec(output) ?? [];
    if (verb !== 'add') continue;
    oldKey = id;
    const sent = await bash(`${printedRequest(output).trimEnd()} --silent`, { MAIL_RELAY_KEY: key });
    expect(JSON.parse(sent.output)).toMatchObject({ state: 'sent', sender: 'payroll@contoso.example' });
  }
  expect([...verbs].sort()).toEqual(
    [
      '--help',
      'add',
      'audit',
      'disable',
      'enable',
      'limit',
      'list',
      'remove',
      'revoke-key',
      'rotate-key',
      'show',
    ].sort(),
  );
});
