import { expect, test } from 'vitest';
import type { GraphAnswer } from '../../../src/lib/graph/graph-call.ts';
import { toldCall } from '../../../src/lib/graph/told-call.ts';
import type { LogEvent } from '../../../src/lib/log.ts';

const answered = (status: number): GraphAnswer => ({ kind: 'answered', status, text: '' });

test.each<[string, GraphAnswer]>([
  ['accepted', answered(202)],
  ['accepted', answered(201)],
  ['throttled', answered(429)],
  ['unavailable', answered(503)],
  ['unavailable', answered(509)],
  ['refused', answered(403)],
  ['failed', answered(504)],
  ['lost', { kind: 'lost', why: 'timeout' }],
  ['not-connected', { kind: 'not-connected' }],
])('a request to Graph that was %s is told as that: %o', async (answer, given) => {
  const told: LogEvent[] = [];
  const call = toldCall(
    async () => given,
    'fabrikam',
    (event) => void told.push(event),
  );
  expect(await call({ method: 'GET', path: '/me' })).toBe(given);
  expect(told).toEqual([{ event: 'GraphAnswered', connection: 'fabrikam', answer }]);
});

test('without a token no request was made, and none is told', async () => {
  const told: LogEvent[] = [];
  const call = toldCall(
    () => Promise.reject(new Error('no token')),
    'main',
    (event) => void told.push(event),
  );
  await expect(call({ method: 'GET', path: '/me' })).rejects.toThrow('no token');
  expect(told).toEqual([]);
});
