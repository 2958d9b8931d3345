import { describe, expect, test } from 'vitest';
import { type Document, readDocument, readDocuments } from './support/documents.ts';

const pages = readDocuments().filter(({ path }) => path.endsWith('.zh-Hant.md'));

/** Words that read as something else, or as translated, with what to write instead. */
const WORDS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  // A label of the portal is in bold; the explanation at the top of a page has it in brackets.
  [/(?<!\*\*|\*\*新增|「)用戶端密碼/, '用戶端秘密'],
  [/(?<!用戶端|使用者名稱與|應用程式|使用者|任何人的)密碼/, '用戶端秘密, or whose password it is'],
  [/祕/, '秘'],
  [/帳本|分類帳|賬/, '寄件紀錄'],
  [/信件|測試信|封信/, '郵件'],
  [/擱置/, '待人工處理'],
  [/等冪性|冪等/, 'Idempotency-Key'],
  [/基礎架構/, '基礎結構'],
  [/信息|默認|服務器|登錄|設置|軟件|用戶名/, 'the word of Taiwan'],
];

/** A role without its English name before it, which a reader with an English portal would not find. */
const ROLES: readonly (readonly [chinese: string, english: string])[] = [
  ['擁有者', 'Owner'],
  ['參與者', 'Contributor'],
  ['Exchange 系統管理員', 'Exchange Administrator'],
  ['全域管理員', 'Global Administrator'],
  ['Key Vault 秘密長', 'Key Vault Secrets Officer'],
  ['儲存體資料表資料參與者', 'Storage Table Data Contributor'],
];

const findIn = (text: string): readonly string[] =>
  WORDS.flatMap(([pattern, instead]) => {
    const found = pattern.exec(text);
    if (found === null) return [];
    return [`${text.slice(Math.max(0, found.index - 10), found.index + 12)}: write ${instead}`];
  });

test('there are three pages', () => {
  expect(pages.map(({ path }) => path)).toEqual([
    'docs/operations.zh-Hant.md',
    'docs/security-review.zh-Hant.md',
    'docs/setup.zh-Hant.md',
  ]);
});

describe.each(pages)('$path', ({ text }) => {
  test('has no word that reads as something else', () => {
    expect(findIn(text)).toEqual([]);
  });

  test('explains its word for a client secret once, beside the one of the portal', () => {
    expect(text.match(/「用戶端秘密」指 client secret/g)).toHaveLength(1);
    expect(text.match(/「用戶端密碼」/g)).toHaveLength(1);
  });

  test('gives a translated role in brackets after its English name', () => {
    for (const [translated, english] of ROLES)
      for (const [, before = ''] of text.matchAll(new RegExp(`(.{0,60})（${translated}）`, 'g')))
        expect(before.endsWith(english), `${before}（${translated}）`).toBe(true);
  });
});

test('the words are found where they are', () => {
  expect(findIn('把用戶端密碼存入帳本')).toHaveLength(2);
  expect(findIn('輸入密碼')).toHaveLength(1);
  expect(findIn('**新增用戶端密碼**、信箱的使用者密碼')).toEqual([]);
});

describe('the security review in Traditional Chinese', () => {
  const english = readDocument('docs/security-review.md');
  const chinese = readDocument('docs/security-review.zh-Hant.md');
  const rowsOf = ({ text }: Document): readonly number[] =>
    text
      .split(/^## /m)
      .slice(1)
      .filter((section) => !section.startsWith('本頁用語'))
      .map((section) => section.match(/^\| /gm)?.length ?? 0);
  /** Names that no language translates, in their order. */
  const namesOf = ({ text }: Document): readonly string[] =>
    [...text.matchAll(/`(?:[^`\n<]+)`/g)].map(([name]) => name).sort();

  test('has the sections of the English one, with as many rows', () => {
    expect(rowsOf(english).length).toBeGreaterThan(5);
    expect(rowsOf(chinese)).toEqual(rowsOf(english));
  });

  test('has the names of the English one', () => {
    expect(namesOf(chinese)).toEqual(namesOf(english));
  });
});
