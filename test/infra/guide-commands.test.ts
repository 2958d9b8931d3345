import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readMail } from '../../src/lib/mail/read-mail.ts';
import { readDocument } from '../support/documents.ts';
import { type Call, followGuide } from '../support/follow-guide.ts';
import { TOOLS_MS } from '../support/patience.ts';
import { azVersion, misunderstoodByAz } from '../support/real-az.ts';
import { openSandbox } from './az-stand-in/sandbox.ts';

const SUBSCRIPTION = '11111111-1111-1111-1111-111111111111';
const CLIENT_ID = '22222222-2222-2222-2222-222222222222';
const ID_OF_CLIENT = /client ID|用戶端識別碼/;

const TOOLS = ['az', 'azd', 'gh', 'git', 'curl', 'deploy.sh', 'store-client-secret.sh'];

const ANSWERS = {
  api: 'repo:contoso@1/mail-relay@2',
  'keyvault list': `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-relay/providers/Microsoft.KeyVault/vaults/kv-relay`,
  'functionapp list': 'func-relay',
  'functionapp show': 'func-relay.azurewebsites.net',
  'functionapp keys list': 'key-of-the-relay',
  'group show': '/subscriptions/s/resourceGroups/rg-mail-relay',
  'identity show': 'principal-of-{name}',
  'deployment group show': '11111111-1111-4111-8111-111111111111',
};

const followed = new Map<string, readonly Call[]>();
const follow = (path: string): readonly Call[] => {
  const fill = (placeholder: string) => (ID_OF_CLIENT.test(placeholder) ? CLIENT_ID : 'x');
  const calls = followed.get(path) ?? followGuide(readDocument(path).text, TOOLS, ANSWERS, fill);
  followed.set(path, calls);
  return calls;
};

const GUIDES = ['docs/setup.md', 'docs/setup-portal.md', 'docs/setup.zh-Hant.md'];

const isScript = ([tool = '']: Call): boolean => tool.endsWith('.sh');

describe('the commands of a guide, in their order', () => {
  let sandbox = openSandbox();
  beforeEach(() => {
    sandbox.close();
    sandbox = openSandbox();
  });
  afterEach(() => sandbox.close());

  test.each(GUIDES)('%s: every run of a script ends well in a new tenant', async (path) => {
    const runs = follow(path).filter(isScript);
    expect(runs.length).toBeGreaterThanOrEqual(3);
    // The portal creates what the script finds: the registration, and a deployment before the secret.
    for (const [tool = '', ...args] of runs) {
      const script = tool === 'deploy.sh' ? tool : `scripts/${tool}`;
      const { status, stderr } = await sandbox.run(
        script,
        args.map((arg) => arg.replace('rg-mail-relay', 'rg-relay')),
      );
      expect({ run: `${tool} ${args.join(' ')}`, status, stderr }).toMatchObject({ status: 0 });
    }
  });

  test('shows lines that deploy.sh prints', async () => {
    const [first, second] = follow('docs/setup.md').filter(isScript);
    let printed = '';
    for (const [, ...args] of [first ?? [], second ?? []])
      printed += (
        await sandbox.run(
          'deploy.sh',
          args.map((arg) => arg.replace('rg-mail-relay', 'rg-relay')),
        )
      ).stdout;
    const like = (line: string): string =>
      line
        .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|"id":"[^"]+"/g, '<id>')
        .replaceAll(/\b(func|kv)-[\w-]+/g, '$1')
        .replaceAll(/\d{4}-\d\d-\d\d|\d+\.\d+\.\d+/g, '<n>');
    const shown = [...readDocument('docs/setup.md').text.matchAll(/^```text\n(==.*?)^```/gms)].flatMap(
      ([, block = '']) => block.split('\n').filter(Boolean),
    );
    expect(shown.length).toBeGreaterThan(10);
    const lines = printed.split('\n').map(like);
    for (const line of shown)
      expect(
        lines.some((one) => one.startsWith(like(line))),
        line,
      ).toBe(true);
  });
});

test.each(['docs/setup-portal.md', 'docs/setup.zh-Hant.md'])(
  '%s: the test email carries the key, which is in no argument',
  (path) => {
    const post = follow(path).find(([tool]) => tool === 'curl') ?? [];
    const args = post.slice(0, -1);
    expect(args).toContain('https://func-relay.azurewebsites.net/api/mail');
    expect(args.join(' ')).not.toContain('key-of-the-relay');
    expect(post.at(-1)).toBe('header = "x-functions-key: key-of-the-relay"\n');
    const mail = JSON.parse(post[post.indexOf('--data') + 1] ?? '');
    expect(readMail(mail)).toMatchObject({ subject: 'Test email from the relay' });
  },
);

// The commands in Chinese are the same: test/docs-setup.test.ts.
test.skipIf(azVersion === undefined)(
  `the real az understands every command line of the guides (${azVersion ?? 'skipped: the Azure CLI is not installed'})`,
  async () => {
    const calls = ['docs/setup.md', 'docs/setup-portal.md'].flatMap(follow).filter(([tool]) => tool === 'az');
    const commands = new Map(calls.map(([, ...args]) => [args.join(' '), args]));
    expect(commands.size).toBeGreaterThan(15);
    expect(await misunderstoodByAz([...commands.values()])).toEqual([]);
  },
  TOOLS_MS,
);
