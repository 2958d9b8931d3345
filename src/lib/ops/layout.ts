import { type Html, html, type Part } from './html.ts';
import { type PageName, pathOf, type View } from './view.ts';

const PATHS: Readonly<Record<PageName, string>> = {
  overview: '',
  search: 'mail',
  held: 'held',
  callers: 'callers',
  mailboxes: 'mailboxes',
  trail: 'trail',
  test: 'test',
};
/** Only for those who may act. */
const FOR_OPERATORS: readonly PageName[] = ['test'];

export type Page = {
  readonly title: string;
  /** Which of the pages it is, for the navigation. */
  readonly page?: PageName;
  readonly content: Part;
};

/** A whole document. Nothing in it needs a script. */
export const toDocument = (view: View, { title, page, content }: Page): string => {
  const { words, operator } = view;
  const text = html`<!DOCTYPE html>
<html lang="${view.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} · ${words.title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${pathOf(view, 'ops.css')}">
</head>
<body>
<a class="skip" href="#main">${words.skip}</a>
<header>
<p class="brand"><a href="${view.base}">${words.title}</a></p>
<p class="language"><a href="${view.otherLanguageUrl}" lang="${view.language === 'en' ? 'zh-Hant' : 'en'}">${words.otherLanguage}</a></p>
${operator !== undefined && signedIn(view, operator)}
${operator !== undefined && navigation(view, page)}
</header>
<main id="main" tabindex="-1">
<h1>${title}</h1>
${content}
</main>
<footer><p>Graph Mail Relay ${view.version} · ${words.timesAreUtc}</p></footer>
</body>
</html>
`;
  return text.text;
};

const signedIn = (view: View, { name, mayOperate }: NonNullable<View['operator']>): Html => {
  const { words } = view;
  return html`<div class="who"><span>${words.signedInAs('')}<bdi>${name}</bdi>${mayOperate ? undefined : html` <span class="badge">${words.readOnly}</span>`}</span>
<form method="post" action="${pathOf(view, 'session/end')}"><input type="hidden" name="token" value="${view.formToken}"><button class="quiet">${words.signOut}</button></form></div>`;
};

const navigation = (view: View, current: PageName | undefined): Html => {
  const { words, operator } = view;
  const pages = (Object.keys(PATHS) as PageName[]).filter(
    (name) => operator?.mayOperate === true || !FOR_OPERATORS.includes(name),
  );
  return html`<nav aria-label="${words.navigation}"><ul>${pages.map(
    (name) =>
      html`<li><a href="${pathOf(view, PATHS[name])}"${name === current && html` aria-current="page"`}>${words.pages[name]}</a></li>`,
  )}</ul></nav>`;
};
