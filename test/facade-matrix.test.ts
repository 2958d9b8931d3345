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

/** Features that differ in a value, such as `Batch: permissive validation`, are one line. */
const nameOf = ({ feature }: Feature): string => feature.split(/[:,] /)[0] ?? feature;

const cellOf = (features: readonly Feature[], name: string): string => {
  const found = features.filter((one) => nameOf(one) === name);
  const isCarried = found.some(({ outcome }) => outcome === 'carried');
  const errors = found.flatMap(({ outcome, error = '' }) => (outcome === 'refused' ? [`\`${error}\``] : []));
  const rejected = [...new Set(errors)].slice(0, 3).join(', ');
  if (isCarried) return rejected === '' ? 'yes' : `yes; some values are rejected: ${rejected}`;
  if (rejected !== '') return `rejected: ${rejected}`;
  return found.length === 0 ? '–' : 'accepted, asks for nothing';
};

const providersWith = (name: string): number =>
  Object.values(PROVIDERS).filter((all) => all.some((one) => nameOf(one) === name)).length;

const tableOf = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

const page = (): string => {
  const names = [...new Set(Object.values(PROVIDERS).flatMap((all) => all.map(nameOf)))];
  const shared = names.filter((name) => providersWith(name) > 1);
  const own = Object.entries(PROVIDERS).map(
    ([provider, all]) =>
      `## ${provider} alone\n\n${tableOf(
        ['Feature', provider],
        names
          .filter((name) => !shared.includes(name) && all.some((one) => nameOf(one) === name))
          .map((name) => [name, cellOf(all, name)]),
      )}\n`,
  );
  return `# What the relay carries of each provider

This page is written from the tests: each cell is a request that a test makes to the relay, and what it received. [facades.md](facades.md) explains the
whole.

- **yes**: the test found it in the email that Graph received, or in the response.
- **rejected**: nothing was sent, and the response has this status, code and field, in the form of the provider.
- **some values are rejected**: such as a tag that the relay cannot have; the page of the provider says which.
- **accepted, asks for nothing**: a value that switches something off, or is empty.
- **–**: the provider does not have it, or has it in another form.

${tableOf(
  ['Feature', ...Object.keys(PROVIDERS)],
  shared
    .toSorted((one, other) => providersWith(other) - providersWith(one))
    .map((name) => [name, ...Object.values(PROVIDERS).map((all) => cellOf(all, name))]),
)}

${own.join('\n')}`;
};

test('docs/facade-matrix.md says of each feature of a provider what its host test found (write it with -u)', async () => {
  await expect(page()).toMatchFileSnapshot('../docs/facade-matrix.md');
});
