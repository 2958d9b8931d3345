import { describe, expect, test } from 'vitest';
import { readSearch, SEARCH_PARAMETERS, toSearchToken } from '../../../src/lib/desk/read-search.ts';

const NOW = new Date('2026-11-26T12:00:00Z');
const read = (fields: Readonly<Record<string, unknown>>) => readSearch(fields, NOW);
const detailOf = (fields: Readonly<Record<string, unknown>>): string => {
  try {
    read(fields);
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was wrong';
};

test('without parameters, a search is for the newest fifty emails', () => {
  expect(read({})).toEqual({ query: {}, limit: 50 });
});

test('all parameters together are one search', () => {
  const after = { acceptedAt: new Date(1_700_000_000_000), mailId: '0195539a-2800-7000-8000-000000000000' };
  const query = {
    state: 'bounced',
    sender: 'payroll@contoso.example',
    caller: 'key:AbC123',
    tag: 'pay.slip_1',
    recipient: 'ann+x@fabrikam.example',
    idempotencyKey: 'payslip-2026-11-1042',
    graphRequestId: '50185901-84c7-4d0e-8dbc-da0433628433',
    internetMessageId: '<a+b@contoso.example>',
  };
  const times = { from: '2026-11-25', until: '2h' };
  const fields = { ...query, ...times, limit: '200', after: toSearchToken(after) };
  expect(Object.keys(fields).sort()).toEqual([...SEARCH_PARAMETERS].sort());
  expect(read(fields)).toEqual({
    query: { ...query, from: new Date('2026-11-25T00:00:00Z'), until: new Date('2026-11-26T10:00:00Z') },
    limit: 200,
    after,
  });
});

test.each([
  'ann@fabrikam.example',
  ' ann@fabrikam.example ',
  'Ann Lee <ann@fabrikam.example>',
  '"Lee, Ann" <ann@fabrikam.example>',
  'ann@fabrikam.example (Ann)',
])('an address can be written as it is copied from an email: %s', (text) => {
  const { query } = read({ sender: text, recipient: text });
  expect(query).toEqual({ sender: 'ann@fabrikam.example', recipient: 'ann@fabrikam.example' });
});

test('two addresses are not one', () => {
  expect(detailOf({ recipient: 'a@fabrikam.example, b@fabrikam.example' })).toContain('one address such as');
});

test.each([
  ['2026-11-26', '2026-11-26T00:00:00.000Z'],
  ['2026-11-26T08:00Z', '2026-11-26T08:00:00.000Z'],
  ['2026-11-26T08:00:00.5+08:00', '2026-11-26T00:00:00.500Z'],
  ['90m', '2026-11-26T10:30:00.000Z'],
  ['2h', '2026-11-26T10:00:00.000Z'],
  ['7d', '2026-11-19T12:00:00.000Z'],
  ['999999d', '1970-01-01T00:00:00.000Z'],
])('the time %s is %s', (text, time) => {
  expect(read({ from: text }).query.from?.toISOString()).toBe(time);
});

describe('what is wrong names the parameter, what was expected and what was received', () => {
  test.each([
    [{ state: 'Sent' }, 'Expected in `state` one of queued, sending', 'received Sent.'],
    [{ state: 'a@b.example' }, '`state`', 'received text of 11 characters.'],
    [{ sender: 'payroll' }, 'Expected in `sender` one address such as', 'received text of 7 characters.'],
    [{ sender: '' }, 'Expected in `sender` a value', 'received nothing.'],
    [{ tag: 'two words' }, 'Expected in `tag` a tag of 1 to 50', 'received text of 9 characters.'],
    [{ caller: 'x'.repeat(101) }, '`caller`', 'received text of 101 characters.'],
    [{ from: 'yesterday' }, 'Expected in `from` a time such as', 'received text of 9 characters.'],
    [{ from: '2026-02-30' }, '`from`', 'received `2026-02-30`.'],
    [{ from: '2026-11-26T08:00:00' }, 'with its offset', 'received `2026-11-26T08:00:00`.'],
    [{ until: '2w' }, '`until`', 'received text of 2 characters.'],
    [{ from: '1h', until: '2h' }, 'Expected `from` to be earlier than `until`', ''],
    [{ limit: '0' }, 'Expected in `limit` a whole number from 1 to 200', 'received 0.'],
    [{ limit: 201 }, '`limit`', 'received 201.'],
    [{ limit: true }, 'Expected in `limit` a value', 'received boolean.'],
    [{ graphRequestId: 'x' }, 'Expected in `graphRequestId` the ID of a request', 'text of 1 character.'],
    [{ internetMessageId: '<a b@c>' }, '`internetMessageId` a Message-ID', 'text of 7 characters.'],
    [{ idempotencyKey: 'k y' }, '`idempotencyKey` 1 to 255 printable', 'text of 3 characters.'],
    [{ receiver: 'a@b.example' }, 'Expected no parameters other than state,', 'received `receiver`.'],
    [{ 'a@b.example': '' }, 'internetMessageId, limit, after.', ''],
    [{ after: 'x' }, 'Expected in `after` the `next` of the previous page', ''],
  ])('%j', (fields, expected, received) => {
    const detail = detailOf(fields);
    expect(detail).toContain(expected);
    expect(detail).toContain(received);
  });

  test.each(['sender', 'recipient', 'idempotencyKey', 'internetMessageId', 'caller', 'tag', 'after'])(
    'and never repeats what %s was',
    (name) => {
      const secret = 'ann canary@fabrikam';
      expect(detailOf({ [name]: name === 'caller' ? `${secret}\n` : secret })).not.toContain('canary');
    },
  );
});
