import type { Finding } from '../desk/finding.ts';
import type { Looked, Overview } from '../desk/ops-overview.ts';
import { type Html, html, type Part } from './html.ts';
import type { Page } from './layout.ts';
import { reasonBox } from './reason.ts';
import { badge, day, english, pathOf, table, time, type View } from './view.ts';

/** Health on one screen, and what an operator does next. */
export const overviewPage = (view: View, overview: Overview, charts: Part): Page => {
  const { words } = view;
  return {
    title: words.pages.overview,
    page: 'overview',
    content: html`${statusOf(view, overview)}
<div class="cards">${heldCard(view, overview)}${queueCard(view, overview)}${credentialCard(view, overview)}</div>
<section aria-labelledby="charts"><h2 id="charts">${words.overview.charts}</h2>${charts}</section>
${findingsOf(view, overview)}
<section aria-labelledby="queues"><h2 id="queues">${words.overview.queues}</h2>${looked(
      view,
      overview.queues,
      (queues) =>
        table(
          words.overview.queues,
          [
            { title: words.columns.queue },
            { title: words.columns.messages, isNumber: true },
            { title: words.columns.age, isNumber: true },
          ],
          queues.map(({ name, messages, oldestMs }) => [
            html`<code>${name}</code>`,
            messages ?? words.overview.noQueue,
            oldestMs === undefined ? '–' : words.span(oldestMs),
          ]),
        ),
    )}</section>
${credentialsOf(view, overview)}
<section aria-labelledby="timers"><h2 id="timers">${words.overview.heartbeats}</h2>${table(
      words.overview.heartbeats,
      [{ title: words.columns.name }, { title: words.columns.lastRun }],
      overview.heartbeats.map(({ name, lastRun }) => [
        words.overview.heartbeatNames[name],
        looked(view, lastRun, (run) =>
          run === undefined
            ? words.overview.never
            : html`${time(run.endedAt)} <span class="soft">${words.ago(view.now.getTime() - run.endedAt.getTime())}</span>${
                run.trouble !== undefined && html`<br>${badge('warning', english(view, run.trouble))}`
              }`,
        ),
      ]),
    )}</section>`,
  };
};

const looked = <Value>(view: View, part: Looked<Value>, show: (value: Value) => Part): Part =>
  part.kind === 'seen' ? show(part.value) : failure(view, part);

const failure = (view: View, { reason }: Extract<Looked<never>, { kind: 'failed' }>): Html =>
  html`<p class="soft">${view.words.notFoundOut}.</p>${reasonBox(view, reason)}`;

const statusOf = (view: View, { doctor }: Overview): Part =>
  looked(
    view,
    doctor,
    ({ state, time: checkedAt }) => html`<div class="status ${state}" role="status">
<p class="headline">${view.words.headlines[state]}</p>
<p>${view.words.overview.checkedAt} ${time(checkedAt)} · <a href="${view.base}?check=now">${view.words.overview.checkNow}</a></p></div>`,
  );

const card = (title: string, value: Part, text: Part, kind = ''): Html =>
  html`<section class="card ${kind}"><h2>${title}</h2><p class="value">${value}</p><p class="soft">${text}</p></section>`;

const heldCard = (view: View, { held }: Overview): Part => {
  const { overview } = view.words;
  return held.kind === 'failed'
    ? card(overview.held, '–', view.words.notFoundOut)
    : card(
        overview.held,
        html`<a href="${pathOf(view, 'held')}">${held.value.count}${held.value.hasMore ? '+' : ''}</a>`,
        held.value.count > 0 ? overview.heldHelp : view.words.held.empty,
        held.value.count > 0 ? 'warning' : 'ok',
      );
};

const queueCard = (view: View, { queues }: Overview): Part => {
  const { overview } = view.words;
  if (queues.kind === 'failed') return card(overview.waiting, '–', view.words.notFoundOut);
  const count = queues.value.reduce((sum, { messages = 0 }) => sum + messages, 0);
  const oldest = Math.max(...queues.value.map(({ oldestMs = -1 }) => oldestMs), -1);
  return card(
    overview.waiting,
    count,
    oldest < 0 ? (count === 0 ? overview.nothingWaits : '') : overview.waitingHelp(view.words.span(oldest)),
  );
};

const SOON_DAYS = 30;

const credentialCard = (view: View, { credentials }: Overview): Part => {
  const { overview } = view.words;
  if (credentials === undefined) return undefined;
  if (credentials.kind === 'failed') return card(overview.nextCredential, '–', view.words.notFoundOut);
  const first = credentials.value.find(({ daysLeft }) => daysLeft !== undefined);
  if (first?.daysLeft === undefined) return card(overview.nextCredential, '–', overview.noCredential);
  const { daysLeft } = first;
  return card(
    overview.nextCredential,
    daysLeft < 0 ? overview.expired : overview.days(daysLeft),
    html`<code>${first.name}</code>`,
    daysLeft < 0 ? 'failed' : daysLeft < SOON_DAYS ? 'warning' : 'ok',
  );
};

const findingsOf = (view: View, { doctor }: Overview): Part => {
  if (doctor.kind === 'failed') return undefined;
  const { words } = view;
  const { findings } = doctor.value;
  const [fine, others] = [
    findings.filter(({ state }) => state === 'ok'),
    findings.filter(({ state }) => state !== 'ok'),
  ];
  return html`<section aria-labelledby="findings"><h2 id="findings">${words.overview.findings}</h2>
${others.length > 0 && html`<ul class="findings">${others.map((one) => findingOf(view, one))}</ul>`}
<details><summary>${words.overview.inOrder(fine.length)}</summary><ul class="findings">${fine.map((one) => findingOf(view, one))}</ul></details></section>`;
};

const findingOf = (view: View, { state, check, subject, seen, remedy, code }: Finding): Html => {
  const { words } = view;
  return html`<li>${badge(state, words.findings[state])} <strong>${english(view, subject === undefined ? check : `${check} (${subject})`)}</strong>
<p>${english(view, seen)}${code !== undefined && html` <code>${code}</code>`}</p>
${remedy !== undefined && html`<p class="remedy"><span>${words.whatToDo}:</span> ${english(view, remedy)}</p>`}</li>`;
};

const credentialsOf = (view: View, { credentials }: Overview): Part => {
  if (credentials === undefined) return undefined;
  const { columns, overview, none } = view.words;
  return html`<section aria-labelledby="credentials"><h2 id="credentials">${overview.credentials}</h2>${looked(
    view,
    credentials,
    (all) =>
      table(
        overview.credentials,
        [
          { title: columns.name },
          { title: columns.kind },
          { title: columns.connection },
          { title: columns.expires },
          { title: columns.daysLeft, isNumber: true },
        ],
        all.map(({ name, kind, connections, expiresOn, daysLeft }) => [
          html`<code>${name}</code>`,
          overview.credentialKinds[kind],
          connections.length === 0 ? none : connections.join(', '),
          expiresOn === undefined ? '–' : day(expiresOn),
          daysLeft === undefined
            ? '–'
            : daysLeft < 0
              ? badge('failed', overview.expired)
              : daysLeft < SOON_DAYS
                ? badge('warning', daysLeft)
                : daysLeft,
        ]),
      ),
  )}</section>`;
};
