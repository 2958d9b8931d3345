import { execFile } from 'node:child_process';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Packs a folder with a package.json into a file by npm, which writes the same package for the same files. */
export const packFolder = async (packed: string, folder: string, name: string): Promise<string> => {
  const isWindows = process.platform === 'win32';
  const { stdout } = await promisify(execFile)(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', isWindows ? `"${folder}"` : folder],
    { cwd: packed, shell: isWindows },
  );
  const [{ filename }] = JSON.parse(stdout) as [{ readonly filename: string }];
  const tarball = join(folder, name);
  await rename(join(folder, filename), tarball);
  return tarball;
};
