import { describe, expect, test } from 'vitest';
import { filesOf, readDocument, readDocuments } from './support/documents.ts';

/** Words that read as translated, with what to write instead. Only those that have no other use in these texts. */
const WORDS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  // Quoted, it is the field of the API.
  [/(?<!--|["`])\bmails\b/i, 'emails'],
  [
    /\b(?:a|an|any|another|each|every|no|one|this|whole) mail\b(?!-| (?:client|header|relay|server|system))/i,
    'email',
  ],
  [/\bmend(?:ed|ing|s)?\b/i, 'fix'],
  [/\b(?:some|any)body\b|\bwhoever\b/i, 'the role, someone, anyone who'],
  [/\bwhat (?:became|becomes|came|comes) of\b/i, 'status of, outcome of'],
  [/\b(?:as it|that|what) came\b|\bnothing came\b|\bcame instead\b/i, 'received'],
  [/\b(?:is|are|was|were|be) told\b/i, 'is notified, receives'],
  [/\ba person (?:decides|has to|looks)\b/i, 'an operator'],
  [/\b(?:afresh|anew)\b/i, 'start over, retried'],
  [/\bat once\b/i, 'immediately, simultaneously'],
  [/(?<=\S )under way\b|\bjust now\b/i, 'in progress, currently'],
  [/\bstands? (?:at|in)\b/i, 'appears in'],
  [/\bis no (?:mail|setting|header|token|slip)\b/i, 'is not a'],
  [/\bhas no room\b|\bkeeps to (?:the )?limits?\b/i, 'is at its limit, stays within'],
  [/\bat the door\b|\bwithout a word\b/i, 'on submission, silently'],
  [/\b(?:is|be|are|was) remembered\b|\bremembers\b/i, 'keeps'],
  [/\b(?:Graph|Exchange|Entra) is away\b/i, 'is unavailable'],
  [/\bfor good\b/i, 'permanently'],
  [/\bsets? (?:\w+ )?aside\b/i, 'holds'],
  [/\bthe answers? (?:of|from) (?:Graph|Entra|the relay)\b|\bGraph answer(?:s|ed)\b/i, 'response, returns'],
  [/\bhas to\b/i, 'must'],
];

/** All pages in English. */
const PAGES = readDocuments().filter(({ path }) => !path.endsWith('.zh-Hant.md'));

/** Code whose texts people read: messages of commands and pages, problems, settings, alerts. */
const CODE = [
  'src/**/*.ts',
  'clients/**/*.ts',
  'scripts/*.ts',
  'local/**/*.{ts,js,html}',
  'bench/**/*.ts',
  'infra/**/*.bicep',
  'infra/createUiDefinition.json',
  'infra/**/*.{sh,ps1}',
  'test/chaos/{summary,verdict}.ts',
].flatMap(filesOf);

const findIn = (text: string): readonly string[] =>
  WORDS.flatMap(([pattern, instead]) => {
    const found = pattern.exec(text);
    if (found === null) return [];
    const around = text.slice(Math.max(0, found.index - 40), found.index + 40).replaceAll(/\s+/g, ' ');
    return [`"${found[0]}" in "${around}": write ${instead}`];
  });

/** The running text of a page, without code, comments and the addresses of links. */
const proseOf = (text: string): string =>
  text.replaceAll(/^```.*?^```|<!--.*?-->|`[^`\n]*`|\]\([^)]*\)/gms, ' ');

/** The strings with a space in them; of pages and shell scripts everything. Comments are for those who change the code. */
const textsOf = (path: string, code: string): string =>
  /\.(?:html|sh|ps1)$/.test(path)
    ? code.replaceAll(/^\s*#.*$/gm, '')
    : [
        ...code
          .replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '')
          .matchAll(/'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`/g),
      ]
        .map(([, single, double, template]) => single ?? double ?? template ?? '')
        .map((text) => text.replaceAll(/\$\{[^{}]*\}/g, '...'))
        .filter((text) => text.includes(' '))
        .join('\n');

describe('no text for people has a word that reads as translated', () => {
  test.each(PAGES.map(({ path, text }) => [path, text] as const))('%s', (_, text) => {
    expect(findIn(proseOf(text))).toEqual([]);
  });

  test.each(CODE)('%s', (path) => {
    expect(findIn(textsOf(path, readDocument(path).text))).toEqual([]);
  });
});

test('the words are found where they are', () => {
  expect(findIn(proseOf('Mend `a mail` [at](once.md).'))).toEqual([expect.stringContaining('write fix')]);
  expect(findIn(textsOf('x.ts', "// a mail\nsay('No mail is held.');"))).toEqual([
    '"No mail" in "No mail is held.": write email',
  ]);
});
