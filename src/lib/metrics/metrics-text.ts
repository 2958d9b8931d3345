import type { Family, Point } from './families.ts';
import type { Instrument } from './instruments.ts';
import type { Distribution } from './tally.ts';

/** How metrics are written: as Prometheus reads them from all time (0.0.4), or as OpenMetrics 1.0. */
export type MetricsFormat = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** As the OpenTelemetry specification has them for Prometheus (compatibility: Prometheus and OpenMetrics, metric metadata). */
const UNIT_NAMES: Readonly<Record<string, string>> = { s: 'seconds', d: 'days', '1': 'ratio' };

type Named = { readonly name: string; readonly unit: string | undefined };

/** The name that Prometheus knows an instrument by, without the ending of a counter. */
const namedAs = (name: string, { unit }: Instrument): Named => {
  const base = name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
  const word = UNIT_NAMES[unit];
  if (word === undefined || base.split('_').includes(word)) return { name: base, unit: undefined };
  return { name: `${base}_${word}`, unit: word };
};

/** The name of the series of a metric, as it is asked for. */
export const prometheusName = (name: string, instrument: Instrument): string => {
  const { name: base } = namedAs(name, instrument);
  return instrument.kind === 'counter' ? `${base}_total` : base;
};

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

const labelled = (attributes: Readonly<Record<string, string>>): string => {
  const labels = Object.entries(attributes).map(([name, value]) => `${name}="${escaped(value)}"`);
  return labels.length === 0 ? '' : `{${labels.join(',')}}`;
};

/** OpenMetrics wants bounds as floats, and a series must have one name in both formats. */
const boundText = (bound: number): string => (Number.isInteger(bound) ? `${bound}.0` : `${bound}`);

const histogramLines = (
  name: string,
  bounds: readonly number[],
  attributes: Readonly<Record<string, string>>,
  { buckets, sum }: Distribution,
): readonly string[] => {
  let total = 0;
  const lines = [...bounds.map(boundText), '+Inf'].map((le, at) => {
    total += buckets[at] ?? 0;
    return `${name}_bucket${labelled({ ...attributes, le })} ${total}`;
  });
  return [
    ...lines,
    `${name}_sum${labelled(attributes)} ${sum}`,
    `${name}_count${labelled(attributes)} ${total}`,
  ];
};

const pointLines = (
  name: string,
  { kind, bounds = [] }: Instrument,
  { attributes, value }: Point,
): readonly string[] =>
  typeof value === 'number'
    ? [`${kind === 'counter' ? `${name}_total` : name}${labelled(attributes)} ${value}`]
    : histogramLines(name, bounds, attributes, value);

const familyLines = (format: MetricsFormat, family: Family): readonly string[] => {
  const { instrument, points } = family;
  if (points.length === 0) return [];
  const { name, unit } = namedAs(family.name, instrument);
  const head = format === 'prometheus' && instrument.kind === 'counter' ? `${name}_total` : name;
  return [
    `# HELP ${head} ${escaped(instrument.description)}`,
    `# TYPE ${head} ${instrument.kind}`,
    ...(format === 'openmetrics' && unit !== undefined ? [`# UNIT ${name} ${unit}`] : []),
    ...points.flatMap((point) => pointLines(name, instrument, point)),
  ];
};

/** What the metrics are of; the type of it is of OpenMetrics alone. */
const targetLines = (format: MetricsFormat, version: string): readonly string[] => [
  format === 'openmetrics' ? '# TYPE target info' : '# TYPE target_info gauge',
  format === 'openmetrics' ? '# HELP target The relay.' : '# HELP target_info The relay.',
  `target_info${labelled({ service_name: 'graph-mail-relay', service_version: version })} 1`,
];

/** Writes metrics as a scraper reads them. */
export const metricsText = (families: readonly Family[], format: MetricsFormat, version: string): string =>
  [
    ...targetLines(format, version),
    ...families.flatMap((family) => familyLines(format, family)),
    ...(format === 'openmetrics' ? ['# EOF'] : []),
    '',
  ].join('\n');

/** The format that a scraper prefers by its header Accept; the older one where it does not say. */
export const formatFor = (accept: string | null): MetricsFormat => {
  const preferenceOf = (type: string): number =>
    Math.max(
      0,
      ...(accept ?? '').split(',').flatMap((range) => {
        const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
        if (name !== type) return [];
        const q = parameters.find((one) => one.startsWith('q='))?.slice(2);
        return [q === undefined ? 1 : Number(q) || 0];
      }),
    );
  const openmetrics = preferenceOf('application/openmetrics-text');
  return openmetrics > 0 && openmetrics >= preferenceOf('text/plain') ? 'openmetrics' : 'prometheus';
};
