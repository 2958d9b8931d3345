import type { Operator } from '../desk/operator.ts';
import type { Language } from '../mail/language.ts';
import { type Html, html, type Part } from './html.ts';
import { onPage } from './on-page.ts';
import type { OpsWords } from './words.ts';

export type PageName = keyof OpsWords['pages'];

/** What every page needs to be drawn. */
export type View = {
  /** The path of the overview, without a slash at its end. */
  readonly base: string;
  readonly language: Language;
  readonly words: OpsWords;
  readonly now: Date;
  readonly version: string;
  /** The same page in the other language. */
  readonly otherLanguageUrl: string;
  /** Absent before someone has signed in, or where they have no role. */
  readonly operator?: Operator;
  /** What a form of this operator carries. */
  readonly formToken?: string;
};

/** The path of a page below that of the overview. */
export const pathOf = ({ base }: View, path: string): string => (path === '' ? base : `${base}/${path}`);

/** The path of one email. */
export const mailPath = (view: View, id: string): string => pathOf(view, `mail/${encodeURIComponent(id)}`);

/** A time to the second, in UTC. */
export const time = (at: string | Date | undefined): Part => {
  const date = at === undefined ? undefined : new Date(at);
  if (date === undefined || Number.isNaN(date.getTime())) return undefined;
  const iso = date.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`;
};

/** A day in UTC. */
export const day = (at: Date): Html => {
  const iso = at.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)}</time>`;
};

/** Text of the catalogue or the doctor, which is in English whatever the language of the page. Its commands are the buttons here. */
export const english = (view: View, text: string): Part =>
  view.language === 'en' ? onPage(view, text) : html`<span lang="en">${onPage(view, text)}</span>`;

/** Text that others wrote, in whatever direction it runs. */
export const foreign = (text: string): Html => html`<bdi>${text}</bdi>`;

/** `Name <address>`, each isolated: a name that runs from right to left leaves the address in its place. */
export const person = (text: string): Html => {
  const [, name = '', address = ''] = /^(.+) <([^<>]+)>$/.exec(text) ?? [];
  return name === '' ? foreign(text) : html`${foreign(name)} &lt;${foreign(address)}&gt;`;
};

export type Column = {
  readonly title: string;
  readonly isNumber?: boolean;
  /** Names the row; without one, the first column does. */
  readonly isName?: boolean;
};

/**
 * A table that scrolls in itself where it is wider than the screen. On a small screen its rows are cards, whose cells say their column;
 * the roles keep it a table then, as browsers take `display` for the meaning.
 */
export const table = (
  label: string,
  columns: readonly Column[],
  rows: readonly (readonly Part[])[],
): Html => {
  const name = Math.max(
    0,
    columns.findIndex(({ isName }) => isName === true),
  );
  return html`<div class="table" role="group" aria-label="${label}" tabindex="0"><table role="table">
<thead role="rowgroup"><tr role="row">${columns.map(({ title, isNumber }) => html`<th scope="col" role="columnheader"${isNumber === true && html` class="number"`}>${title}</th>`)}</tr></thead>
<tbody role="rowgroup">${rows.map(
    (cells) =>
      html`<tr role="row">${cells.map((cell, index) => {
        const column = columns[index];
        const kind = html` data-column="${column?.title}"${column?.isNumber === true && html` class="number"`}`;
        return index === name
          ? html`<th scope="row" role="rowheader"${kind}>${cell}</th>`
          : html`<td role="cell"${kind}>${cell}</td>`;
      })}</tr>`,
  )}</tbody>
</table></div>`;
};

/** Names and values, those without a value left out. */
export const facts = (pairs: readonly (readonly [name: string, value: Part])[]): Html =>
  html`<dl class="facts">${pairs
    .filter(([, value]) => value !== undefined && value !== '' && value !== false)
    .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

/** A form that changes something. */
export const form = (view: View, action: string, content: Html, kind = 'stack'): Html =>
  html`<form method="post" action="${action}" class="${kind}"><input type="hidden" name="token" value="${view.formToken}">${content}</form>`;

export type FieldOptions = {
  readonly type?: string;
  readonly value?: string;
  readonly help?: string;
  readonly isRequired?: boolean;
  readonly autocomplete?: string;
  readonly maxlength?: number;
  readonly hasFault?: boolean;
  /** What was expected, where it has a fault. */
  readonly fault?: string | undefined;
};

/** A field with its label, and what to know about it. */
export const field = (
  name: string,
  label: string,
  {
    type = 'text',
    value,
    help,
    isRequired,
    autocomplete = 'off',
    maxlength,
    fault,
    hasFault = fault !== undefined,
  }: FieldOptions = {},
): Html => html`<div class="field"><label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete}"${
  isRequired === true && html` required`
}${maxlength !== undefined && html` maxlength="${maxlength}"`}${hasFault === true && html` aria-invalid="true"`}${
  (help ?? fault) !== undefined && html` aria-describedby="${describers(name, { help, fault })}"`
}${type === 'text' && html` dir="auto"`} spellcheck="false">
${faultOf(name, fault)}${help !== undefined && html`<p class="help" id="${name}-help">${help}</p>`}</div>`;

const describers = (
  name: string,
  { help, fault }: Pick<FieldOptions, 'fault'> & { help: string | undefined },
): string =>
  [fault !== undefined && `${name}-fault`, help !== undefined && `${name}-help`].filter(Boolean).join(' ');

/** What is wrong with a field, beside it. */
export const faultOf = (name: string, fault: string | undefined): Part =>
  fault !== undefined && html`<p class="fault" id="${name}-fault">${fault}</p>`;

/** A word that a colour goes with; the word alone says it. */
export const badge = (kind: string, word: Part): Html => html`<span class="badge ${kind}">${word}</span>`;
