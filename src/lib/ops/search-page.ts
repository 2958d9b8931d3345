import type { MailStatus } from '../desk/mail-status.ts';
import type { MailState } from '../ledger/ledger-row.ts';
import { type Html, html, type Part } from './html.ts';
import type { Page } from './layout.ts';
import { stateBadge } from './mail-page.ts';
import { reasonLine } from './reason.ts';
import { faultOf, field, foreign, form, mailPath, pathOf, table, time, type View } from './view.ts';

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
/** Those that must not stand in an address: the host logs the addresses of all requests. */
export const UNADDRESSED_FIELDS = [
  'recipient',
  'idempotencyKey',
] as const satisfies readonly (keyof SearchFields)[];

export type SearchFields = Readonly<Partial<Record<(typeof SEARCH_FIELDS)[number], string>>>;

export type SearchResult = {
  readonly mails: readonly MailStatus[];
  readonly next?: NextPage;
  readonly isIncomplete: boolean;
};

/** How the next page is asked for: by its address, or by a form where that would have what must not stand in it. */
export type NextPage = { readonly url: string } | { readonly fields: SearchFields; readonly after: string };

/** What is wrong with fields, in the words of the page. */
export type SearchFaults = Readonly<Partial<Record<keyof SearchFields, string>>>;

/** The form, and what was found or is wrong with it; without a result nothing was searched. */
export const searchPage = (
  view: View,
  fields: SearchFields,
  result: SearchResult | undefined,
  faults: SearchFaults = {},
): Page => {
  const { words } = view;
  const wrong = Object.keys(faults).length;
  return {
    title: words.pages.search,
    page: 'search',
    content: html`${wrong > 0 && html`<p class="note failed" role="alert">${words.search.wrong(wrong)}</p>`}${searchForm(view, fields, faults)}${result !== undefined && results(view, fields, result)}`,
  };
};

const searchForm = (view: View, fields: SearchFields, faults: SearchFaults): Html => {
  const { words } = view;
  const { search } = words;
  const one = (name: keyof SearchFields, label: string, help?: string): Html =>
    field(name, label, {
      ...(fields[name] === undefined ? {} : { value: fields[name] }),
      ...(help === undefined ? {} : { help }),
      fault: faults[name],
      maxlength: 500,
    });
  const at = (name: 'from' | 'until', label: string): Html =>
    field(name, label, {
      // A browser shows no other text in a field for a time.
      type: faults[name] === undefined || isMinute(fields[name]) ? 'datetime-local' : 'text',
      fault: faults[name],
      ...(fields[name] === undefined ? {} : { value: fields[name] }),
    });
  return html`<form method="post" action="${pathOf(view, 'mail')}" class="card search" role="search"><input type="hidden" name="token" value="${view.formToken}"><h2 class="visually-hidden">${search.legend}</h2>
<div class="grid">
${one('id', search.id, search.idHelp)}
<div class="field"><label for="state">${words.columns.state}</label><select id="state" name="state"${
    faults.state !== undefined && html` aria-invalid="true" aria-describedby="state-fault"`
  }><option value="">${search.anyState}</option>${(
    Object.keys(words.states) as (MailState | 'bounced')[]
  ).map(
    (state) =>
      html`<option value="${state}"${state === fields.state && html` selected`}>${words.states[state]}</option>`,
  )}</select>${faultOf('state', faults.state)}</div>
${one('sender', search.sender)}${one('recipient', search.recipient)}${one('caller', search.caller)}${one('tag', search.tag)}
${at('from', search.after)}${at('until', search.before)}
${one('idempotencyKey', search.idempotencyKey)}${one('graphRequestId', search.requestId)}${one('internetMessageId', search.messageId)}
</div>
<p class="row"><button>${search.submit}</button> <a class="button secondary" href="${pathOf(view, 'mail')}">${search.reset}</a></p>
</form>`;
};

const isMinute = (text: string | undefined): boolean => /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text ?? '');

const results = (view: View, fields: SearchFields, { mails, next, isIncomplete }: SearchResult): Html => {
  const { search } = view.words;
  const isUnknownId = mails.length === 0 && fields.internetMessageId !== undefined;
  return html`<section aria-labelledby="results"><h2 id="results">${search.results}</h2>
<p role="status">${mails.length === 0 ? search.nothing : search.found(mails.length, next !== undefined)}</p>
${isUnknownId && html`<p class="note">${search.unknownMessageId}</p>`}
${isIncomplete && html`<p class="note warning">${search.incomplete}</p>`}
${mails.length > 0 && mailTable(view, search.results, mails)}
${next !== undefined && nextPage(view, next)}</section>`;
};

const nextPage = (view: View, next: NextPage): Html =>
  'url' in next
    ? html`<p><a class="button secondary" href="${next.url}">${view.words.next}</a></p>`
    : form(
        view,
        pathOf(view, 'mail'),
        html`${Object.entries({ ...next.fields, after: next.after }).map(
          ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
        )}<button class="secondary">${view.words.next}</button>`,
      );

const mailTable = (view: View, label: string, mails: readonly MailStatus[]): Html => {
  const { columns } = view.words;
  return table(
    label,
    [
      { title: columns.state },
      { title: columns.accepted },
      { title: columns.sender },
      { title: columns.reason },
      { title: columns.recipients, isNumber: true },
      { title: columns.caller },
      { title: columns.id, isName: true },
    ],
    mails.map((mail) => [
      stateBadge(view, mail.state, mail.bounced === true),
      time(mail.acceptedAt),
      foreign(mail.sender),
      reasonOfMail(view, mail),
      mail.recipients,
      String(mail.caller ?? ''),
      html`<a class="long" href="${mailPath(view, mail.id)}"><code>${mail.id}</code></a>`,
    ]),
  );
};

const reasonOfMail = (view: View, { reason }: MailStatus): Part =>
  typeof reason === 'object' && reason !== null
    ? html`<div class="wide">${reasonLine(view, reason as Parameters<typeof reasonLine>[1])}</div>`
    : '';
