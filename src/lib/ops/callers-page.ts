import type { CallerToday } from '../desk/callers-today.ts';
import { html, type Part } from './html.ts';
import type { Page } from './layout.ts';
import { badge, foreign, table, type View } from './view.ts';

/** Who may send, and what of today is used. */
export const callersPage = (view: View, callers: readonly CallerToday[]): Page => {
  const { words } = view;
  const { columns } = words;
  return {
    title: words.pages.callers,
    page: 'callers',
    content: [
      html`<p class="lead">${words.callers.intro}</p>`,
      table(
        words.pages.callers,
        [
          { title: columns.caller },
          { title: columns.source },
          { title: columns.senders },
          { title: columns.mailsToday, isNumber: true },
          { title: columns.recipientsToday, isNumber: true },
        ],
        callers.map(({ caller, today }) => [
          html`<code>${caller.name}</code>${caller.disabled === true && html` ${badge('warning', words.callers.disabled)}`}${caller.open === true && html` ${badge('', words.callers.open)}`}`,
          words.callers.declaredIn[caller.declaredIn],
          sendersOf(view, caller.senders),
          used(view, today?.mails),
          used(view, today?.recipients),
        ]),
      ),
    ],
  };
};

const sendersOf = ({ words }: View, senders: unknown): Part =>
  Array.isArray(senders)
    ? senders.map((one, index) => html`${index > 0 && ', '}${foreign(String(one))}`)
    : html`<span class="soft">${words.callers.ofSettings}</span>`;

const used = (
  { words, language }: View,
  part: { readonly limit: number; readonly taken: number } | undefined,
): Part =>
  part === undefined
    ? html`<span class="soft">${words.callers.unlimited}</span>`
    : html`${words.callers.used(part.taken.toLocaleString(language), part.limit.toLocaleString(language))}<meter min="0" max="${part.limit}" high="${part.limit * 0.9}" value="${part.taken}" aria-hidden="true"></meter>`;
