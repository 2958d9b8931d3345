import { catalogue } from '../error-catalogue.ts';
import type { TimelineEvent } from './timeline.ts';

type Of<Kind extends TimelineEvent['kind']> = Extract<TimelineEvent, { readonly kind: Kind }>;

/** What happened, as a sentence in English. */
export const inWords = (event: TimelineEvent): string => {
  switch (event.kind) {
    case 'accepted':
      return event.sendAt === undefined
        ? 'The relay received the email.'
        : `The relay received the email, to be sent at ${event.sendAt}.`;
    case 'replayed':
      return REPLAYED[event.by ?? 'unknown'];
    case 'held-before':
      return heldBeforeInWords(event);
    case 'attempt':
      return attemptInWords(event);
    case 'look-up':
      return lookUpInWords(event);
    case 'delivery':
      return deliveryInWords(event);
    case 'state':
      return stateInWords(event);
    case 'other':
      return [
        event.event,
        ...Object.entries(event.facts).map(([name, value]) => `${name}=${String(value)}`),
      ].join(' ');
  }
};

const REPLAYED = {
  operator: 'An operator replayed it.',
  application: 'Its application repeated the request, so the relay took it up again.',
  unknown: 'It was taken up again.',
} as const;

const heldBeforeInWords = ({ code, times }: Of<'held-before'>): string => {
  const title = titleOf(code);
  const often = times === 1 ? '' : `, for the last of ${times} times`;
  return `The relay held it${often}${title === undefined ? '' : `: ${title}`} (${code}).`;
};

const ATTEMPTS: Readonly<Record<Of<'attempt'>['outcome'], string>> = {
  accepted: 'Graph accepted it',
  rejected: 'An attempt was rejected',
  'not-sent': 'An attempt did not send it',
  unknown: 'An attempt has no known outcome, and may have sent it',
};

const inSeconds = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`);

const returned = ({ outcome, status, tookMs }: Of<'attempt'>): string => {
  const after = tookMs === undefined ? '' : ` after ${inSeconds(tookMs)}`;
  if (outcome === 'accepted') return after;
  if (status !== undefined) return `Graph returned ${status}${after}. `;
  return after === '' ? '' : `The attempt ended${after}, without an answer of Graph. `;
};

const attemptInWords = (event: Of<'attempt'>): string => {
  const { outcome, code, upstreamCode, graphRequestId, waitMs } = event;
  const cause = code === undefined || code === 'OUTCOME_UNKNOWN' ? undefined : titleOf(code);
  const codes = [
    outcome === 'accepted' ? '202' : undefined,
    outcome === 'accepted' || outcome === 'unknown' ? undefined : code,
    upstreamCode,
    graphRequestId === undefined ? undefined : `Graph request ${graphRequestId}`,
  ].filter((one) => one !== undefined);
  return [
    ...(outcome === 'accepted' ? [ATTEMPTS.accepted, returned(event)] : [returned(event), ATTEMPTS[outcome]]),
    ...(cause === undefined ? [] : [`: ${cause}`]),
    ...(codes.length === 0 ? [] : [` (${codes.join(', ')})`]),
    waitMs === undefined ? '.' : `. The other side asked to wait ${Math.ceil(waitMs / 1000)} s.`,
  ].join('');
};

const SEEN: Readonly<Record<Of<'look-up'>['seen'], string>> = {
  found: 'found it',
  absent: 'did not find it',
  draft: 'found it as a draft that is not sent',
  'never-sent': 'found that no draft of it was sent',
  'cannot-tell': 'is not allowed to read the mailbox',
  'not-now': 'could not read the mailbox the last time',
};

const lookUpInWords = ({ seen, times }: Of<'look-up'>): string => {
  const often = times === 1 ? 'once' : times === 2 ? 'twice' : `${times} times`;
  const looked = times === 0 ? '' : `looked in the mailbox of the sender ${often} and `;
  return `The relay ${looked}${SEEN[seen]}.`;
};

const SOURCES: Readonly<Record<Of<'delivery'>['source'], string>> = {
  trace: 'The message trace of Exchange',
  report: 'A delivery report',
};

const deliveryInWords = ({ source, status, recipient, code }: Of<'delivery'>): string =>
  `${SOURCES[source]} says of ${recipient === undefined ? 'a recipient' : `recipient ${recipient}`}: ${status}${code === undefined ? '' : ` (${code})`}.`;

const titleOf = (code: string): string | undefined =>
  Object.hasOwn(catalogue, code) ? catalogue[code as keyof typeof catalogue].title : undefined;

const stateInWords = ({ state, verified, until, code, note }: Of<'state'>): string => {
  switch (state) {
    case 'sending':
      return 'An attempt is in progress.';
    case 'deferred':
      return until === undefined
        ? 'It waits for the next attempt.'
        : `It waits for the next attempt, until ${until}.`;
    case 'unknown':
      return 'The relay looks for it in the mailbox of the sender.';
    case 'sent':
      return verified
        ? 'The relay found it in the mailbox of the sender, so it was sent.'
        : 'It is sent. From here, Exchange delivers it.';
    case 'rejected':
      return `Its application received the error${code === undefined ? '' : ` ${code}`}.`;
    case 'held':
      return 'The relay holds it. An operator replays or closes it.';
    case 'closed':
      return note === undefined
        ? 'An operator closed it.'
        : `An operator closed it, with the note: ${note.replace(/\.?$/, '.')}`;
    case 'canceled':
      return 'Its application canceled it. It was not sent.';
    case 'captured':
      return 'The relay kept it for the inbox page. It was not sent.';
    default:
      return state;
  }
};
