import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundle } from '../scripts/bundle.ts';
import { makeScratchFolder } from './scratch-folder.ts';

const ROOT = join(import.meta.dirname, '..');

const makeAppFolder = async (bundleInto: (dist: string) => Promise<unknown>): Promise<string> => {
  const folder = makeScratchFolder();
  await bundleInto(join(folder, 'dist'));
  await copyFile(join(ROOT, 'host.json'), join(folder, 'host.json'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ main: 'dist/main.cjs' }));
  return folder;
};

/** The relay as it is deployed, built for this run beside whatever `npm start` may be running. Gives its folder. */
export const buildRelay = (): Promise<string> => makeAppFolder((dist) => bundle(dist));

/** One file that registers functions, bundled without any choice of ours. Gives its folder. */
export const buildApp = (file: URL): Promise<string> =>
  makeAppFolder((dist) =>
    build({
      entryPoints: [fileURLToPath(file)],
      outfile: join(dist, 'main.cjs'),
      bundle: true,
      platform: 'node',
      target: 'node22',
      format: 'cjs',
      external: ['@azure/functions-core'],
      logLevel: 'warning',
    }),
  );
