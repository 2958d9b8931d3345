import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { toNotices } from '../../scripts/third-party-notices.ts';

const root = await mkdtemp(join(tmpdir(), 'notices-'));
afterAll(() => rm(root, { recursive: true }));
await writeFile(
  join(root, 'LICENSE'),
  'MIT License\n\nCopyright (c) us\n\nPermission is hereby granted, all of it.\n',
);

const addPackage = async (
  name: string,
  packageJson: object,
  files: Readonly<Record<string, string>> = {},
) => {
  const folder = join(root, 'node_modules', name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name, version: '1.2.3', ...packageJson }));
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
};

await addPackage(
  '@scope/one',
  { license: 'ISC' },
  { 'LICENSE.md': 'one may\r\n', NOTICE: 'one did\n', 'README.md': 'no' },
);
await addPackage('two', { license: 'MIT', author: 'Ann <ann@two.example>' });
await addPackage('three', { license: 'GPL-3.0' });

test('each package is there once, in a fixed order, with all texts of its licence', async () => {
  const notices = await toNotices(root, [
    'node_modules/two/index.js',
    'src/app.ts',
    'node_modules/@scope/one/b.js',
    'node_modules/@scope/one/a.js',
  ]);
  expect(notices.split(/-{80}\n/).slice(1)).toEqual([
    '@scope/one 1.2.3 (ISC)\n\none may\n\none did\n\n',
    'two 1.2.3 (MIT)\n\nMIT License\n\nCopyright (c) Ann <ann@two.example>\n\nPermission is hereby granted, all of it.\n',
  ]);
});

test('a package without the text of its licence stops the build, and the error says what to do', async () => {
  await expect(toNotices(root, ['node_modules/three/index.js'])).rejects.toThrow(
    'Expected a licence file in the package three, found none and "license": "GPL-3.0". Add the text',
  );
});
