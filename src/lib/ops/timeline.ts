import type { MailStatus } from '../desk/mail-status.ts';
import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import { type Html, html } from './html.ts';
import { time, type View } from './view.ts';
import type { AttemptWords } from './words.ts';

type Event = MailStatus['timeline'][number];

const titleOf = (code: unknown): string | undefined =>
  // The sentence about an attempt of unknown outcome says it already.
  typeof code === 'string' && code in catalogue && code !== 'OUTCOME_UNKNOWN'
    ? catalogue[code as ErrorCode].title
    : undefined;

/** What is known of an attempt, as a sentence can say it. */
const attemptWords = ({ words }: View, event: Event): AttemptWords => {
  const title = titleOf(event.code);
  const name = typeof event.upstreamCode === 'string' ? ` (${event.upstreamCode})` : '';
  return {
    ...(title === undefined ? {} : { what: `${title}${name}` }),
    ...(typeof event.status === 'number' ? { status: String(event.status) } : {}),
    ...(typeof event.tookMs === 'number' ? { after: words.span(event.tookMs) } : {}),
    ...(typeof event.waitMs === 'number' ? { wait: words.span(event.waitMs) } : {}),
  };
};

const ATTEMPT = /^attempt (accepted|rejected|not-sent|unknown)$/;

const sentenceOf = (view: View, event: Event, isVerified: boolean): string => {
  const { timeline } = view.words;
  const outcome = ATTEMPT.exec(event.event)?.[1] as keyof typeof timeline.attempt | undefined;
  if (outcome !== undefined) return timeline.attempt[outcome](attemptWords(view, event));
  if (event.event === 'accepted' || event.event === 'replayed') return timeline[event.event];
  if (event.event === 'sent' && isVerified) return timeline.verified;
  const known = timeline.state as Readonly<Record<string, string>>;
  return known[event.event] ?? timeline.other(event.event);
};

/** The state that an event ends in, for its colour. */
const kindOf = ({ event }: Event): string => event.replace(/^attempt /, 'attempt-').replace(/[^\w-]/g, '');

/** What happened to an email, a sentence each, oldest first. */
export const timelineOf = (view: View, mail: MailStatus): Html =>
  html`<ol class="timeline">${mail.timeline.map(
    (event) =>
      html`<li class="${kindOf(event)}">${time(event.at)} <span>${sentenceOf(view, event, mail.verified === true)}</span>${
        typeof event.graphRequestId === 'string' &&
        html` <span class="soft">${view.words.mail.requestId} <code>${event.graphRequestId}</code></span>`
      }</li>`,
  )}</ol>`;
