import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { codeBlocksOf, readDocument } from './support/documents.ts';

const LIB = join(import.meta.dirname, '../src/lib');
/** Rooms that the picture shows as one: each is an adapter. */
const ADAPTERS = ['graph', 'network', 'storage', 'vault', 'webhook'];

/** The room of a file of src/lib; the ports count as one, and what all rooms share has none. */
const roomOf = (path: string): string | undefined => {
  if (path === 'ports.ts') return 'ports';
  const folder = path.includes('/') ? path.slice(0, path.indexOf('/')) : undefined;
  return folder !== undefined && ADAPTERS.includes(folder) ? 'adapters' : folder;
};

const importsOf = (path: string): readonly string[] =>
  [...readFileSync(join(LIB, path), 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, target = '']) =>
    relative(LIB, join(LIB, dirname(path), target)),
  );

/** Every pair of rooms of which the first imports from the second. */
const edges = (): readonly string[] => {
  const found = new Set<string>();
  const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  for (const path of files)
    for (const target of importsOf(path)) {
      const [from, to] = [roomOf(path), roomOf(target)];
      if (from !== undefined && to !== undefined && from !== to) found.add(`${from} to ${to}`);
    }
  return [...found].sort();
};

test('the picture of the rooms has an arrow for each import between them, and no other', () => {
  const blocks = codeBlocksOf(readDocument('docs/architecture.md'));
  const picture = blocks.find(({ text }) => text.startsWith('flowchart'))?.text ?? '';
  const drawn = [...picture.matchAll(/^\s*(\w+)(?:\[.*?\])? --> (.+)$/gm)].flatMap(([, from = '', to = '']) =>
    to.split(' & ').map((room) => `${from} to ${room}`),
  );
  expect(drawn.sort()).toEqual(edges());
});
