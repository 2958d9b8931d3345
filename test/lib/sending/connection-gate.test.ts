import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { endedAs, MOST_UNDER_WAY, makeConnectionGate } from '../../../src/lib/sending/connection-gate.ts';

const START = Date.parse('2026-11-22T07:00:00Z');
const at = (ms: number): Date => new Date(START + ms);
const MINUTE = 60_000;

type Gate = ReturnType<typeof makeConnectionGate>;
const go = (
  gate: Gate,
  connection: string,
  mailbox: string,
  ms = 0,
  origin: 'queue' | 'caller' = 'queue',
) => {
  const passage = gate.enter(connection, mailbox, origin, at(ms));
  if (passage.kind !== 'go') throw new Error(`${connection} has no room`);
  return passage;
};
const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));

test('one connection alone never keeps the functions host from fetching emails of the others', () => {
  const { extensions } = JSON.parse(readFileSync('host.json', 'utf8'));
  expect(MOST_UNDER_WAY.queue).toBeLessThan(extensions.queues.newBatchThreshold);
  expect(MOST_UNDER_WAY.caller).toBeLessThan(extensions.http.maxConcurrentRequests);
});

describe('a connection that has all its requests under way', () => {
  test.each(['queue', 'caller'] as const)('gets no more from the %s, until one has ended', (origin) => {
    const gate = makeConnectionGate();
    const [first] = times(MOST_UNDER_WAY[origin], (index) => go(gate, 'fabrikam', `${index}`, 0, origin));
    expect(gate.enter('fabrikam', 'another', origin, at(0))).toEqual({ kind: 'wait', waitMs: 2000 });
    first?.leave('responded', at(100));
    expect(gate.enter('fabrikam', 'another', origin, at(100)).kind).toBe('go');
  });

  test('takes nothing from another one, nor from its own callers', () => {
    const gate = makeConnectionGate();
    times(MOST_UNDER_WAY.queue, (index) => go(gate, 'fabrikam', `${index}`));
    expect(gate.enter('main', 'a', 'queue', at(0)).kind).toBe('go');
    expect(gate.enter('fabrikam', 'a', 'caller', at(0)).kind).toBe('go');
  });
});

describe('a connection whose last request had no response', () => {
  const silent = () => {
    const gate = makeConnectionGate();
    go(gate, 'fabrikam', 'a').leave('silent', at(0));
    return gate;
  };

  test('has one request at a time, also of callers and of its other mailboxes', () => {
    const gate = silent();
    const probe = go(gate, 'fabrikam', 'b');
    expect(gate.enter('fabrikam', 'c', 'queue', at(0)).kind).toBe('wait');
    expect(gate.enter('fabrikam', 'c', 'caller', at(0)).kind).toBe('wait');
    probe.leave('silent', at(1000));
    go(gate, 'fabrikam', 'c', 1000);
    expect(gate.enter('fabrikam', 'd', 'queue', at(1000)).kind).toBe('wait');
  });

  test('has all of them again when it has responded, except for the mailbox that was silent', () => {
    const gate = silent();
    go(gate, 'fabrikam', 'b').leave('responded', at(0));
    go(gate, 'fabrikam', 'b');
    go(gate, 'fabrikam', 'c');
    go(gate, 'fabrikam', 'A');
    expect(gate.enter('fabrikam', 'a', 'queue', at(0)).kind).toBe('wait');
  });

  test('is not remembered when nobody has asked for a quarter of an hour', () => {
    const gate = silent();
    go(gate, 'fabrikam', 'a', 16 * MINUTE);
    expect(gate.enter('fabrikam', 'a', 'queue', at(16 * MINUTE)).kind).toBe('go');
  });

  test('learns nothing from an email that another invocation had', () => {
    const gate = silent();
    go(gate, 'fabrikam', 'b').leave('not asked', at(0));
    go(gate, 'fabrikam', 'b');
    expect(gate.enter('fabrikam', 'c', 'queue', at(0)).kind).toBe('wait');
  });

  test.each([
    ['two seconds at first', 0, 2000],
    ['half as long as it has been silent', MINUTE, MINUTE / 2],
    ['five minutes at most', 60 * MINUTE, 5 * MINUTE],
  ])('lets the others wait for %s', (_case, silentMs, waitMs) => {
    const gate = silent();
    go(gate, 'fabrikam', 'a');
    expect(gate.enter('fabrikam', 'a', 'queue', at(silentMs))).toEqual({ kind: 'wait', waitMs });
  });
});

describe('silence', () => {
  test.each([
    ['no answer in the time of a request', { kind: 'unknown' }, 30_000, 'silent'],
    ['no connection', { kind: 'not-sent' }, 10_000, 'silent'],
    ['a mailbox that cannot be read, without a status', { kind: 'not-now' }, 30_000, 'silent'],
    ['a connection that breaks', { kind: 'unknown' }, 300, 'not asked'],
    ['a refusal that is already known', { kind: 'not-sent' }, 0, 'not asked'],
    ['an error of Graph, however late', { kind: 'unknown', status: 504 }, 29_000, 'responded'],
    ['large files that took their time', { kind: 'accepted' }, 120_000, 'responded'],
    ['a mailbox without the email', { kind: 'absent' }, 20_000, 'responded'],
  ])('%s', (_case, ended, tookMs, expected) => {
    expect(endedAs(ended, tookMs)).toBe(expected);
  });
});
