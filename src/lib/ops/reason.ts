import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import { type ErrorReport, type Reason, reportOf } from '../errors.ts';
import { type Html, html, type Part } from './html.ts';
import { english, type View } from './view.ts';

/** What the relay says of an error, with its remedy, and every problem that it lists. */
export const reasonBox = (view: View, reason: Reason | ErrorReport): Html => {
  const { title, remedy, detail, problems, code, upstreamCode } = { ...reportOf(reason), ...reason };
  const { words } = view;
  return html`<div class="reason">
<p><strong>${english(view, title)}</strong> <code>${code}</code>${upstreamCode !== undefined && html` <code>${upstreamCode}</code>`}</p>
${detail !== undefined && html`<p>${english(view, detail)}</p>`}
${
  problems !== undefined &&
  problems.length > 0 &&
  html`<ul>${problems.map(
    ({ pointer, expected, received }) =>
      html`<li><code>${pointer}</code> ${english(view, `Expected ${expected}, received ${received}.`)}</li>`,
  )}</ul>`
}
<p class="remedy"><span>${words.whatToDo}:</span> ${english(view, remedy)}</p>
</div>`;
};

/** The same in a line: for lists. */
export const reasonLine = (view: View, { code }: Pick<Reason, 'code'>): Part =>
  html`${english(view, catalogue[code].title)} <code>${code}</code>`;

/** What became of one email in an act, in a line. */
export const outcomeLine = (view: View, outcome: 'done' | ErrorCode | undefined): Part => {
  const { trail } = view.words;
  if (outcome === undefined) return trail.outcomeUnknown;
  if (outcome === 'done') return html`<span class="badge ok">${trail.done}</span>`;
  return html`${reasonLine(view, { code: outcome })}<br><span class="soft">${english(view, catalogue[outcome].remedy)}</span>`;
};
