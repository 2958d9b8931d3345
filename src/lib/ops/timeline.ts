import type { MailStatus } from '../desk/mail-status.ts';
import { readTimeline, type TimelineEvent } from '../desk/timeline.ts';
import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import { type Html, html } from './html.ts';
import { time, type View } from './view.ts';
import type { AttemptWords } from './words.ts';

type Attempt = Extract<TimelineEvent, { readonly kind: 'attempt' }>;

const titleOf = (code: string | undefined): string | undefined =>
  // The sentence about an attempt of unknown outcome says it already.
  code === 'OUTCOME_UNKNOWN' ? undefined : catalogueTitle(code);

const catalogueTitle = (code: string | undefined): string | undefined =>
  code !== undefined && Object.hasOwn(catalogue, code) ? catalogue[code as ErrorCode].title : undefined;

/** What is known of an attempt, as a sentence can say it. */
const attemptWords = (
  { words }: View,
  { code, upstreamCode, status, tookMs, waitMs }: Attempt,
): AttemptWords => {
  const title = titleOf(code);
  const name = upstreamCode === undefined ? '' : ` (${upstreamCode})`;
  return {
    ...(title === undefined ? {} : { what: `${title}${name}` }),
    ...(status === undefined ? {} : { status: String(status) }),
    ...(tookMs === undefined ? {} : { after: words.span(tookMs) }),
    ...(waitMs === undefined ? {} : { wait: words.span(waitMs) }),
  };
};

const sentenceOf = (view: View, event: TimelineEvent): string => {
  const { timeline } = view.words;
  switch (event.kind) {
    case 'accepted':
      return timeline.accepted;
    case 'replayed':
      return timeline.replayed[event.by ?? 'unknown'];
    case 'held-before':
      return timeline.heldBefore(catalogueTitle(event.code) ?? event.code, event.times);
    case 'attempt':
      return timeline.attempt[event.outcome](attemptWords(view, event));
    case 'look-up':
      return timeline.lookUp[event.seen](event.times);
    case 'delivery': {
      const { deliverySources, deliveryStates, recipientNumber } = view.words.mail;
      const who = event.recipient === undefined ? undefined : recipientNumber(event.recipient);
      return timeline.delivery({
        ...(who === undefined ? {} : { who }),
        source: deliverySources[event.source],
        status: deliveryStates[event.status],
        ...(event.code === undefined ? {} : { code: event.code }),
      });
    }
    case 'state': {
      if (event.state === 'sent' && event.verified === true) return timeline.verified;
      const known = timeline.state as Readonly<Record<string, string>>;
      return known[event.state] ?? timeline.other(event.state);
    }
    case 'other':
      return timeline.other(event.event);
  }
};

/** The state that an event ends in, for its colour. */
const kindOf = (event: string): string => event.replaceAll(' ', '-').replace(/[^\w-]/g, '');

/** What happened to an email, a sentence each, oldest first. */
export const timelineOf = (view: View, mail: MailStatus): Html => {
  const events = readTimeline(mail);
  return html`<ol class="timeline">${mail.timeline.map(({ at, event, graphRequestId }, index) => {
    const read = events[index];
    return html`<li class="${kindOf(event)}">${time(at)} <span>${read !== undefined && sentenceOf(view, read)}</span>${
      typeof graphRequestId === 'string' &&
      html` <span class="soft">${view.words.mail.requestId} <code>${graphRequestId}</code></span>`
    }</li>`;
  })}</ol>`;
};
