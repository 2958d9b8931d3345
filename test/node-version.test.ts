import { minVersion, satisfies, subset } from 'semver';
import { describe, expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import lockfile from '../package-lock.json' with { type: 'json' };
import { readDocument } from './support/documents.ts';

const { node: supported } = packageJson.engines;

type Locked = {
  readonly optional?: boolean;
  readonly engines?: Readonly<Record<string, string>> | readonly string[];
};

/** What npm installs on every machine, with the Node.js it says it needs. */
const required = Object.entries(lockfile.packages as Readonly<Record<string, Locked>>).flatMap(
  ([path, { optional, engines }]) => {
    const node = engines !== undefined && 'node' in engines ? engines.node : undefined;
    return optional || node === undefined ? [] : [{ path, node }];
  },
);

describe('the Node.js that package.json asks for', () => {
  test('is one that every dependency supports, so that npm ci warns of none', () => {
    expect(required.length).toBeGreaterThan(100);
    expect(required.filter(({ node }) => !subset(supported, node))).toEqual([]);
  });

  test('is what the lockfile repeats', () => {
    expect(lockfile.packages[''].engines.node).toBe(supported);
  });

  test.each(['README.md', 'CONTRIBUTING.md', 'docs/setup.md', 'docs/setup.zh-Hant.md'])(
    'is what %s names',
    (path) => {
      const named = /Node(?:\.js)? (\d+) (?:or|或) (\d+\.\d+)/.exec(readDocument(path).text);
      const [newer = '', older = ''] = named?.slice(1) ?? [];
      expect(satisfies(`${newer}.0.0`, supported)).toBe(true);
      expect(minVersion(supported)?.version).toBe(`${older}.0`);
    },
  );

  test('includes the one of the dev container', () => {
    const { image } = JSON.parse(readDocument('.devcontainer/devcontainer.json').text) as { image: string };
    const [, major = ''] = /:(\d+)$/.exec(image) ?? [];
    expect(subset(`^${major}.0.0`, supported)).toBe(true);
  });

  test('includes the one that comes with npm ci, the same on every platform', () => {
    const versions = new Set(Object.values(packageJson.optionalDependencies));
    expect(versions.size).toBe(1);
    for (const version of versions) expect(satisfies(version, supported)).toBe(true);
  });
});
