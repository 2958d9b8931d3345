import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT, readDocument } from './support/documents.ts';

const page = readDocument('SECURITY.md').text;
const section = page.split(/^## /m).find((text) => text.startsWith('What proves it\n')) ?? '';
const rows = section.split('\n').filter((line) => /^\| (?!Statement|---)/.test(line));

/** A file of tests and the titles in it that a cell names. */
const PROOF = /\[[\w-]+\]\((test\/[\w/-]+\.test\.ts)\): ((?:`[^`]+`(?:; )?)+)/g;

const proofsOf = (row: string) =>
  [...row.matchAll(PROOF)].flatMap(([, file = '', titles = '']) =>
    [...titles.matchAll(/`([^`]+)`/g)].map(([, title = '']) => [file, title] as const),
  );

/** Whether a test or a group of tests of this file has the title, as it is written in it. */
const hasTitle = (file: string, title: string): boolean => {
  const source = readFileSync(join(ROOT, file), 'utf8');
  return [`'${title.replaceAll("'", "\\'")}'`, `"${title}"`, `\`${title}\``].some((text) =>
    source.includes(`${text},`),
  );
};

test('the page has twelve statements, each with the tests that prove it', () => {
  expect(rows).toHaveLength(12);
  for (const row of rows) expect(proofsOf(row).length, row).toBeGreaterThanOrEqual(2);
});

test('nothing in the table is overlooked: every title and every file in it is read', () => {
  const proofs = rows.flatMap(proofsOf);
  expect(proofs.map(([, title]) => title)).toEqual(
    rows.flatMap((row) => [...(row.split(' | ')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, title]) => title)),
  );
  expect(new Set(proofs.map(([file]) => file)).size).toBe(
    new Set([...section.matchAll(/\((test\/[^)]+)\)/g)].map(([, file]) => file)).size,
  );
});

describe.each(rows.map((row) => [row.split(' | ')[0]?.slice(2), row] as const))('%s', (_statement, row) => {
  test.each(proofsOf(row))('%s has the test "%s"', (file, title) => {
    expect(existsSync(join(ROOT, file)), `${file} is there`).toBe(true);
    expect(hasTitle(file, title), `expected in ${file} a test with this title: ${title}`).toBe(true);
  });
});

test('a title that is not there is missed', () => {
  expect(hasTitle('test/security-statements.test.ts', ['no such', 'title'].join(' '))).toBe(false);
});
