import { COUNTED, type Instrument, SAMPLED, type SampledName } from './instruments.ts';
import type { MailboxShare } from './mailbox-share.ts';
import { daysLeftOf, queueAgeSeconds, type RelaySample } from './relay-sample.ts';
import { type Distribution, plus, readSeriesKey, seriesKey, type Tally } from './tally.ts';

type Attributes = Readonly<Record<string, string>>;
type Gauge = readonly [name: SampledName, attributes: Attributes, value: number];

export type Point = { readonly attributes: Attributes; readonly value: number | Distribution };

/** An instrument with all that it has measured. */
export type Family = {
  readonly name: string;
  readonly instrument: Instrument;
  readonly points: readonly Point[];
};

/** A gauge of something that was seen long ago would be taken for what is so now. */
const SAMPLE_VALID_MS = 15 * 60_000;
const MOST_CREDENTIALS = 100;

/** There before the first email, so that the increase to one is seen as an increase. */
const FROM_THE_START: Tally = {
  counts: {
    [seriesKey('mailrelay.mail.accepted', { door: 'http' })]: 0,
    [seriesKey('mailrelay.mail.accepted', { door: 'queue' })]: 0,
    [seriesKey('mailrelay.mail.outcomes', { outcome: 'sent' })]: 0,
  },
  distributions: {},
};

/** What all instances have counted, by instrument. What an earlier version counted and this one does not know is left out. */
export const countedFamilies = (tally: Tally): readonly Family[] => {
  const { counts, distributions } = plus(FROM_THE_START, tally);
  const points = new Map<string, Point[]>();
  for (const [key, value] of [...Object.entries(counts), ...Object.entries(distributions)]) {
    const series = readSeriesKey(key);
    if (series === undefined || !Object.hasOwn(COUNTED, series.instrument)) continue;
    const known = points.get(series.instrument) ?? [];
    known.push({ attributes: series.attributes, value });
    points.set(series.instrument, known);
  }
  return Object.entries(COUNTED).map(([name, instrument]) => ({
    name,
    instrument,
    points: points.get(name) ?? [],
  }));
};

/** The gauges of a sample; without a sample, or with an old one, none but its age. `tagOf` stands for an address. */
export const sampledFamilies = (
  sample: RelaySample | undefined,
  tagOf: (address: string) => string,
  now: Date,
): readonly Family[] => {
  if (sample === undefined) return [];
  const age = now.getTime() - Date.parse(sample.at);
  const points: Gauge[] = [['mailrelay.sample.age', {}, Math.max(0, age / 1000)]];
  if (age <= SAMPLE_VALID_MS) points.push(...gaugesOf(sample, tagOf, now));
  const names = [...new Set(points.map(([name]) => name))];
  return names.map((name) => ({
    name,
    instrument: SAMPLED[name],
    points: points
      .filter((point) => point[0] === name)
      .map(([, attributes, value]) => ({ attributes, value })),
  }));
};

const gaugesOf = (
  { at, queues, held, credentials, mailboxes = [] }: RelaySample,
  tagOf: (address: string) => string,
  now: Date,
): Gauge[] => [
  ...queues.flatMap((queue): Gauge[] =>
    queue.messages === undefined
      ? []
      : [
          ['mailrelay.queue.messages', { queue: queue.queue }, queue.messages],
          ['mailrelay.queue.age', { queue: queue.queue }, queueAgeSeconds(queue, new Date(at))],
        ],
  ),
  ...(held === undefined ? [] : [['mailrelay.mail.held', {}, held.count] as Gauge]),
  ...(credentials?.all ?? [])
    .slice(0, MOST_CREDENTIALS)
    .map(
      (one): Gauge => [
        'mailrelay.secret.days_left',
        { credential: one.credential, kind: one.kind },
        daysLeftOf(one, now),
      ],
    ),
  ...mailboxes.flatMap((share) => gaugesOfMailbox(share, tagOf(share.address), now)),
];

const gaugesOfMailbox = ({ minute, day, pausedUntil }: MailboxShare, mailbox: string, now: Date): Gauge[] => [
  ['mailrelay.mailbox.limit.share', { mailbox, limit: 'minute' }, minute],
  ['mailrelay.mailbox.limit.share', { mailbox, limit: 'day' }, day],
  [
    'mailrelay.mailbox.paused',
    { mailbox },
    pausedUntil === undefined ? 0 : Math.max(0, (Date.parse(pausedUntil) - now.getTime()) / 1000),
  ],
];
