import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { lastRelease, loadLastRules, readLastRelease } from './support/last-release.ts';

const changelog = readFileSync(join(import.meta.dirname, '../CHANGELOG.md'), 'utf8');

/**
 * The release that has to be kept. While the changelog has entries of the next one, that is the newest; in the commit that makes a release it
 * is the one before. Before the first release, a commit stands for it.
 */
const releaseToKeep = (text: string, version: string): string => {
  const sections = text.split(/^## \[/m).slice(1);
  const releases = sections.flatMap((one) => /^(\d+\.\d+\.\d+)\]/.exec(one)?.[1] ?? []);
  const unreleased = sections.find((one) => one.startsWith('Unreleased]')) ?? '';
  const isBegun = /^- /m.test(unreleased);
  return (isBegun ? releases[0] : releases[1]) ?? releases[0] ?? version;
};

describe('the release that has to be kept', () => {
  const changes = (...headings: readonly string[]) =>
    headings.map((heading) => `## [${heading}]\n\n- A change.\n`).join('\n');

  test.each([
    [
      'is the newest, while the next one is being made',
      changes('Unreleased', '0.2.0] - 2026-12-01', '0.1.0]'),
      '0.2.0',
    ],
    [
      'is the one before, in the commit that makes a release',
      changes('0.2.0] - 2026-12-01', '0.1.0]'),
      '0.1.0',
    ],
    ['is of the version of now, before there was one', changes('Unreleased'), '0.1.0'],
    ['is of the version of now, in the commit that makes the first', changes('0.1.0]'), '0.1.0'],
  ])('%s', (_case, text, kept) => {
    expect(releaseToKeep(text, '0.1.0')).toBe(kept);
  });

  test('is kept', () => {
    const wanted = releaseToKeep(changelog, packageJson.version);
    expect(lastRelease.version, `Keep it: npm run keep:release -- v${wanted}`).toBe(wanted);
  });
});

test('the app and the rules that are kept are of the release that release.json names', () => {
  const { release, files } = readLastRelease();
  expect(release).toEqual(lastRelease);
  expect(loadLastRules().release).toEqual(lastRelease);
  expect(JSON.parse(files['package.json'] ?? '').version).toBe(lastRelease.version);
  expect(lastRelease.commit).toMatch(/^[0-9a-f]{40}$/);
});
