import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

/** Names a folder for the bundles of one run of the tests: twenty files need the same one, and each would make its own. */
export default (project: TestProject) => {
  const folder = mkdtempSync(join(tmpdir(), 'relay-bundles-'));
  process.env.BUNDLES_OF_THIS_RUN = folder;
  const forget = () => rmSync(folder, { recursive: true, force: true });
  // As in watch mode, where the source has changed.
  project.onTestsRerun(() => {
    forget();
    mkdirSync(folder);
  });
  return forget;
};
