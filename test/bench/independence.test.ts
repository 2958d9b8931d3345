import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const BENCH = join(import.meta.dirname, '..', '..', 'bench');

test('the bench imports nothing of the relay, so that no change of the relay changes what it is measured against', () => {
  // In moved time there is nothing to measure it against: there its own rules run.
  const files = globSync('**/*.{ts,mjs}', { cwd: BENCH }).filter((file) => !/^(?:day|lanes)\//.test(file));
  expect(files.length).toBeGreaterThan(20);
  const importing = files.filter((file) =>
    /(?:from|import)\s*\(?\s*'(?:\.\.\/)+src\//.test(readFileSync(join(BENCH, file), 'utf8')),
  );
  expect(importing).toEqual([]);
});

test('the naive relay stays one that is read in a minute', () => {
  const lines = readFileSync(join(BENCH, 'apps', 'naive-relay.ts'), 'utf8').split('\n');
  expect(lines.length).toBeLessThanOrEqual(90);
});
