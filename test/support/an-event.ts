import { type CloudEvent, sourceOf, toCloudEvent } from '../../src/lib/events/cloud-event.ts';
import type { RelayEvent } from '../../src/lib/ledger/relay-event.ts';

/** One event of each kind of thing that events are about. */
export const EVENTS = {
  mail: {
    id: '01a2055c-e268-762b-8556-1836e3fff5b7/1/sent',
    eventType: 'GraphMailRelay.Mail.Sent',
    subject: 'mail/01a2055c-e268-762b-8556-1836e3fff5b7',
    eventTime: '2026-03-02T08:00:00.000Z',
    dataVersion: '1',
    data: {
      mailId: '01a2055c-e268-762b-8556-1836e3fff5b7',
      state: 'sent',
      caller: 'payroll',
      tags: ['薪資'],
      graphRequestId: '50185901-84c7-4d0e-8dbc-da0433628433',
    },
  },
  caller: {
    id: 'payroll/2026-03-02/limit-reached',
    eventType: 'GraphMailRelay.Caller.LimitReached',
    subject: 'caller/payroll',
    eventTime: '2026-03-02T08:00:00.000Z',
    dataVersion: '1',
    data: { caller: 'payroll', day: '2026-03-02', resetsAt: '2026-03-03T00:00:00.000Z' },
  },
  credential: {
    id: 'credential/expiring/expiry-secret-graph-client-secret/2026-03-02',
    eventType: 'GraphMailRelay.Credential.Warning',
    subject: 'credential/graph-client-secret',
    eventTime: '2026-03-02T08:00:00.000Z',
    dataVersion: '1',
    data: {
      ...{ credential: 'graph-client-secret', kind: 'secret', state: 'expiring', inUse: true },
      daysLeft: 14,
    },
  },
} as const satisfies Record<string, RelayEvent>;

export const SOURCE = sourceOf('func-mail-relay');

export const aCloudEvent = (event: RelayEvent = EVENTS.mail): CloudEvent => toCloudEvent(event, SOURCE);

/** Signing secrets as a vault holds them. */
export const SIGNING_SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
export const EARLIER_SIGNING_SECRET = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
