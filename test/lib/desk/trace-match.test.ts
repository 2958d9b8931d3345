import { describe, expect, test } from 'vitest';
import { decideByEvents, decisiveEvent } from '../../../src/lib/desk/trace-decisive-event.ts';
import { matchRows, type Traced } from '../../../src/lib/desk/trace-match.ts';
import type { TraceEvent, TraceRow } from '../../../src/lib/ports.ts';

const SENT = new Date('2026-03-02T08:00:00Z');
const MESSAGE_ID = '<one@contoso.example>';
const hashOf = (address: string) => `#${address.toLowerCase()}`;

const row = (recipient: string, more: Partial<TraceRow> = {}): TraceRow => ({
  traceId: 'trace-1',
  messageId: MESSAGE_ID,
  sender: 'noreply@contoso.example',
  recipient,
  receivedAt: SENT,
  status: 'delivered',
  ...more,
});

const traced = (recipients: readonly string[], more: Partial<Traced> = {}): Traced => ({
  messageId: MESSAGE_ID,
  sender: 'noreply@contoso.example',
  recipients: recipients.map(hashOf),
  from: SENT,
  sentAt: SENT,
  isComplete: true,
  ...more,
});

const found = (rows: readonly TraceRow[], email: Traced) => {
  const matched = matchRows(rows, email, hashOf);
  return matched.kind === 'matched'
    ? matched.matches.map(({ recipient, row: { status }, isGuess }) => [recipient, status, isGuess])
    : matched.kind;
};

describe('an email is found in a trace', () => {
  test('by its Message-ID, in whatever brackets and case, and by the hash of each recipient', () => {
    const rows = [row('ADA@fabrikam.example', { messageId: 'ONE@contoso.example' }), row('bob@x.example')];
    expect(found(rows, traced(['ada@fabrikam.example', 'bob@x.example']))).toEqual([
      ['#ada@fabrikam.example', 'delivered', false],
      ['#bob@x.example', 'delivered', false],
    ]);
  });

  test('among rows that nobody asked for: a filter may have been ignored', () => {
    const rows = [
      row('ada@x.example', { messageId: '<other@contoso.example>', traceId: 'trace-2', status: 'failed' }),
      row('ada@x.example', { sender: 'NoReply@contoso.example' }),
    ];
    expect(found(rows, traced(['ada@x.example']))).toEqual([['#ada@x.example', 'delivered', false]]);
  });

  test('not at all where no row has its Message-ID, whoever the recipients are', () => {
    expect(found([row('ada@x.example', { messageId: '<other@x>' })], traced(['ada@x.example']))).toBe(
      'absent',
    );
  });

  test('without the members of a group, which are nobody that it names', () => {
    const rows = [row('all@x.example', { status: 'expanded' }), row('ada@x.example'), row('bob@x.example')];
    expect(found(rows, traced(['all@x.example']))).toEqual([['#all@x.example', 'expanded', false]]);
    expect(found(rows.slice(0, 2), traced(['all@x.example', 'eve@x.example']))).toEqual([
      ['#all@x.example', 'expanded', false],
    ]);
  });

  test('with the one recipient that has another address there, as a guess', () => {
    const rows = [row('ada@x.example'), row('main@x.example', { status: 'quarantined' })];
    expect(found(rows, traced(['ada@x.example', 'alias@x.example']))).toEqual([
      ['#ada@x.example', 'delivered', false],
      ['#alias@x.example', 'quarantined', true],
    ]);
    expect(found(rows, traced(['ada@x.example', 'alias@x.example', 'other@x.example']))).toHaveLength(1);
  });

  test('with the row that says more, should a recipient have two', () => {
    const rows = [row('ada@x.example', { status: 'pending' }), row('ada@x.example', { status: 'failed' })];
    expect(found(rows, traced(['ada@x.example']))).toEqual([['#ada@x.example', 'failed', false]]);
    expect(found(rows.toReversed(), traced(['ada@x.example']))).toEqual([
      ['#ada@x.example', 'failed', false],
    ]);
  });

  test('of a row without the hashes of recipients, with whoever the trace lists', () => {
    expect(found([row('ada@x.example')], traced([]))).toEqual([['#ada@x.example', 'delivered', false]]);
  });
});

describe('an email of which the Message-ID is unknown is guessed only where exactly one fits', () => {
  const unknown = (recipients: readonly string[], more: Partial<Traced> = {}) =>
    traced(recipients, { messageId: undefined, ...more });
  const other = { traceId: 'trace-2', messageId: '<two@contoso.example>' };

  test('to just its recipients, by its sender, at its time', () => {
    const rows = [row('ada@x.example'), row('bob@x.example', other)];
    expect(found(rows, unknown(['ada@x.example']))).toEqual([['#ada@x.example', 'delivered', true]]);
  });

  test.each<[string, readonly TraceRow[], Partial<Traced>]>([
    ['two emails fit', [row('ada@x.example'), row('ada@x.example', other)], {}],
    ['it goes to more recipients', [row('ada@x.example'), row('bob@x.example')], {}],
    ['another sender sent it', [row('ada@x.example', { sender: 'hr@contoso.example' })], {}],
    [
      'it was sent at another time',
      [row('ada@x.example', { receivedAt: new Date('2026-03-02T08:01:01Z') })],
      {},
    ],
    ['there may be more rows, or more to come', [row('ada@x.example')], { isComplete: false }],
    ['the ledger does not know the recipients', [row('ada@x.example')], { recipients: [] }],
    ['there is nothing', [], {}],
  ])('not where %s', (_case, rows, more) => {
    expect(found(rows, unknown(['ada@x.example'], more))).toBe('doubtful');
  });

  test('a group may have members', () => {
    const rows = [row('all@x.example', { status: 'expanded' }), row('member@x.example')];
    expect(found(rows, unknown(['all@x.example']))).toEqual([['#all@x.example', 'expanded', true]]);
  });
});

const event = (name: string, second: number, description = '', data = ''): TraceEvent => ({
  at: new Date(SENT.getTime() + second * 1000),
  event: name,
  description,
  data,
});

describe('of the events of a recipient, one decides', () => {
  test.each<[string, readonly TraceEvent[], string | undefined]>([
    [
      'a failure, whatever else there is',
      [event('Drop', 2), event('Deliver', 3), event('Fail', 2), event('Defer', 4)],
      'fail',
    ],
    ['a delivery after a delay', [event('Defer', 1), event('Deliver', 2)], 'deliver'],
    ['a delivery in the second of a delay', [event('Deliver', 2), event('Defer', 2)], 'deliver'],
    ['a delay after a delivery, of another copy', [event('Deliver', 1), event('Defer', 2)], 'defer'],
    ['a group that was expanded', [event('Receive', 0), event('Expand DL', 1), event('Drop', 1)], 'expand'],
    ['a drop without anything else', [event('Receive', 0), event('Drop', 1)], 'drop'],
    [
      'nothing, where it is only on its way',
      [event('Receive', 0), event('Submit', 0), event('Transfer', 1)],
      undefined,
    ],
  ])('%s', (_case, events, expected) => {
    expect(decisiveEvent(events)?.kind).toBe(expected);
  });

  test.each<[string, TraceEvent, object]>([
    [
      'the last error of Exchange',
      event('Fail', 1, 'Reason: [{LED=550 5.1.10 RESOLVER.ADR.RecipientNotFound};{IP=5.6.7.8}]'),
      { status: 'failed', code: '5.1.10' },
    ],
    [
      'the words of another server',
      event('Fail', 1, '', '<MEP Name="RecipientStatus" String="550-5.7.26 unauthenticated"/>'),
      { status: 'failed', code: '5.7.26' },
    ],
    [
      'a code behind #',
      event('Fail', 1, "Remote server returned '554 5.0.0 <#5.0.0 smtp>'"),
      { status: 'failed', code: '5.0.0' },
    ],
    [
      'a delay with a temporary code',
      event('Defer', 1, '[{LED=451 4.4.316 Connection refused};{IP=4.1.2.3}] 550 5.0.0'),
      { status: 'pending', code: '4.4.316' },
    ],
    [
      'a temporary code, where a failure has no other',
      event('Fail', 1, 'Expired: 451 4.4.7 timed out'),
      { status: 'failed', code: '4.4.7' },
    ],
    [
      'no code, where there is none',
      event('Fail', 1, '550 user unknown at 5.6.7.8 and 550 1.2.3'),
      { status: 'failed' },
    ],
    ['not the code of a success', event('Fail', 1, 'After 250 2.1.5 OK'), { status: 'failed' }],
    ['an address of the internet is no code', event('Fail', 1, '550 5.1.2.33 blocked'), { status: 'failed' }],
    ['Junk Email', event('Deliver', 1, 'delivered to DefaultFolderType:JunkEmail'), { status: 'spam' }],
    [
      'quarantine',
      event('Deliver', 1, 'The message was delivered to Quarantine.'),
      { status: 'quarantined' },
    ],
    ['a mailbox', event('Deliver', 1, 'The message was successfully delivered.'), { status: 'delivered' }],
    [
      'a group that was replaced by its members',
      event('Drop', 1, '[{LED=250 2.1.5 RESOLVER.GRP.Expanded}]'),
      { status: 'expanded' },
    ],
    ['a drop by a rule', event('Drop', 1, '[{LED=550 5.2.1 dropped}]'), { status: 'failed', code: '5.2.1' }],
  ])('is read: %s', (_case, one, expected) => {
    expect(decideByEvents([one])).toEqual(expected);
  });
});
