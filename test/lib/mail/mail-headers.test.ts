import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail } from '../../support/a-mail.ts';
import { errorOf, problemsOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));

describe('each fault of a header is its own problem at its own place', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    [
      'fifty-one headers',
      { headers: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`x-${index}`, 'a'])) },
      ['HEADERS_TOO_MANY /headers'],
    ],
    ['a name with a colon', { headers: { 'x-a:': 'a' } }, ['HEADER_NOT_CARRIED /headers']],
    ['a name with a blank', { headers: { 'List Id': 'a' } }, ['HEADER_NOT_CARRIED /headers']],
    [
      'the id of the relay',
      { headers: { 'X-MailRelay-Id': 'a' } },
      ['HEADER_NOT_CARRIED /headers/X-MailRelay-Id'],
    ],
    [
      'a link to unsubscribe that is not ASCII',
      { headers: { 'List-Unsubscribe': '<https://contoso.example/退訂>' } },
      ['FIELD_INVALID /headers/List-Unsubscribe'],
    ],
    ['a bare x-', { headers: { 'x-': 'a' } }, ['HEADER_NOT_CARRIED /headers/x-']],
    [
      'an order to Exchange',
      { headers: { 'X-MS-Exchange-Organization-SCL': '-1' } },
      ['HEADER_NOT_CARRIED /headers/X-MS-Exchange-Organization-SCL'],
    ],
    [
      'Microsoft itself',
      { headers: { 'x-microsoft-antispam': 'a' } },
      ['HEADER_NOT_CARRIED /headers/x-microsoft-antispam'],
    ],
    [
      'the filter',
      { headers: { 'x-forefront-antispam-report': 'a' } },
      ['HEADER_NOT_CARRIED /headers/x-forefront-antispam-report'],
    ],
    ...[
      'x-ms-exchange',
      'x-microsoft',
      'X-MS-Has-Attach',
      'x-ms-tnef-correlator',
      'x-forefront',
      'x-originating-ip',
      'X-OriginatorOrg',
      'x-originalarrivaltime',
      'x-exchange-antispam-report-test',
      'x-eopattributedmessage',
    ].map((name): [string, Record<string, unknown>, string[]] => [
      `what Exchange and Outlook tell each other: ${name}`,
      { headers: { [name]: 'v' } },
      [`HEADER_NOT_CARRIED /headers/${name}`],
    ]),
    ['one header twice', { headers: { 'x-a': '1', 'X-A': '2' } }, ['FIELD_REPEATED /headers/X-A']],
    [
      'a header line of more than 998 characters',
      { headers: { 'x-a': 'v'.repeat(994) } },
      ['FIELD_INVALID /headers/x-a'],
    ],
    ['a header name without end', { headers: { [`x-${'n'.repeat(200)}`]: 'v' } }, ['FIELD_INVALID /headers']],
  ])('%s', (_, override, expected) => {
    expect(problemsOf(() => read(override))).toEqual(expected);
  });
});

describe('a header that the relay or a mail server writes is refused', () => {
  test.each([
    'Date',
    'MIME-Version',
    'Content-Type',
    'Content-Disposition',
    'Received',
    'Received-SPF',
    'Return-Path',
    'Resent-To',
    'DKIM-Signature',
    'ARC-Seal',
    'Authentication-Results',
  ])('%s', (name) => {
    expect(problemsOf(() => read({ headers: { [name]: 'v' } }))).toEqual([
      `HEADER_NOT_CARRIED /headers/${name}`,
    ]);
  });

  test.each([
    ['From', 'from'],
    ['SENDER', 'from'],
    ['to', 'to'],
    ['Cc', 'cc'],
    ['Bcc', 'bcc'],
    ['Reply-To', 'replyTo'],
    ['Subject', 'subject'],
    ['Message-ID', 'messageId'],
    ['In-Reply-To', 'inReplyTo'],
    ['References', 'references'],
    ['Importance', 'importance'],
    ['Disposition-Notification-To', 'readReceipt'],
    ['Return-Receipt-To', 'deliveryReceipt'],
  ])('%s, with the field to use instead', (name, field) => {
    const { facts } = errorOf(() => read({ headers: { [name]: 'v' } }));
    expect(facts.problems?.map(({ code, expected }) => [code, expected])).toEqual([
      ['HEADER_NOT_CARRIED', `the field \`${field}\` instead of this header`],
    ]);
  });
});

describe('nothing suppresses the reports that an email did not arrive', () => {
  test.each(['All', 'NDR', 'oof, ndr', 'OOF;All'])('X-Auto-Response-Suppress: %s', (value) => {
    expect(problemsOf(() => read({ headers: { 'X-Auto-Response-Suppress': value } }))).toEqual([
      'HEADER_NOT_CARRIED /headers/X-Auto-Response-Suppress',
    ]);
  });

  test('OOF, AutoReply and the like are carried', () => {
    const value = 'OOF, AutoReply, DR, RN, NRN';
    expect(read({ headers: { 'X-Auto-Response-Suppress': value } }).headers).toEqual([
      { name: 'X-Auto-Response-Suppress', value },
    ]);
  });
});

describe('what applications need goes through', () => {
  test.each([
    'x-auto-response-suppress',
    'X-Priority',
    'x-mailer',
    'x-ms-reactions',
    'x-exchange-rate',
    'x-microsofts-order',
    'x-original-sender',
    'List-Unsubscribe',
    'List-Unsubscribe-Post',
    'List-Id',
    'Auto-Submitted',
    'Precedence',
    'Feedback-ID',
  ])('the header %s', (name) => {
    expect(read({ headers: { [name]: 'v' } }).headers).toEqual([{ name, value: 'v' }]);
  });
});

test('a value that no text can be made of is a problem like any other that is not text', () =>
  expect(problemsOf(() => read({ headers: { 'X-Order': { toString: 1, valueOf: 1 } } }))).toEqual([
    'FIELD_INVALID /headers/X-Order',
  ]));
