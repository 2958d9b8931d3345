import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail } from '../../support/a-mail.ts';
import { problemsOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));

describe('each fault of a header is its own problem at its own place', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    [
      'a header outside x-',
      { headers: { 'List-Unsubscribe': '<mailto:x>' } },
      ['HEADER_NOT_CARRIED /headers/List-Unsubscribe'],
    ],
    [
      'six headers',
      { headers: { 'x-1': 'a', 'x-2': 'a', 'x-3': 'a', 'x-4': 'a', 'x-5': 'a', 'x-6': 'a' } },
      ['HEADERS_TOO_MANY /headers'],
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

describe('what applications need goes through', () => {
  test.each([
    'x-auto-response-suppress',
    'X-Priority',
    'x-mailer',
    'x-ms-reactions',
    'x-exchange-rate',
    'x-microsofts-order',
    'x-original-sender',
  ])('the header %s', (name) => {
    expect(read({ headers: { [name]: 'v' } }).headers).toEqual([{ name, value: 'v' }]);
  });
});
