import type { HeldPage } from '../desk/list-held.ts';
import { mayBeSent } from '../desk/may-be-sent.ts';
import type { Reason } from '../errors.ts';
import { type Html, html } from './html.ts';
import type { Page } from './layout.ts';
import { reasonBox } from './reason.ts';
import { badge, foreign, form, mailPath, pathOf, time, type View } from './view.ts';

/** Everything that waits for a decision, each with its remedy, below what decides on those that are selected. */
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
            mayOperate ? form(view, pathOf(view, 'decide'), html`${decisionBar(view, mails)}${list}`) : list
          }${more}`,
  };
};

/** What is done with the selected ones. Without a script, all of the page are selected by one box and their ids beside it. */
const decisionBar = (view: View, mails: HeldPage['mails']): Html => {
  const { held, mail } = view.words;
  const inDoubt = mails.filter(mayBeSent).length;
  const listed = mails.map(({ id }) => html`<input type="hidden" name="listed" value="${id}">`);
  return html`<fieldset class="card bar"><legend>${held.selected}</legend>
<label class="row"><input type="checkbox" name="all" value="yes">${held.all(mails.length)}</label>${listed}
<button name="action" value="replay"${inDoubt > 0 && html` class="secondary" aria-describedby="doubt"`}>${mail.replay}</button>
<div class="field"><label for="note">${mail.note}</label><input id="note" name="note" maxlength="500" dir="auto" autocomplete="off" aria-describedby="note-help"></div>
<button name="action" value="close" class="secondary">${mail.close}</button>
<p class="help" id="note-help">${held.help}</p>${inDoubt > 0 && html`<p class="doubt" id="doubt">${held.doubt(inDoubt)}</p>`}</fieldset>`;
};

const heldItem = (view: View, mail: HeldPage['mails'][number], mayOperate: boolean): Html => {
  const { words } = view;
  const { reason } = mail as { readonly reason?: Reason };
  return html`<li class="card">
<p class="row">${mayOperate && html`<input type="checkbox" name="id" value="${mail.id}" aria-label="${words.held.select(mail.id)}"> `}<a href="${mailPath(view, mail.id)}"><code>${mail.id}</code></a> <span class="soft">${time(mail.updatedAt)}</span>${mayBeSent(mail) && html` ${badge('warning', words.held.inDoubt)}`}</p>
<p class="soft">${words.columns.sender}: ${foreign(mail.sender)} · ${words.columns.caller}: ${String(mail.caller ?? '–')} · ${words.columns.recipients}: ${mail.recipients}</p>
${reason !== undefined && reasonBox(view, reason)}</li>`;
};
