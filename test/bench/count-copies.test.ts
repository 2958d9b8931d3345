import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { inFolder } from '../local/certificate-for-tests.ts';

const COUNT_COPIES = join(import.meta.dirname, '..', '..', 'bench', 'processes', 'count-copies.ts');
const BYTES = 100_000;

/** Runs an expression in the built app, or beside it, and tells what was counted. */
const countedOf = (expression: string, place: 'dist' | 'elsewhere' = 'dist'): Promise<number> =>
  inFolder(async (folder) => {
    await mkdir(join(folder, place));
    await writeFile(
      join(folder, place, 'app.mjs'),
      `const bytes = new Uint8Array(${BYTES}).fill(65);
const buffer = Buffer.from(bytes.buffer);
const text = 'a'.repeat(${BYTES});
export const run = () => ${expression};`,
    );
    const script = `process.send = (said) => console.log(JSON.stringify(said));
const { run } = await import('./${place}/app.mjs');
const before = new Promise((resolve) => { process.send = ({ copiedBytes }) => resolve(copiedBytes); });
process.emit('message', { ask: 'copied' });
run();
const first = await before;
process.send = ({ copiedBytes }) => console.log(copiedBytes - first);
process.emit('message', { ask: 'copied' });`;
    await writeFile(join(folder, 'main.mjs'), script);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [`--import=${COUNT_COPIES}`, join(folder, 'main.mjs')],
      { env: { ...process.env, APP_FOLDER: folder, NODE_OPTIONS: '' } },
    );
    return Number(stdout);
  });

test.each([
  ['a buffer that is copied', 'Buffer.from(buffer)', 1],
  ['buffers that are joined', 'Buffer.concat([buffer, buffer])', 2],
  ['text that becomes bytes', "Buffer.from(text, 'latin1')", 1],
  ['text that is written', "Buffer.alloc(200_000).write(text, 0, 'latin1')", 1],
  ['bytes that are put into others', 'new Uint8Array(200_000).set(bytes, 1)', 1],
  ['bytes that fill others', 'Buffer.alloc(200_000).fill(bytes, 0, 100_000)', 1],
  ['bytes that become text', "buffer.toString('latin1')", 1],
  ['texts that are joined', "[text, text].join('')", 2],
  ['text that is changed', "text.replaceAll('a', 'b')", 1],
])('%s is counted once', async (_case, expression, times) => {
  expect(await countedOf(expression)).toBe(times * BYTES);
});

test.each([
  ['a view', 'Buffer.from(bytes.buffer).subarray(1)'],
  ['a copy of less than a kilobyte', 'buffer.subarray(0, 1000).toString()'],
])('%s is not counted', async (_case, expression) => {
  expect(await countedOf(expression)).toBe(0);
});

test('what code beside the app copies is not counted', async () => {
  expect(await countedOf('Buffer.from(buffer)', 'elsewhere')).toBe(0);
});
