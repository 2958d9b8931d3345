/**
 * An instrument, named and with units after the conventions of OpenTelemetry (semantic conventions: metrics, general; units are UCUM).
 * Every attribute has a small closed set of values, which bounds the number of series.
 */
export type Instrument = {
  readonly kind: 'counter' | 'histogram' | 'gauge';
  readonly unit: string;
  readonly description: string;
  /** What its attributes can be, in words. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Upper bounds of the buckets of a histogram. */
  readonly bounds?: readonly number[];
};

/** From what a person notices to what an email may wait at most. */
const SECONDS = [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400] as const;

const CODE = 'a code of the error catalogue';
const CONNECTION = 'the name of a connection, of which there are at most 51';
const QUEUE = 'the name of a queue that the settings know';
const MAILBOX = 'the tag of a mailbox; the 50 busiest';

/** What is counted, from the events of the log. */
export const COUNTED = {
  'mailrelay.mail.accepted': {
    kind: 'counter',
    unit: '{mail}',
    description: 'Emails that the relay accepted.',
    attributes: { door: 'http, queue' },
  },
  'mailrelay.mail.outcomes': {
    kind: 'counter',
    unit: '{mail}',
    description:
      'Emails that reached a final state; a held email that is replayed reaches another one later.',
    attributes: {
      outcome: 'sent, rejected, held, closed, canceled, captured',
      code: `${CODE}, for rejected and held`,
    },
  },
  'mailrelay.mail.replayed': {
    kind: 'counter',
    unit: '{mail}',
    description: 'Held emails that an operator queued again.',
    attributes: {},
  },
  'mailrelay.mail.attempts': {
    kind: 'histogram',
    unit: '{attempt}',
    description: 'Attempts that an email took until it was sent.',
    attributes: {},
    bounds: [1, 2, 3, 5, 10, 20, 50],
  },
  'mailrelay.mail.accept.time': {
    kind: 'histogram',
    unit: 's',
    description: 'Time from when an email was due until Graph had accepted it.',
    attributes: { connection: CONNECTION },
    bounds: SECONDS,
  },
  'mailrelay.mail.queue.time': {
    kind: 'histogram',
    unit: 's',
    description:
      'Time from when an email was due until the attempt that sent it began, for emails from the queue.',
    attributes: {},
    bounds: SECONDS,
  },
  'mailrelay.mail.waits': {
    kind: 'counter',
    unit: '{wait}',
    description: 'Times that an email was put back to wait.',
    attributes: {
      reason: 'attempt, mailbox-limit, caller-limit, send-at, unknown-outcome, blocked, asked',
      code: `${CODE}, for attempt and blocked`,
    },
  },
  'mailrelay.mail.look_ups': {
    kind: 'counter',
    unit: '{look_up}',
    description: 'Searches for an email in the mailbox of its sender after an unknown outcome.',
    attributes: { result: 'found, absent, draft, never-sent, not-now, cannot-tell, other' },
  },
  'mailrelay.graph.requests': {
    kind: 'counter',
    unit: '{request}',
    description: 'Requests to Microsoft Graph, by outcome.',
    attributes: {
      connection: CONNECTION,
      answer: 'accepted, throttled, unavailable, refused, failed, lost, not-connected',
    },
  },
  'mailrelay.graph.wasted': {
    kind: 'counter',
    unit: '{request}',
    description: 'Requests to which Microsoft Graph returned 429, 503 or 509.',
    attributes: { connection: CONNECTION },
  },
  'mailrelay.requests.refused': {
    kind: 'counter',
    unit: '{request}',
    description: 'Requests, or emails of a batch, that the relay answered with an error.',
    attributes: { code: CODE },
  },
  'mailrelay.mail.bounces': {
    kind: 'counter',
    unit: '{report}',
    description: 'Reports that a recipient did not get an email that Exchange had accepted.',
    attributes: { kind: 'permanent, temporary' },
  },
  'mailrelay.webhook.posts': {
    kind: 'counter',
    unit: '{post}',
    description: 'Posts of events to a webhook, and events that the relay gave up.',
    attributes: {
      outcome: 'sent, failed, given-up',
      fault:
        'status, gone, timeout, connection, proxy, secret, paused, removed, settings; for failed and given-up',
    },
  },
  'mailrelay.log.events': {
    kind: 'counter',
    unit: '{event}',
    description: 'Warnings and errors in the log.',
    attributes: { event: 'the name of an event', level: 'warn, error' },
  },
} as const satisfies Readonly<Record<string, Instrument>>;

export type CountedName = keyof typeof COUNTED;

/** What is read when somebody asks, from the newest sample. */
export const SAMPLED = {
  'mailrelay.queue.messages': {
    kind: 'gauge',
    unit: '{message}',
    description: 'Messages of a queue, hidden ones too.',
    attributes: { queue: QUEUE },
  },
  'mailrelay.queue.age': {
    kind: 'gauge',
    unit: 's',
    description: 'How long the next message of a queue has waited at most; 0 where none waits.',
    attributes: { queue: QUEUE },
  },
  'mailrelay.mail.held': {
    kind: 'gauge',
    unit: '{mail}',
    description: 'Held emails, on which an operator must decide; 5000 means that or more.',
    attributes: {},
  },
  'mailrelay.secret.days_left': {
    kind: 'gauge',
    unit: 'd',
    description: 'Days until a secret or certificate of the vault expires; negative once it has.',
    attributes: { credential: 'a name in the vault, at most 100', kind: 'secret, certificate' },
  },
  'mailrelay.mailbox.limit.share': {
    kind: 'gauge',
    unit: '1',
    description: 'Share of a limit of Exchange that a mailbox uses; 1 is all of it.',
    attributes: { mailbox: MAILBOX, limit: 'minute, day' },
  },
  'mailrelay.mailbox.paused': {
    kind: 'gauge',
    unit: 's',
    description: 'How long Graph still limits a mailbox; 0 where it does not.',
    attributes: { mailbox: MAILBOX },
  },
  'mailrelay.sample.age': {
    kind: 'gauge',
    unit: 's',
    description: 'Age of the sample that the other gauges are from.',
    attributes: {},
  },
} as const satisfies Readonly<Record<string, Instrument>>;

export type SampledName = keyof typeof SAMPLED;
