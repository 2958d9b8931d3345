import parsePrometheusTextFormat from 'parse-prometheus-text-format';
import { describe, expect, test } from 'vitest';
import { countedFamilies, sampledFamilies } from '../../../src/lib/metrics/families.ts';
import { COUNTED, SAMPLED } from '../../../src/lib/metrics/instruments.ts';
import { makeMeter } from '../../../src/lib/metrics/meter.ts';
import { formatFor, metricsText, prometheusName } from '../../../src/lib/metrics/metrics-text.ts';
import type { RelaySample } from '../../../src/lib/metrics/relay-sample.ts';
import { readDocument } from '../../support/documents.ts';

const NOW = new Date('2026-03-02T08:00:10Z');

const sample: RelaySample = {
  at: '2026-03-02T08:00:00.000Z',
  queues: [{ queue: 'mail', messages: 3, waitingSince: '2026-03-02T07:59:00.000Z' }, { queue: 'mail-gone' }],
  held: { count: 2, hasMore: false },
  credentials: {
    readAt: '2026-03-02T08:00:00.000Z',
    all: [{ credential: 'a "quoted\\" name', kind: 'secret', expiresOn: '2026-03-12T08:00:10.000Z' }],
  },
  mailboxes: [
    {
      address: 'payroll@contoso.example',
      minute: 0.5,
      day: 0.125,
      sentLastDay: 5,
      recipientsLastDay: 1250,
      pausedUntil: '2026-03-02T08:01:10.000Z',
      pausesLastDay: 1,
    },
  ],
};

const families = () => {
  const meter = makeMeter();
  const sent = { caller: 'payroll', recipients: 1, tags: [], verified: false, connection: 'main' };
  meter.count({ event: 'MailAccepted', mailId: 'm', door: 'http' });
  meter.count({ event: 'MailSent', mailId: 'm', attempts: 1, ...sent, tookMs: 700, queuedMs: 0 });
  meter.count({ event: 'MailSent', mailId: 'n', attempts: 4, ...sent, tookMs: 7_200_000 });
  meter.count({ event: 'GraphAnswered', connection: 'main', answer: 'throttled' });
  return [...countedFamilies(meter.tally()), ...sampledFamilies(sample, () => 'Xy1', NOW)];
};

const text = (format: 'prometheus' | 'openmetrics') => metricsText(families(), format, '1.2.3');

describe('the text of metrics, as a parser of Prometheus reads it', () => {
  const parsed = parsePrometheusTextFormat(text('prometheus'));
  const named = (name: string) => parsed.find((one) => one.name === name);

  test('has counters with their attributes, those of the start with zero', () => {
    expect(named('mailrelay_mail_accepted_total')).toEqual({
      name: 'mailrelay_mail_accepted_total',
      type: 'COUNTER',
      help: 'Emails that the relay accepted.',
      metrics: [
        { value: '1', labels: { door: 'http' } },
        { value: '0', labels: { door: 'queue' } },
      ],
    });
    expect(named('mailrelay_graph_wasted_total')?.metrics).toEqual([
      { value: '1', labels: { connection: 'main' } },
    ]);
  });

  test('has histograms with buckets that add up', () => {
    expect(named('mailrelay_mail_accept_time_seconds')).toMatchObject({
      type: 'HISTOGRAM',
      metrics: [{ buckets: { '0.5': '0', '1.0': '1', '3600.0': '1', '14400.0': '2', '+Inf': '2' } }],
    });
    expect(text('prometheus')).toContain(
      'mailrelay_mail_accept_time_seconds_sum{connection="main"} 7200.7\n',
    );
    expect(text('prometheus')).toContain('mailrelay_mail_accept_time_seconds_count{connection="main"} 2\n');
  });

  test('has gauges of the newest sample, with quotes and backslashes in a name escaped', () => {
    expect(named('mailrelay_queue_messages')?.metrics).toEqual([{ value: '3', labels: { queue: 'mail' } }]);
    expect(named('mailrelay_queue_age_seconds')?.metrics).toEqual([
      { value: '60', labels: { queue: 'mail' } },
    ]);
    expect(named('mailrelay_secret_days_left')?.metrics).toMatchObject([{ value: '10' }]);
    expect(text('prometheus')).toContain('credential="a \\"quoted\\\\\\" name"');
    expect(named('mailrelay_mailbox_limit_share_ratio')?.metrics).toEqual([
      { value: '0.5', labels: { mailbox: 'Xy1', limit: 'minute' } },
      { value: '0.125', labels: { mailbox: 'Xy1', limit: 'day' } },
    ]);
    expect(named('mailrelay_mailbox_paused_seconds')?.metrics).toEqual([
      { value: '60', labels: { mailbox: 'Xy1' } },
    ]);
  });

  test('has no address', () => {
    expect(text('prometheus')).not.toContain('@');
    expect(text('openmetrics')).not.toContain('@');
  });
});

test('OpenMetrics names a counter without its ending, says units, and ends with # EOF', () => {
  const lines = text('openmetrics').split('\n');
  expect(lines.slice(-2)).toEqual(['# EOF', '']);
  expect(lines).toEqual(
    expect.arrayContaining([
      '# TYPE target info',
      'target_info{service_name="graph-mail-relay",service_version="1.2.3"} 1',
      '# TYPE mailrelay_mail_accepted counter',
      'mailrelay_mail_accepted_total{door="http"} 1',
      '# UNIT mailrelay_mail_accept_time_seconds seconds',
      '# UNIT mailrelay_mailbox_limit_share_ratio ratio',
    ]),
  );
});

test('a series has one name in both formats', () => {
  const series = (format: 'prometheus' | 'openmetrics') =>
    text(format)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
  expect(series('openmetrics')).toEqual(series('prometheus'));
});

test.each([
  ['nothing yet', undefined, []],
  ['a sample that is too old', { ...sample, at: '2026-03-02T07:40:00.000Z' }, ['mailrelay.sample.age']],
])('with %s there is no gauge that could be taken for what is so now', (_case, old, names) => {
  expect(sampledFamilies(old, () => 'Xy1', NOW).map(({ name }) => name)).toEqual(names);
});

test('what an earlier version counted, and this one does not know, is left out', () => {
  const tally = { counts: { '["mailrelay.fax.sent"]': 3, 'no key': 1 }, distributions: {} };
  expect(metricsText(countedFamilies(tally), 'prometheus', '1')).not.toMatch(/fax|no key/);
});

test.each([
  [
    'of Prometheus 2 and 3',
    'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    'openmetrics',
  ],
  ['that prefers text', 'text/plain;version=0.0.4;q=0.9, application/openmetrics-text;q=0.1', 'prometheus'],
  ['that refuses OpenMetrics', 'application/openmetrics-text;q=0, */*', 'prometheus'],
  ['of curl', '*/*', 'prometheus'],
  ['that is missing', null, 'prometheus'],
])('the header Accept %s gets the format that it prefers', (_case, accept, format) => {
  expect(formatFor(accept)).toBe(format);
});

test('docs/metrics.md has a row for each instrument, with its name in Prometheus, unit and attributes', () => {
  const { text: page } = readDocument('docs/metrics.md');
  for (const [name, instrument] of Object.entries({ ...COUNTED, ...SAMPLED })) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? '';
    expect(row, name).toContain(`\`${prometheusName(name, instrument)}\``);
    expect(row, name).toContain(` ${instrument.kind} `);
    expect(row, name).toContain(`\`${instrument.unit}\``);
    for (const attribute of Object.keys(instrument.attributes))
      expect(row, name).toContain(`\`${attribute}\``);
  }
});
