import { describe, expect, test } from 'vitest';
import { readReceivers, type WebhookReceiver, wants } from '../../../src/lib/events/webhook-receiver.ts';
import { aCloudEvent, EVENTS } from '../../support/an-event.ts';

const CRM = { name: 'crm', url: 'https://crm.example/hooks/mail?code=canary' };

const problemsOf = (input: unknown) => readReceivers(input).problems;

test('a name and a URL are enough: the secret is named after it, and it receives everything', () => {
  expect(readReceivers([CRM])).toEqual({
    receivers: [{ ...CRM, secretName: 'webhook-secret-crm' }],
    problems: [],
  });
});

test('all fields can be given', () => {
  const all = { ...CRM, secretName: 'other', events: ['GraphMailRelay.Mail.Bounced'], caller: 'payroll' };
  expect(readReceivers([all])).toEqual({ receivers: [all], problems: [] });
});

test.each(['http://localhost:3000/hook', 'http://127.0.0.1:3000', 'http://[::1]:3000/'])(
  'a receiver of this machine needs no TLS: %s',
  (url) => {
    expect(problemsOf([{ ...CRM, url }])).toEqual([]);
  },
);

test.each([
  'http://crm.example/hook',
  'http://localhost.crm.example/hook',
  'https://user:canary@crm.example/',
  'https://crm.example/#canary',
  'ftp://crm.example/',
  'crm.example',
  '',
  7,
])('%s is no URL of a receiver, and no problem shows it', (url) => {
  const problems = problemsOf([{ ...CRM, url }]);
  expect(problems).toMatchObject([
    { pointer: '/0/url', expected: expect.stringMatching(/^an https address/) },
  ]);
  expect(JSON.stringify(problems)).not.toContain('canary');
});

test.each([
  ['an object in place of the list', CRM, '', 'a JSON list of webhooks'],
  ['too many', Array.from({ length: 21 }, () => CRM), '', 'at most 20 webhooks'],
  ['no object', ['x'], '/0', 'an object'],
  ['a name in capitals', [{ ...CRM, name: 'CRM' }], '/0/name', 'lower-case letters'],
  ['no name', [{ url: CRM.url }], '/0/name', 'lower-case letters'],
  ['the same name twice', [CRM, CRM], '/1/name', 'a name that no other webhook has'],
  ['a misspelled event', [{ ...CRM, events: ['Sent'] }], '/0/events/0', 'one of GraphMailRelay.Mail.Sent'],
  ['no events', [{ ...CRM, events: [] }], '/0/events', 'a list of 1 to 10 types'],
  ['a secret in the setting', [{ ...CRM, secret: 'canary' }], '/0/secret', 'no secret in a setting'],
  ['a field that there is not', [{ ...CRM, urll: 'x' }], '/0/urll', 'only the fields name, url'],
])('is refused with its place: %s', (_what, input, pointer, expected) => {
  const [problem] = problemsOf(input);
  expect(problem).toMatchObject({ code: 'SETTINGS_INVALID', pointer });
  expect(problem?.expected).toContain(expected);
  expect(JSON.stringify(problemsOf(input))).not.toContain('canary');
});

describe('a receiver', () => {
  const [receiver] = readReceivers([CRM]).receivers as [WebhookReceiver];
  test.each(Object.keys(EVENTS))('wants every event where it names none: of a %s', (kind) => {
    expect(wants(receiver, aCloudEvent(EVENTS[kind as keyof typeof EVENTS]))).toBe(true);
  });

  test('wants the types that it names and no others', () => {
    const some = { ...receiver, events: ['GraphMailRelay.Mail.Bounced'] as const };
    expect(wants(some, aCloudEvent(EVENTS.mail))).toBe(false);
    expect(wants(some, { ...aCloudEvent(), type: 'GraphMailRelay.Mail.Bounced' })).toBe(true);
  });

  test('of one caller wants the events of that caller, and none that are about no caller', () => {
    const own = { ...receiver, caller: 'payroll' };
    expect(wants(own, aCloudEvent(EVENTS.mail))).toBe(true);
    expect(wants(own, aCloudEvent(EVENTS.caller))).toBe(true);
    expect(wants({ ...own, caller: 'hr' }, aCloudEvent(EVENTS.mail))).toBe(false);
    expect(wants(own, aCloudEvent(EVENTS.credential))).toBe(false);
  });
});
