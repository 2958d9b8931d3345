import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** A page of the project: its path from the root, and its text. */
export type Document = { readonly path: string; readonly text: string };

const NOT_OURS = ['node_modules', 'dist', '.local', '.git', 'coverage'];

/** Paths from the root, of what is ours. */
export const filesOf = (pattern: string): readonly string[] =>
  globSync(pattern, { cwd: ROOT, exclude: (name) => NOT_OURS.includes(name) })
    .map((path) => path.replaceAll('\\', '/'))
    .sort();

export const readDocument = (path: string): Document => ({
  path,
  text: readFileSync(join(ROOT, path), 'utf8'),
});

/** Every Markdown page. */
export const readDocuments = (): readonly Document[] => filesOf('**/*.md').map(readDocument);

const CODE = [
  '*.{json,ts,yaml}',
  '.github/workflows/*.yml',
  '{src,clients,local,scripts,bench,infra,test}/**/*.{ts,js,cjs,sh,ps1,bicep,bicepparam,json,html}',
];

/** Everything that is code, in one text. */
export const readCode = (): string =>
  CODE.flatMap(filesOf)
    .filter((path) => path !== 'package-lock.json' && !path.startsWith('test/docs'))
    .map((path) => readDocument(path).text)
    .join('\n');

export type CodeBlock = { readonly language: string; readonly text: string };

export const codeBlocksOf = ({ text }: Document): readonly CodeBlock[] =>
  [...text.matchAll(/^```(\w*)[^\n]*\n(.*?)^```/gms)].map(([, language = '', block = '']) => ({
    language,
    text: block,
  }));

export const withoutCodeBlocks = ({ text }: Document): string => text.replaceAll(/^```.*?^```/gms, '');

/** What stands in backticks within the running text. */
export const inlineCodeOf = (document: Document): readonly string[] =>
  [...withoutCodeBlocks(document).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);

/** The first cell of each row of the table under a heading. */
export const firstCellsUnder = (document: Document, heading: string): readonly string[] => {
  const section = document.text.split(/^##+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((row) => row.split('|')[1]?.trim() ?? '');
};

/** The names by which GitHub links to the headings of a page. */
export const anchorsOf = (document: Document): ReadonlySet<string> =>
  new Set(
    [...withoutCodeBlocks(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
