import type { MailStatus } from '../desk/mail-status.ts';
import type { MailState } from '../ledger/ledger-row.ts';
import { type Html, html, type Part } from './html.ts';
import type { Page } from './layout.ts';
import { stateBadge } from './mail-page.ts';
import { reasonLine } from './reason.ts';
import { field, foreign, mailPath, pathOf, table, time, type View } from './view.ts';

/** The fields of the search, by their names in the address. */
export const SEARCH_FIELDS = [
  'id',
  'state',
  'sender',
  'caller',
  'tag',
  'recipient',
  'idempotencyKey',
  'graphRequestId',
  'internetMessageId',
  'from',
  'until',
] as const;
export type SearchFields = Readonly<Partial<Record<(typeof SEARCH_FIELDS)[number], string>>>;

export type SearchResult = {
  readonly mails: readonly MailStatus[];
  /** The address of the next page. */
  readonly nextUrl?: string;
  readonly isIncomplete: boolean;
};

/** The form, and what was found; without a result nothing was searched. */
export const searchPage = (view: View, fields: SearchFields, result: SearchResult | undefined): Page => {
  const { words } = view;
  return {
    title: words.pages.search,
    page: 'search',
    content: html`${searchForm(view, fields)}${result !== undefined && results(view, result)}`,
  };
};

const searchForm = (view: View, fields: SearchFields): Html => {
  const { words } = view;
  const { search } = words;
  const one = (name: keyof SearchFields, label: string, help?: string): Html =>
    field(name, label, {
      ...(fields[name] === undefined ? {} : { value: fields[name] }),
      ...(help === undefined ? {} : { help }),
      maxlength: 500,
    });
  const at = (name: 'from' | 'until', label: string): Html =>
    field(name, label, {
      type: 'datetime-local',
      ...(fields[name] === undefined ? {} : { value: fields[name] }),
    });
  return html`<form method="get" action="${pathOf(view, 'mail')}" class="card search" role="search"><h2 class="visually-hidden">${search.legend}</h2>
<div class="grid">
${one('id', search.id, search.idHelp)}
<div class="field"><label for="state">${words.columns.state}</label><select id="state" name="state"><option value="">${search.anyState}</option>${(
    Object.keys(words.states) as (MailState | 'bounced')[]
  ).map(
    (state) =>
      html`<option value="${state}"${state === fields.state && html` selected`}>${words.states[state]}</option>`,
  )}</select></div>
${one('sender', search.sender)}${one('recipient', search.recipient)}${one('caller', search.caller)}${one('tag', search.tag)}
${at('from', search.after)}${at('until', search.before)}
${one('idempotencyKey', search.idempotencyKey)}${one('graphRequestId', search.requestId)}${one('internetMessageId', search.messageId)}
</div>
<p class="row"><button>${search.submit}</button> <a class="button secondary" href="${pathOf(view, 'mail')}">${search.reset}</a></p>
</form>`;
};

const results = (view: View, { mails, nextUrl, isIncomplete }: SearchResult): Html => {
  const { search } = view.words;
  return html`<section aria-labelledby="results"><h2 id="results">${search.results}</h2>
<p role="status">${mails.length === 0 ? search.nothing : search.found(mails.length, nextUrl !== undefined)}</p>
${isIncomplete && html`<p class="note warning">${search.incomplete}</p>`}
${mails.length > 0 && mailTable(view, search.results, mails)}
${nextUrl !== undefined && html`<p><a class="button secondary" href="${nextUrl}">${view.words.next}</a></p>`}</section>`;
};

const mailTable = (view: View, label: string, mails: readonly MailStatus[]): Html => {
  const { columns } = view.words;
  return table(
    label,
    [
      { title: columns.id },
      { title: columns.state },
      { title: columns.accepted },
      { title: columns.sender },
      { title: columns.caller },
      { title: columns.recipients, isNumber: true },
      { title: columns.reason },
    ],
    mails.map((mail) => [
      html`<a href="${mailPath(view, mail.id)}"><code>${mail.id}</code></a>`,
      stateBadge(view, mail.state, mail.bounced === true),
      time(mail.acceptedAt),
      foreign(mail.sender),
      String(mail.caller ?? ''),
      mail.recipients,
      reasonOfMail(view, mail),
    ]),
  );
};

const reasonOfMail = (view: View, { reason }: MailStatus): Part =>
  typeof reason === 'object' && reason !== null
    ? html`<div class="wide">${reasonLine(view, reason as Parameters<typeof reasonLine>[1])}</div>`
    : '';
