import { explainBounce } from '../bounces/bounce-words.ts';
import type { HeldContent } from '../desk/held-content.ts';
import type { MailStatus } from '../desk/mail-status.ts';
import { mayBeSent } from '../desk/may-be-sent.ts';
import type { ToldDelivery } from '../desk/told-deliveries.ts';
import type { Reason } from '../errors.ts';
import type { OperatorAct } from '../ledger/operator-act.ts';
import { actList } from './act-list.ts';
import { decisionFields } from './decision-form.ts';
import { type Html, html, type Part } from './html.ts';
import type { Page } from './layout.ts';
import { reasonBox } from './reason.ts';
import { timelineOf } from './timeline.ts';
import { badge, facts, foreign, form, mailPath, person, table, time, type View } from './view.ts';

export type OneMail = {
  readonly mail: MailStatus;
  readonly acts: readonly OperatorAct[];
  /** Only after the operator has asked for it. */
  readonly content?: HeldContent;
  readonly deliveries: readonly ToldDelivery[];
  readonly isBounced: boolean;
  /** Exchange can be asked what became of it. */
  readonly canTrace: boolean;
};

/** One email: what happened to it, why, and what an operator can do. Nothing of its content unless asked for. */
export const mailPage = (view: View, one: OneMail): Page => {
  const { words } = view;
  const { mail } = one;
  const { reason } = mail as { readonly reason?: Reason };
  return {
    title: words.mail.title,
    page: 'search',
    content: html`<p class="id"><code>${mail.id}</code> ${stateBadge(view, mail.state, one.isBounced)}</p>
${mail.redirected === true && html`<p class="note warning">${words.mail.redirected}</p>`}
${mail.captured === true && html`<p class="note warning">${words.mail.captured}</p>`}
${reason !== undefined && html`<section aria-labelledby="reason"><h2 id="reason">${words.mail.reason}</h2>${reasonBox(view, reason)}</section>`}
${decision(view, one)}
<section aria-labelledby="timeline"><h2 id="timeline">${words.mail.timeline}</h2>
${typeof mail.omittedAttempts === 'number' && html`<p class="soft">${words.mail.omitted(mail.omittedAttempts)}</p>`}
${timelineOf(view, mail)}</section>
${mail.state === 'sent' && deliveryOf(view, one)}
${factsOf(view, mail)}
${contentOf(view, one)}
${one.acts.length > 0 && html`<section aria-labelledby="acts"><h2 id="acts">${words.mail.acts}</h2>${actList(view, words.mail.acts, one.acts, mail.id)}</section>`}`,
  };
};

/** The state, and beside `sent` that a recipient could not be reached. */
export const stateBadge = ({ words }: View, state: MailStatus['state'], isBounced = false): Html =>
  html`${badge(`state-${state}`, words.states[state])}${isBounced && html` ${badge('failed', words.states.bounced)}`}`;

const CLOSABLE: readonly MailStatus['state'][] = ['held', 'queued', 'deferred'];

const decision = (view: View, { mail }: OneMail): Part => {
  if (view.operator?.mayOperate !== true || !CLOSABLE.includes(mail.state)) return undefined;
  const { words } = view;
  return html`<section aria-labelledby="decide"><h2 id="decide">${words.mail.decide}</h2>${form(
    view,
    `${view.base}/decide`,
    html`<input type="hidden" name="id" value="${mail.id}">${decisionFields(view, { canReplay: mail.state === 'held', doubt: mail.state === 'held' && mayBeSent(mail) ? words.mail.doubt : undefined })}`,
    'card stack',
  )}</section>`;
};

const factsOf = (view: View, mail: MailStatus): Html => {
  const { columns, mail: names, none } = view.words;
  const { tags, recipientAddresses } = mail as MailStatus & {
    readonly recipientAddresses?: readonly string[];
  };
  const text = (value: unknown): Part => (typeof value === 'string' ? value : undefined);
  const at = (value: unknown): Part => (typeof value === 'string' ? time(value) : undefined);
  return html`<section aria-labelledby="facts"><h2 id="facts">${names.facts}</h2>${facts([
    [columns.sender, foreign(mail.sender)],
    [
      columns.recipients,
      recipientAddresses === undefined
        ? mail.recipients
        : html`${mail.recipients}: ${recipientAddresses.map((one, index) => html`${index > 0 && ', '}${foreign(one)}`)}`,
    ],
    [columns.caller, text(mail.caller)],
    [columns.connection, text(mail.connection)],
    [
      names.tags,
      tags.length === 0
        ? none
        : html`${tags.map((tag) => html`<span class="badge">${foreign(tag)}</span> `)}`,
    ],
    [names.priority, text(mail.priority)],
    [columns.accepted, time(mail.acceptedAt)],
    [names.sendAt, at(mail.sendAt)],
    [names.until, at(mail.until)],
    [names.requestId, typeof mail.graphRequestId === 'string' && html`<code>${mail.graphRequestId}</code>`],
    [
      names.messageId,
      typeof mail.internetMessageId === 'string' && html`<code>${mail.internetMessageId}</code>`,
    ],
    [names.note, typeof mail.note === 'string' && foreign(mail.note)],
    [names.record, typeof mail.record === 'string' && html`<code>${mail.record}</code>`],
  ])}</section>`;
};

const contentOf = (view: View, { mail, content }: OneMail): Part => {
  if (mail.state !== 'held') return undefined;
  const { words } = view;
  const heading = html`<h2 id="content">${words.mail.content}</h2>`;
  if (content === undefined)
    return view.operator?.mayOperate === true
      ? html`<section aria-labelledby="content">${heading}<p class="soft">${words.mail.contentHelp}</p>${form(
          view,
          `${mailPath(view, mail.id)}/open`,
          html`<button class="secondary">${words.mail.openContent}</button>`,
        )}</section>`
      : undefined;
  const people = (list: readonly string[]): Part =>
    list.length > 0 && html`<ul class="plain">${list.map((one) => html`<li>${person(one)}</li>`)}</ul>`;
  return html`<section aria-labelledby="content">${heading}${facts([
    [words.mail.subject, content.subject !== undefined && html`<span dir="auto">${content.subject}</span>`],
    [words.mail.to, people(content.to)],
    [words.mail.cc, people(content.cc)],
    [words.mail.bcc, people(content.bcc)],
  ])}</section>`;
};

const deliveryOf = (view: View, { mail, deliveries, canTrace }: OneMail): Html => {
  const { words } = view;
  return html`<section aria-labelledby="delivery"><h2 id="delivery">${words.mail.deliveries}</h2>
<p class="soft">${words.mail.deliveriesHelp}</p>
${
  deliveries.length === 0
    ? html`<p>${words.mail.noDeliveries}</p>`
    : table(
        words.mail.deliveries,
        [
          { title: words.columns.recipient },
          { title: words.columns.status },
          { title: words.columns.source },
          { title: words.columns.time },
          { title: words.columns.reason },
        ],
        deliveries.map((one) => [
          recipientOf(view, one),
          html`${badge(`delivery-${one.status}`, words.mail.deliveryStates[one.status])}${one.code !== undefined && html` <code>${one.code}</code>`}`,
          html`${words.mail.deliverySources[one.source]}${one.isGuess === true && html` <span class="soft">(${words.mail.guess})</span>`}`,
          time(one.at),
          whyNot(view, one),
        ]),
      )
}
${
  canTrace &&
  view.operator?.mayOperate === true &&
  form(
    view,
    `${mailPath(view, mail.id)}/trace`,
    html`<button class="secondary">${words.mail.askTrace}</button>`,
  )
}</section>`;
};

const recipientOf = ({ words }: View, { recipient, address }: ToldDelivery): Part => {
  if (address !== undefined) return foreign(address);
  return recipient === undefined ? words.mail.unlistedRecipient : words.mail.recipientNumber(recipient);
};

/** Why it was not delivered, and what to do about it. */
const whyNot = (view: View, { cause, code }: ToldDelivery): Part => {
  if (cause === undefined) return '';
  const told = explainBounce(code, view.language);
  return html`<div class="wide">${told.cause}<p class="remedy"><span>${view.words.whatToDo}:</span> ${told.remedy}</p></div>`;
};
