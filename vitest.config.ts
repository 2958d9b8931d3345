import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { CONDITION_MS, TEST_MS } from './test/support/patience.ts';

/** Files that take longest, and begin first: else one of them runs alone at the end. */
const LONGEST = [
  'chaos.test.ts',
  'operator-page.test.ts',
  'api-clients.test.ts',
  'docs-callers.test.ts',
  'real-clients.test.ts',
  'deploy-again.test.ts',
  'ten-questions.test.ts',
  'scripts-powershell.test.ts',
  'start.test.ts',
  'inbox-page.test.ts',
  'deploy-resume.test.ts',
  'deploy.test.ts',
  'deploy-credential.test.ts',
  'deploy-rotation.test.ts',
  'teardown.test.ts',
  'ledger-table.test.ts',
  'bicep-evaluated.test.ts',
  'guide-commands.test.ts',
  'scripts-real-az.test.ts',
];

/**
 * Tests of rules, use cases and handlers: they have no process, server or file that another one could find, so that a worker
 * takes the next file without starting over. To start over took longer than the tests.
 */
const PURE = [
  ...[
    'bounces',
    'callers',
    'connections',
    'credentials',
    'delivery',
    'desk',
    'events',
    'facades',
    'ledger',
    'mail',
    'metrics',
    'ops',
    'sending',
    'settings',
  ].map((room) => `test/lib/${room}/**/*.test.ts`),
  'test/functions/**/*.test.ts',
];

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = LONGEST.indexOf(basename(moduleId));
  return rank === -1 ? LONGEST.length : rank;
};

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'pure', include: PURE, isolate: false } },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/**/*.test.ts'],
          exclude: PURE,
          globalSetup: 'test/support/bundle-once.ts',
        },
      },
      // Once more as an app in Azure reaches storage: over TLS, with the tokens of a managed identity. The ledger itself is used
      // that way by storage-by-identity.test.ts.
      {
        extends: true,
        test: {
          name: 'identity',
          include: ['test/lib/storage/**/*.test.ts'],
          exclude: ['ledger-size', 'ledger-table', 'limits-across-instances'].map(
            (name) => `**/${name}.test.ts`,
          ),
          env: { STORAGE_OF_TESTS: 'identity' },
        },
      },
    ],
    // Tools and hosts that tests start compile the same files again and again.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), `graph-mail-relay-compiled-${userInfo().uid}`) },
    pool: 'forks',
    // One more than the cores of the smallest machine: a third of the time of the tests is waiting for hosts and tools.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: TEST_MS,
    hookTimeout: TEST_MS,
    expect: { poll: { timeout: CONDITION_MS } },
  },
});
