import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../docs/examples');
/** The examples that the pages link to. */
const fileOf = (name: string): unknown => JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));

export type Example = { readonly summary: string; readonly value: unknown };

const emails: Readonly<Record<string, Example>> = {
  short: {
    summary: 'The shortest email',
    value: {
      to: 'chan@contoso.example',
      subject: 'Office closed tomorrow',
      text: 'The office is closed on 2 December.',
    },
  },
  'recipients-as-objects': {
    summary: 'Recipients in a list, with names, and a file',
    value: {
      to: [{ name: 'Chan Tai-man', address: 'chan@contoso.example' }, 'helpdesk@contoso.example'],
      cc: 'Maria Rossi <maria.rossi@contoso.example>; Jean Dupont <jean.dupont@contoso.example>',
      subject: 'Minutes of the meeting',
      html: '<p>The minutes are attached.</p>',
      attachments: [
        { filename: 'minutes.txt', content: 'Q2hhbiBhbmQgUm9zc2kgYWdyZWUuCg==', contentType: 'text/plain' },
      ],
      importance: 'high',
      tags: ['minutes'],
      idempotencyKey: 'minutes-2026-11-26',
    },
  },
  'text-and-html': { summary: 'Text and HTML', value: fileOf('text-and-html') },
  thread: { summary: 'An answer in a thread, with headers', value: fileOf('thread') },
  invitation: { summary: 'An invitation', value: fileOf('invitation') },
  'whole-message': { summary: 'A whole message in MIME', value: fileOf('whole-message') },
};

const MIME_MESSAGE = [
  'From: Contoso <noreply@contoso.example>',
  'To: chan@contoso.example',
  'Subject: Office closed tomorrow',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'The office is closed on 2 December.',
  '',
].join('\r\n');

/** Request bodies by the function that reads them. The tests send each to a relay, in this order. */
export const requestExamples = {
  sendMail: emails,
  sendMailMime: { mime: { summary: 'A message byte for byte', value: MIME_MESSAGE } },
  sendMailBatch: { batch: { summary: 'Three pay slips', value: fileOf('batch') } },
  testMail: {
    'default-sender': { summary: 'From the default sender', value: { to: 'admin@contoso.example' } },
    'another-sender': {
      summary: 'From another sender',
      value: { to: 'admin@contoso.example', from: 'noreply@contoso.example' },
    },
  },
  searchMail: {
    recipient: {
      summary: 'What a recipient was sent in the last week',
      value: { recipient: 'chan@contoso.example', from: '7d' },
    },
    bounced: { summary: 'What did not arrive', value: { state: 'bounced', limit: 20 } },
  },
  closeMail: { note: { summary: 'Why', value: { note: 'Sent by hand from Outlook on 2026-11-26.' } } },
  addCaller: {
    key: {
      summary: 'A caller with a key of the relay',
      value: {
        name: 'payroll',
        senders: ['noreply@contoso.example'],
        recipients: ['*@contoso.example'],
        mailsPerDay: 1000,
        owner: 'payroll-team@contoso.example',
        tags: ['payroll'],
      },
    },
    app: {
      summary: 'A caller with a managed identity, and no key',
      value: { name: 'helpdesk', apps: ['11111111-2222-3333-4444-555555555555'], doors: ['http'] },
    },
  },
  changeCaller: {
    limits: { summary: 'Another limit, and no owner', value: { mailsPerDay: 2000, owner: null } },
    disable: { summary: 'Switch a caller off', value: { disabled: true } },
    enable: { summary: 'Switch it on again', value: { disabled: false } },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Example>>>>;

const MAIL_ID = '01a2055c-e268-762b-8556-1836e3fff5b7';
const GRAPH_REQUEST_ID = '50185901-84c7-4d0e-8dbc-da0433628433';
const STATUS_URL = `https://func-mail-relay.azurewebsites.net/api/mail/${MAIL_ID}`;

export const EXAMPLE_ID = MAIL_ID;

/** What responses look like. The tests compare each with its schema. */
export const responseExamples = {
  sent: {
    summary: 'Graph accepted the email',
    value: {
      id: MAIL_ID,
      state: 'sent',
      sender: 'noreply@contoso.example',
      graphRequestId: GRAPH_REQUEST_ID,
    },
  },
  planned: {
    summary: 'With `dryRun=true`',
    value: {
      dryRun: true,
      sender: 'noreply@contoso.example',
      recipients: 1,
      plan: { kind: 'json', reason: 'A JSON message of Graph expresses the whole email.', warnings: [] },
      requests: [
        {
          method: 'POST',
          path: '/users/noreply@contoso.example/sendMail',
          headers: { 'content-type': 'application/json' },
          body: { message: { subject: 'Office closed tomorrow' } },
        },
      ],
    },
  },
  queued: {
    summary: 'The relay sends the email later',
    value: { id: MAIL_ID, state: 'queued', statusUrl: STATUS_URL },
  },
  unknown: {
    summary: 'Graph may have sent the email',
    value: { id: MAIL_ID, state: 'unknown', statusUrl: STATUS_URL },
  },
  status: {
    summary: 'An email that was sent at the second attempt',
    value: {
      id: MAIL_ID,
      state: 'sent',
      sender: 'noreply@contoso.example',
      recipients: 1,
      tags: ['payroll'],
      acceptedAt: '2026-11-22T22:25:03.080Z',
      updatedAt: '2026-11-22T22:25:06.031Z',
      graphRequestId: GRAPH_REQUEST_ID,
      verified: false,
      timeline: [
        { at: '2026-11-22T22:25:03.080Z', event: 'accepted' },
        {
          at: '2026-11-22T22:25:03.203Z',
          event: 'attempt not-sent',
          code: 'GRAPH_THROTTLED',
          upstreamCode: 'ApplicationThrottled',
          status: 429,
          tookMs: 64,
        },
        {
          at: '2026-11-22T22:25:06.031Z',
          event: 'attempt accepted',
          graphRequestId: GRAPH_REQUEST_ID,
          status: 202,
          tookMs: 412,
        },
        { at: '2026-11-22T22:25:06.031Z', event: 'sent' },
      ],
    },
  },
  problem: {
    summary: 'An address is malformed',
    value: {
      type: 'urn:graph-mail-relay:error:ADDRESS_INVALID',
      title: 'An address is malformed',
      status: 400,
      instance: 'urn:uuid:544445fb-0e1f-4446-a5b1-77f8e7c5a01d',
      code: 'ADDRESS_INVALID',
      remedy: 'Correct every field listed in `problems`. Nothing was sent.',
      fixedBy: 'caller',
      problems: [
        {
          code: 'ADDRESS_INVALID',
          pointer: '/to',
          expected: 'one address such as name@example.com',
          received: 'text of 4 characters',
        },
      ],
    },
  },
} as const satisfies Readonly<Record<string, Example>>;

export const eventExamples = {
  mail: {
    summary: 'An email was sent',
    value: {
      id: `${MAIL_ID}/1/sent`,
      eventType: 'GraphMailRelay.Mail.Sent',
      subject: `mail/${MAIL_ID}`,
      eventTime: '2026-11-22T22:25:06.031Z',
      dataVersion: '1',
      data: {
        mailId: MAIL_ID,
        state: 'sent',
        caller: 'key:Q2xpcF9kb3',
        tags: ['payroll'],
        graphRequestId: GRAPH_REQUEST_ID,
      },
    },
  },
  caller: {
    summary: 'A caller reached its limit',
    value: {
      id: 'payroll/2026-11-26/limit-reached',
      eventType: 'GraphMailRelay.Caller.LimitReached',
      subject: 'caller/payroll',
      eventTime: '2026-11-26T15:12:47.512Z',
      dataVersion: '1',
      data: { caller: 'payroll', day: '2026-11-26', resetsAt: '2026-11-27T00:00:00.000Z' },
    },
  },
} as const satisfies Readonly<Record<string, Example>>;
