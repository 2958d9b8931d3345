import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Zippable, zipSync } from 'fflate';
import packageJson from '../package.json' with { type: 'json' };
import { bundle } from './bundle.ts';

const ROOT = join(import.meta.dirname, '..');

export type DeploymentPackage = {
  /** What the zip holds, as a folder. */
  readonly folder: string;
  readonly zip: string;
  readonly zipBytes: number;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
};

/** Bundles the app and puts into `folder` what is deployed: `package/`, and the same as `graph-mail-relay.zip`. */
export const makePackage = async (folder = join(ROOT, 'dist')): Promise<DeploymentPackage> => {
  const bundled = await bundle(folder);
  const unzipped = join(folder, 'package');
  await rm(unzipped, { recursive: true, force: true });
  for (const file of bundled) {
    const copy = join(unzipped, 'dist', file);
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(join(folder, file), copy);
  }
  await copyFile(join(ROOT, 'host.json'), join(unzipped, 'host.json'));
  await writeFile(join(unzipped, 'package.json'), `${JSON.stringify(toDeployedPackageJson(), null, 2)}\n`);

  const paths = ['host.json', 'package.json', ...bundled.map((file) => `dist/${file}`)];
  const contents = await Promise.all(
    paths.map(async (path) => ({ path, bytes: await readFile(join(unzipped, path)) })),
  );
  const zipped = zipFiles(contents);
  const zip = join(folder, `${packageJson.name}.zip`);
  await mkdir(dirname(zip), { recursive: true });
  await writeFile(zip, zipped);
  return {
    folder: unzipped,
    zip,
    zipBytes: zipped.length,
    files: contents.map(({ path, bytes }) => ({ path, bytes: bytes.length })),
  };
};

/**
 * Without dependencies, because they are in the bundle, and an install in Azure would only add to the start of
 * the app; without scripts, because nothing is to run there but the app; without "type", because it says .cjs.
 */
const toDeployedPackageJson = () => {
  const { name, version, description, license, main } = packageJson;
  return { name, version, description, license, private: true, main };
};

// The zip is the same for the same source: times are fixed (fflate writes local time, so local it is given).
const FIXED_TIME = new Date(1980, 0, 1);
const UNIX = 3;
const FILE_READABLE_BY_ALL = (0o100644 << 16) >>> 0;

const zipFiles = (files: readonly { readonly path: string; readonly bytes: Uint8Array }[]): Uint8Array => {
  const entries: Zippable = {};
  for (const { path, bytes } of files) {
    entries[path] = [bytes, { level: 9, mtime: FIXED_TIME, os: UNIX, attrs: FILE_READABLE_BY_ALL }];
  }
  return zipSync(entries);
};
