import type { OperatorAct } from '../ledger/operator-act.ts';
import { type Html, html } from './html.ts';
import { outcomeLine, reasonLine } from './reason.ts';
import { foreign, mailPath, table, time, type View } from './view.ts';

/** More emails of one act than this are counted, not listed. */
const MOST_LISTED = 5;

/** What operators did, as a table. `mailId`: only what is about this email. */
export const actList = (view: View, label: string, acts: readonly OperatorAct[], mailId?: string): Html => {
  const { columns, trail } = view.words;
  return table(
    label,
    [{ title: columns.time }, { title: columns.who }, { title: columns.action }, { title: columns.outcome }],
    acts.map((act) => [
      time(act.at),
      html`${foreign(act.by)} <span class="soft">${trail.with[act.with]}</span>`,
      html`${trail.actions[act.action]}${act.note !== undefined && html`<br><q>${foreign(act.note)}</q>`}`,
      outcomes(view, act, mailId),
    ]),
  );
};

const outcomes = (view: View, { mails, failed }: OperatorAct, mailId: string | undefined): Html => {
  const about = mailId === undefined ? mails : mails.filter((one) => one.mailId === mailId);
  const listed = about.slice(0, MOST_LISTED);
  const left = about.length - listed.length;
  const lines = listed.map((one) => {
    const link =
      mailId === undefined && html`<a href="${mailPath(view, one.mailId)}"><code>${one.mailId}</code></a> `;
    return html`<div>${link}${outcomeLine(view, one.outcome)}</div>`;
  });
  return html`${failed !== undefined && reasonLine(view, { code: failed })}${lines}${left > 0 && html`<div>+ ${left}</div>`}`;
};
