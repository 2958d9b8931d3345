import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import packageJson from '../clients/nodemailer/package.json' with { type: 'json' };
import { packFolder } from './pack-folder.ts';
import { toNotices } from './third-party-notices.ts';

const ROOT = join(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'clients/nodemailer');

/** Puts the nodemailer transport into a package without dependencies, for `import` and for `require`, and gives its file. */
export const makeNodemailerClient = async (folder: string): Promise<string> => {
  const packed = join(folder, 'nodemailer-client');
  await rm(packed, { recursive: true, force: true });
  await mkdir(packed, { recursive: true });
  const sources = new Set<string>();
  for (const [format, file] of [
    ['esm', 'index.mjs'],
    ['cjs', 'index.cjs'],
  ] as const) {
    const { metafile } = await build({
      entryPoints: [join(SOURCE, 'src/index.ts')],
      outfile: join(packed, file),
      absWorkingDir: ROOT,
      bundle: true,
      platform: 'node',
      target: 'node20.3',
      format,
      minifySyntax: true,
      legalComments: 'none',
      logLevel: 'warning',
      metafile: true,
    });
    for (const source of Object.keys(metafile.inputs)) sources.add(source);
  }
  const notices = await toNotices(ROOT, [...sources]);
  await writeFile(
    join(packed, 'THIRD-PARTY-NOTICES.txt'),
    notices.replace(/^The relay contains/, 'This package contains'),
  );
  for (const [from, to] of [
    [join(SOURCE, 'package.json'), 'package.json'],
    [join(SOURCE, 'README.md'), 'README.md'],
    [join(SOURCE, 'index.d.ts'), 'index.d.ts'],
    // For `require`, TypeScript wants a file of its own.
    [join(SOURCE, 'index.d.ts'), 'index.d.cts'],
    [join(ROOT, 'LICENSE'), 'LICENSE'],
  ] as const)
    await copyFile(from, join(packed, to));
  return packFolder(packed, folder, `${packageJson.name}-${packageJson.version}.tgz`);
};
