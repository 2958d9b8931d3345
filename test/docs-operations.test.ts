import { describe, expect, test } from 'vitest';
import { OPS_WORDS } from '../src/lib/ops/words.ts';
import { type Document, readDocument } from './support/documents.ts';

const alerts = [
  ...readDocument('infra/modules/alerts.bicep').text.matchAll(
    /^ {4}name: '([a-z-]+)'$|metricAlerts@[^{]*\{\s+name: '\$\{name\}-([a-z-]+)'$/gm,
  ),
].map(([, name, metric]) => name ?? metric ?? '');

const headingsUnder = ({ text }: Document, heading: string): readonly string[] => {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^### (.+)$/gm)].map(([, name = '']) => name);
};

const levelsOf = ({ text }: Document): readonly string[] =>
  [...text.replaceAll(/^ *```.*?^ *```/gms, '').matchAll(/^(#+) /gm)].map(([, level = '']) => level);

/** Commands without their comments and without what each language writes between < and >. */
const commandsOf = ({ text }: Document): readonly string[] =>
  [...text.matchAll(/^ *```(?:bash|powershell|kusto)\n(.*?)^ *```/gms)].map(([, block = '']) =>
    block
      .replaceAll(/<[^>\n]*>/g, '<>')
      .replaceAll(/ +#.*$/gm, '')
      .replaceAll(/--note "[^"]*"/g, '--note'),
  );

describe.each([
  ['docs/operations.md', 'Alerts'],
  ['docs/operations.zh-Hant.md', '警示'],
])('%s', (path, heading) => {
  test('has a section for each alert, and no other', () => {
    expect(alerts.length).toBeGreaterThanOrEqual(9);
    expect([...headingsUnder(readDocument(path), heading)].sort()).toEqual([...alerts].sort());
  });

  test('leads to each of them from the table at its beginning, in the order of the alphabet', () => {
    const rows = readDocument(path).text.matchAll(/^\| \[([a-z-]+)\]\(#([a-z-]+)\) \|/gm);
    expect([...rows].map(([, name, anchor]) => [name, anchor])).toEqual(
      [...alerts].sort().map((name) => [name, name]),
    );
  });
});

/** Every text of the operator page that is no sentence made of parts. */
const labelsOf = (words: unknown): readonly string[] => {
  if (typeof words === 'string') return [words];
  return typeof words === 'object' && words !== null ? Object.values(words).flatMap(labelsOf) : [];
};

test.each([
  ['docs/operations.md', 'Page: ', OPS_WORDS.en],
  ['docs/operations.zh-Hant.md', '頁面：', OPS_WORDS['zh-Hant']],
] as const)(
  '%s answers each of ten questions with labels that the operator page has',
  (path, prefix, words) => {
    const { text } = readDocument(path);
    const answers = text.split('\n').filter((line) => line.startsWith(prefix));
    expect(answers).toHaveLength(10);
    expect(text).toContain('](operator-page.md)');
    const labels = answers.map((line) => [...line.matchAll(/\*\*(.+?)\*\*/g)].map(([, label]) => label));
    for (const named of labels) expect(named.length).toBeGreaterThan(0);
    expect(labelsOf(words)).toEqual(expect.arrayContaining(labels.flat()));
  },
);

describe('the runbook in Traditional Chinese', () => {
  const english = readDocument('docs/operations.md');
  const chinese = readDocument('docs/operations.zh-Hant.md');

  test('has the sections of the English one', () => {
    expect(levelsOf(chinese)).toEqual(levelsOf(english));
  });

  test('has the commands of the English one', () => {
    expect(commandsOf(english).length).toBeGreaterThan(15);
    expect(commandsOf(chinese)).toEqual(commandsOf(english));
  });
});
