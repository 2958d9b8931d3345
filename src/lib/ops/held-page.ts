import type { HeldPage } from '../desk/list-held.ts';
import type { Reason } from '../errors.ts';
import { decisionFields } from './decision-form.ts';
import { type Html, html } from './html.ts';
import type { Page } from './layout.ts';
import { reasonBox } from './reason.ts';
import { foreign, form, mailPath, pathOf, time, type View } from './view.ts';

/** Everything that waits for a decision, each with its remedy. */
export const heldPage = (view: View, { mails, next }: HeldPage, nextToken: string | undefined): Page => {
  const { words, operator } = view;
  const mayOperate = operator?.mayOperate === true;
  const list = html`<ul class="held-list">${mails.map((mail) => heldItem(view, mail, mayOperate))}</ul>`;
  const more =
    next !== undefined &&
    html`<p><a class="button secondary" href="${pathOf(view, 'held')}?after=${nextToken}">${words.next}</a></p>`;
  return {
    title: words.pages.held,
    page: 'held',
    content:
      mails.length === 0
        ? html`<p class="note ok">${words.held.empty}</p>${more}`
        : html`<p class="lead">${words.held.intro}</p>${
            mayOperate
              ? form(
                  view,
                  pathOf(view, 'decide'),
                  html`${list}<fieldset class="card stack"><legend>${words.held.selected}</legend>${decisionFields(view, true)}</fieldset>`,
                )
              : list
          }${more}`,
  };
};

const heldItem = (view: View, mail: HeldPage['mails'][number], mayOperate: boolean): Html => {
  const { words } = view;
  const { reason } = mail as { readonly reason?: Reason };
  return html`<li class="card">
<p class="row">${mayOperate && html`<input type="checkbox" name="id" value="${mail.id}" aria-label="${words.held.select(mail.id)}"> `}<a href="${mailPath(view, mail.id)}"><code>${mail.id}</code></a> <span class="soft">${time(mail.updatedAt)}</span></p>
<p class="soft">${words.columns.sender}: ${foreign(mail.sender)} · ${words.columns.caller}: ${String(mail.caller ?? '–')} · ${words.columns.recipients}: ${mail.recipients}</p>
${reason !== undefined && reasonBox(view, reason)}</li>`;
};
