import { type HealthFacts, reasonsOf } from './health.ts';

type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number };
type Family = {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly Sample[];
};

const gauge = (name: string, help: string, value: number): Family => ({
  name,
  type: 'gauge',
  help,
  samples: [{ value }],
});

const seconds = (date: Date): number => date.getTime() / 1000;

function* families(facts: HealthFacts): Generator<Family> {
  const { now, watch, spool, dropFolder, certificateUntil } = facts;
  yield gauge('healthy', 'Whether /health is ok.', reasonsOf(facts).length === 0 ? 1 : 0);
  yield {
    name: 'emails_total',
    type: 'counter',
    help: 'Emails by account and by the answer that their client got.',
    samples: watch.counts.map(({ account, result, count }) => ({
      labels: { account, result },
      value: count,
    })),
  };
  yield {
    name: 'account_refused',
    type: 'gauge',
    help: 'Accounts whose key the relay does not accept.',
    samples: [...watch.ownFaults.keys()].map((account) => ({ labels: { account }, value: 1 })),
  };
  if (watch.lastSuccessAt !== undefined)
    yield gauge(
      'last_success_timestamp_seconds',
      'When the relay last accepted or refused an email.',
      seconds(watch.lastSuccessAt),
    );
  if (spool !== undefined) {
    yield gauge('spool_emails', 'Emails that wait in the spool.', spool.emails);
    yield gauge('spool_bytes', 'Bytes of the emails that wait in the spool.', spool.bytes);
    yield gauge(
      'spool_oldest_seconds',
      'How long the oldest email has been in the spool.',
      spool.oldest === undefined ? 0 : seconds(now) - seconds(spool.oldest),
    );
    yield gauge('spool_failed_emails', 'Emails of the spool that failed.', spool.failed);
    yield gauge('spool_damaged_files', 'Files of the spool that are damaged.', spool.damaged);
  }
  if (dropFolder !== undefined)
    yield gauge('drop_folder_failed_files', 'Files of the drop folder that failed.', dropFolder.failed);
  if (certificateUntil !== undefined)
    yield gauge(
      'certificate_expiry_timestamp_seconds',
      'When the certificate expires.',
      seconds(certificateUntil),
    );
}

const quoted = (value: string): string =>
  `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;

const lineOf = (name: string, { labels = {}, value }: Sample): string => {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}=${quoted(text)}`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`;
};

/** The text of /metrics, in the format of Prometheus. */
export const metricsOf = (facts: HealthFacts): string =>
  [...families(facts)]
    .map(({ name, type, help, samples }) => {
      const full = `smtp_door_${name}`;
      return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${samples.map((sample) => lineOf(full, sample)).join('')}`;
    })
    .join('');
