import type { OperatorAct } from '../ledger/operator-act.ts';
import { actList } from './act-list.ts';
import { html } from './html.ts';
import type { Page } from './layout.ts';
import { outcomeLine, reasonBox } from './reason.ts';
import { foreign, mailPath, pathOf, table, time, type View } from './view.ts';

/** What operators did, newest first. */
export const trailPage = (
  view: View,
  { acts, next }: { readonly acts: readonly OperatorAct[]; readonly next?: string },
): Page => {
  const { words } = view;
  return {
    title: words.pages.trail,
    page: 'trail',
    content: html`<p class="lead">${words.trail.intro}</p>
${acts.length === 0 ? html`<p>${words.trail.empty}</p>` : actList(view, words.pages.trail, acts)}
${next !== undefined && html`<p><a class="button secondary" href="${pathOf(view, 'trail')}?after=${next}">${words.next}</a></p>`}`,
  };
};

/** What came of one act, each email with an outcome of its own. */
export const resultPage = (view: View, act: OperatorAct): Page => {
  const { words } = view;
  const { mails, failed, note } = act;
  const done = mails.filter(({ outcome }) => outcome === 'done').length;
  const kind = done === mails.length ? 'ok' : 'warning';
  const summary = html`<p class="note ${kind}" role="status">${words.result.summary(done, mails.length)}</p>`;
  const rows = mails.map(({ mailId, outcome }) => [
    html`<a href="${mailPath(view, mailId)}"><code>${mailId}</code></a>`,
    outcomeLine(view, outcome),
  ]);
  const columns = [{ title: words.columns.id }, { title: words.columns.outcome }];
  return {
    title: `${words.result.title}: ${words.trail.actions[act.action]}`,
    content: html`${failed === undefined ? summary : reasonBox(view, { code: failed })}
<p class="soft">${time(act.at)} · ${foreign(act.by)}${note !== undefined && html` · <q>${foreign(note)}</q>`}</p>
${rows.length > 0 && table(words.result.title, columns, rows)}
<p class="row"><a class="button secondary" href="${pathOf(view, 'held')}">${words.pages.held}</a> <a class="button secondary" href="${view.base}">${words.pages.overview}</a></p>`,
  };
};
