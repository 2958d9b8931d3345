// Writes the pages that are made from tables in src: npm run docs

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makePages } from './docs-pages.ts';

for (const { path, text } of makePages()) {
  await writeFile(join(import.meta.dirname, '..', path), text);
  console.log(`Wrote ${path}`);
}
