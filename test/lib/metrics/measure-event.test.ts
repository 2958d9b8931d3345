import { describe, expect, test } from 'vitest';
import { catalogue, type ErrorCode } from '../../../src/lib/error-catalogue.ts';
import { type LogEvent, levelOf } from '../../../src/lib/log.ts';
import { COUNTED, type CountedName, type Instrument } from '../../../src/lib/metrics/instruments.ts';
import { measurementsOf } from '../../../src/lib/metrics/measure-event.ts';

const MAIL = { mailId: 'm', attempts: 2 } as const;
const SENT = { ...MAIL, caller: 'payroll', recipients: 3, tags: ['payslip'], verified: false } as const;

const series = (event: LogEvent) =>
  measurementsOf(event).map(
    ({ instrument, attributes, value }) =>
      `${instrument}${Object.entries(attributes)
        .map(([name, text]) => ` ${name}=${text}`)
        .join('')} ${value}`,
  );

describe('an event is measured', () => {
  test.each<[LogEvent, readonly string[]]>([
    [{ event: 'MailAccepted', mailId: 'm', door: 'queue' }, ['mailrelay.mail.accepted door=queue 1']],
    [
      { event: 'MailSent', ...SENT, connection: 'fabrikam', tookMs: 1500, queuedMs: 1250 },
      [
        'mailrelay.mail.outcomes outcome=sent 1',
        'mailrelay.mail.attempts 2',
        'mailrelay.mail.accept.time connection=fabrikam 1.5',
        'mailrelay.mail.queue.time 1.25',
      ],
    ],
    [
      { event: 'MailSent', ...SENT, tookMs: 300 },
      [
        'mailrelay.mail.outcomes outcome=sent 1',
        'mailrelay.mail.attempts 2',
        'mailrelay.mail.accept.time 0.3',
      ],
    ],
    [
      { event: 'MailHeld', ...MAIL, record: 'r', caller: 'payroll', code: 'OUTCOME_UNKNOWN' },
      [
        'mailrelay.mail.outcomes outcome=held code=OUTCOME_UNKNOWN 1',
        'mailrelay.log.events event=MailHeld level=error 1',
      ],
    ],
    [
      { event: 'MailRejected', ...MAIL, code: 'RECIPIENT_REFUSED' },
      ['mailrelay.mail.outcomes outcome=rejected code=RECIPIENT_REFUSED 1'],
    ],
    [
      { event: 'MailQueued', ...MAIL, waitMs: 60_000, code: 'GRAPH_THROTTLED' },
      ['mailrelay.mail.waits reason=attempt code=GRAPH_THROTTLED 1'],
    ],
    [{ event: 'MailQueued', mailId: 'm', attempts: 0, waitMs: 0 }, ['mailrelay.mail.waits reason=asked 1']],
    [
      { event: 'MailQueued', mailId: 'm', attempts: 0, waitMs: 2000 },
      ['mailrelay.mail.waits reason=mailbox-limit 1'],
    ],
    [
      { event: 'GraphAnswered', connection: 'main', answer: 'throttled' },
      [
        'mailrelay.graph.requests connection=main answer=throttled 1',
        'mailrelay.graph.wasted connection=main 1',
      ],
    ],
    [
      { event: 'GraphAnswered', connection: 'main', answer: 'accepted' },
      ['mailrelay.graph.requests connection=main answer=accepted 1'],
    ],
    [
      { event: 'MailLookedUp', mailId: 'm', result: 'of another version', lookUps: 1 },
      ['mailrelay.mail.look_ups result=other 1'],
    ],
    [{ event: 'MailCanceled', mailId: 'm' }, ['mailrelay.mail.outcomes outcome=canceled 1']],
    [
      { event: 'WebhookGivenUp', fault: 'gone' } as LogEvent,
      [
        'mailrelay.webhook.posts outcome=given-up fault=gone 1',
        'mailrelay.log.events event=WebhookGivenUp level=error 1',
      ],
    ],
    [
      { event: 'MailBounced', kind: 'permanent', recipients: 300 } as LogEvent,
      ['mailrelay.mail.bounces kind=permanent 300'],
    ],
    [{ event: 'MailSwept', lost: 1 } as LogEvent, []],
    [
      { event: 'Unexpected', name: 'TypeError', stack: '' },
      ['mailrelay.log.events event=Unexpected level=error 1'],
    ],
  ])('%o', (event, expected) => {
    expect(series(event)).toEqual(expected);
  });
});

test('an attribute has no name and no value that its instrument does not document', () => {
  const codes = Object.keys(catalogue) as ErrorCode[];
  const facts = { ...SENT, record: 'r', connection: 'main', tookMs: 1, queuedMs: 1, waitMs: 1, codes: [] };
  const names = [
    'MailSent',
    'MailQueued',
    'MailRejected',
    'MailHeld',
    'MailUnknown',
    'SendBlocked',
    'RequestRefused',
  ] as const;
  const values = new Map<string, Set<string>>();
  for (const event of names)
    for (const code of codes)
      for (const { instrument, attributes } of measurementsOf({ event, ...facts, code } as LogEvent))
        for (const [name, value] of Object.entries(attributes)) {
          const { attributes: documented } = COUNTED[instrument as CountedName] as Instrument;
          expect(Object.keys(documented)).toContain(name);
          const key = `${instrument} ${name}`;
          values.set(key, (values.get(key) ?? new Set()).add(value));
        }
  for (const [key, set] of values) {
    const [instrument = '', name = ''] = key.split(' ');
    const documented = (COUNTED[instrument as CountedName] as Instrument).attributes[name] ?? '';
    if (/^(a code|the name)/.test(documented)) expect(set.size).toBeLessThanOrEqual(codes.length);
    else expect(documented.split(', ')).toEqual(expect.arrayContaining([...set]));
  }
});

test('no text of an email or of a caller is in an attribute', () => {
  const event: LogEvent = { event: 'MailSent', ...SENT, tookMs: 1 };
  expect(JSON.stringify(measurementsOf(event))).not.toMatch(/payroll|payslip|"m"/);
  expect(levelOf(event)).toBe('info');
});
