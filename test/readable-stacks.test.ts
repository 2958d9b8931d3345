import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { makeStacksReadable } from '../src/readable-stacks.ts';

const folder = await realpath(await mkdtemp(join(tmpdir(), 'stacks (of a test)-')));
afterAll(() => rm(folder, { recursive: true }));
const before = Error.prepareStackTrace;
afterEach(() => {
  Error.prepareStackTrace = before;
});

const require = createRequire(import.meta.url);
let files = 0;

/** The first place in the stack of an error made in a file of a bundle; `map` is its source map. */
const placeOf = async (map?: string): Promise<string | undefined> => {
  files += 1;
  const dist = join(folder, String(files), 'dist');
  await mkdir(join(dist, 'chunks'), { recursive: true });
  const file = join(dist, 'chunks', 'a.cjs');
  await writeFile(file, "exports.fail = () => new TypeError('bad');\n");
  if (map !== undefined) await writeFile(`${file}.map`, map);
  makeStacksReadable(dist);
  const { stack } = require(file).fail() as Error;
  const [title, first] = (stack ?? '').split('\n');
  expect(title).toBe('TypeError: bad');
  return first?.replace(join(folder, String(files)), '');
};

// The first column of the first line is that of line 42 of the source.
const MAP = { version: 3, sources: ['../../src/lib/a.ts'], names: [], mappings: 'AAyCA' };

test('a place in the bundle is shown as file and line of the source', async () => {
  expect(await placeOf(JSON.stringify(MAP))).toMatch(/^ {4}at .*[(/\\]src[\\/]lib[\\/]a\.ts:42:1\)?$/);
});

test.each([
  ['without its map', undefined],
  ['with a map that cannot be read', '{'],
  ['with a map that does not have the place', JSON.stringify({ ...MAP, mappings: '' })],
  ['that has no source', JSON.stringify({ ...MAP, mappings: 'A;AACA' })],
])('a place %s is shown as it is', async (_, map) => {
  expect(await placeOf(map)).toMatch(/[\\/]dist[\\/]chunks[\\/]a\.cjs:1:22\)?$/);
});

test('other stacks stay as they are', () => {
  const error = new Error('elsewhere');
  const { stack } = error;
  makeStacksReadable(folder);
  const again = new Error('elsewhere');
  expect(again.stack?.split('\n')[0]).toBe(stack?.split('\n')[0]);
  expect(again.stack).toContain('readable-stacks.test.ts');
});
