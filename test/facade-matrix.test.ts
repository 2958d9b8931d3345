import { expect, test } from 'vitest';
import { features as postmark } from './fixtures/facade-features/postmark.ts';
import { features as resend } from './fixtures/facade-features/resend.ts';
import { features as sendgrid } from './fixtures/facade-features/sendgrid.ts';

/** What the host test of each provider has found to be so: it makes every one of these requests. */
type Feature = {
  readonly feature: string;
  readonly outcome: 'carried' | 'refused' | 'ignored because it asks for nothing';
  readonly error?: string;
};
const PROVIDERS: Readonly<Record<string, readonly Feature[]>> = {
  SendGrid: sendgrid,
  Resend: resend,
  Postmark: postmark,
};

const wordsOf = ({ outcome, error = '' }: Feature): string =>
  outcome === 'refused'
    ? `rejected: \`${error}\``
    : outcome === 'carried'
      ? 'yes'
      : 'accepted, asks for nothing';

const cellOf = (features: readonly Feature[], name: string): string => {
  const words = new Set(features.filter(({ feature }) => feature === name).map(wordsOf));
  return words.size === 0 ? '–' : [...words].join('; ');
};

const matrix = (): string => {
  const names = [...new Set(Object.values(PROVIDERS).flatMap((all) => all.map(({ feature }) => feature)))];
  const shared = (name: string): number =>
    Object.values(PROVIDERS).filter((all) => all.some(({ feature }) => feature === name)).length;
  const rows = names
    .toSorted((one, other) => shared(other) - shared(one))
    .map((name) => `| ${[name, ...Object.values(PROVIDERS).map((all) => cellOf(all, name))].join(' | ')} |`);
  return `# What the relay carries of each provider

This page is written from the tests: each line is a request that a test makes to the relay, and what it received. [facades.md](facades.md) explains the
whole. **yes** means that the test found it in the email that Graph received, or in the response. **rejected** shows the status, the code and the field in the response of
the provider's form; nothing was sent then. **accepted, asks for nothing** is a field whose value switches something off. **–** means that the
provider does not have it, or has it in another form.

| Feature | ${Object.keys(PROVIDERS).join(' | ')} |
| --- | ${Object.keys(PROVIDERS)
    .map(() => '---')
    .join(' | ')} |
${rows.join('\n')}
`;
};

test('docs/facade-matrix.md says of each feature of a provider what its host test found (write it with -u)', async () => {
  await expect(matrix()).toMatchFileSnapshot('../docs/facade-matrix.md');
});
