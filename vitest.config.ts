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

/**
 * Tests that read files, or have servers in their own process at free ports and end them: they change nothing of a process that
 * another one could find, such as its environment or the certificates it trusts. So a worker goes on with the next file here too, and
 * loads Azurite and the SDKs once.
 */
const TIDY = [
  'test/contract/fake-*.test.ts',
  'test/lib/*.test.ts',
  'test/lib/graph/!(one-request).test.ts',
  'test/lib/inbox/**/*.test.ts',
  'test/lib/vault/{signing-keys,token-failure,token-refusal,vault-failure}.test.ts',
  'test/local/{directory,find-relay,foreign-pages,reach-this-machine,relay-keys,relay-settings,webhook-secrets,welcome}.test.ts',
  'test/local/entra/{client-assertion,decide-token}.test.ts',
  'test/local/functions-host/{binding-data,broken-requests,host-json,host-log,ncrontab,polling-back-off,process-message,queue-listener,request-body,route-template,timer-listener,timespan}.test.ts',
  'test/local/graph/**/*.test.ts',
  'test/local/inbox/{attachment-content,host-names,inbox-address,inbox-server,relay-mails}.test.ts',
  'test/local/key-vault/secret-store.test.ts',
  'test/bench/{aims,day,independence,keep-alive-client,options,small-instance,steady-rate}.test.ts',
  'test/chaos/{held-messages,outages,plan,stories,summary,verdict,weather}.test.ts',
  'test/scripts/{mail-page,same-relay,search-mails}.test.ts',
  'test/{docs,docs-chinese,docs-connections,docs-examples,docs-names,docs-operations,rooms,security-statements,words}.test.ts',
];
/** Of storage, all but those that need very many Azurites or an environment of their own. */
const STORAGE = 'test/lib/storage/!(ledger-size|ledger-table|limits-across-instances).test.ts';

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
      { extends: true, test: { name: 'tidy', include: [...TIDY, STORAGE], isolate: false } },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/**/*.test.ts'],
          exclude: [...PURE, ...TIDY, STORAGE],
          globalSetup: 'test/support/bundle-once.ts',
        },
      },
      // Once more as an app in Azure reaches storage: over TLS, with the tokens of a managed identity. The ledger itself is used
      // that way by storage-by-identity.test.ts.
      {
        extends: true,
        test: {
          name: 'identity',
          include: [STORAGE],
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
