import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ROOT } from './documents.ts';

/** A tool and its arguments; the last one is what it was given to read, if it reads. */
export type Call = readonly string[];

/** What a tool prints, by the words with which its call begins; `{name}` is the value of the option --name. */
export type Answers = Readonly<Record<string, string>>;

const STAND_IN = `#!${process.execPath}
const { appendFileSync, readFileSync } = require('node:fs');
const [, script, ...words] = process.argv;
const read = words.includes('-') ? [readFileSync(0, 'utf8')] : [];
appendFileSync(process.env.CALLS, JSON.stringify([script.split('/').pop(), ...words, ...read]) + '\\n');
const answer = Object.entries(JSON.parse(process.env.ANSWERS)).find(([start]) => words.join(' ').startsWith(start));
if (answer) console.log(answer[1].replace('{name}', words[words.indexOf('--name') + 1]));
`;

/** What a page writes between < and >, apart from the address in a sender. */
const PLACEHOLDER = /<[^>\n@]+>/g;

/** The blocks of commands of a page. One that begins with an option continues a command. */
export const bashBlocksOf = (text: string): readonly string[] =>
  [...text.matchAll(/^ *```bash\n(.*?)^ *```/gms)]
    .map(([, block = '']) => block)
    .filter((block) => !block.trim().startsWith('--'));

/** Runs the commands of a page in their order, with stand-ins that write down what they were asked. */
export const followGuide = (
  text: string,
  tools: readonly string[],
  answers: Answers,
  fill: (placeholder: string) => string = () => 'x',
): readonly Call[] => {
  const folder = mkdtempSync(join(tmpdir(), 'guide-'));
  try {
    for (const tool of tools) {
      writeFileSync(join(folder, tool), STAND_IN);
      chmodSync(join(folder, tool), 0o755);
    }
    const calls = join(folder, 'calls');
    writeFileSync(calls, '');
    const script = `set -euo pipefail\n${bashBlocksOf(text).join('\n')}`
      .replaceAll(PLACEHOLDER, fill)
      .replaceAll(/\binfra\/(?:scripts\/)?(?=[\w-]+\.sh)/g, '')
      .replaceAll(/^cd .*$/gm, '');
    const { status, stderr } = spawnSync('bash', ['-c', script], {
      cwd: ROOT,
      encoding: 'utf8',
      env: {
        ...process.env,
        CALLS: calls,
        ANSWERS: JSON.stringify(answers),
        PATH: `${folder}:${process.env.PATH}`,
      },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return readFileSync(calls, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Call);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
