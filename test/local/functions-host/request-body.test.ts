import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { BodyTooSlowError, receiveBody } from '../../../local/functions-host/request-body.ts';
import { createTestClock } from './test-clock.ts';

const SECOND = 1000;
const ENOUGH_FOR_MINUTES = Buffer.alloc(100_000);

/** A request of which these bytes have arrived. */
const begin = (first: Buffer) => {
  const clock = createTestClock('2026-11-22T08:00:00Z');
  const request = new PassThrough();
  const body = receiveBody(request, clock);
  let failure: unknown;
  body.on('error', (error) => {
    failure = error;
  });
  request.write(first);
  return { clock, request, body, failure: () => failure };
};

test('a body below 240 bytes a second is refused after five seconds', async () => {
  const { clock, request, body, failure } = begin(Buffer.alloc(1));
  body.resume();
  await clock.advance(5 * SECOND);
  expect(failure()).toBeUndefined();
  await clock.advance(SECOND);
  expect(failure()).toBeInstanceOf(BodyTooSlowError);
  expect(String(failure())).toContain('1 bytes were received in 6 s');
  expect(request.destroyed).toBe(false);
});

test('one at 240 bytes a second goes on', async () => {
  const { clock, request, body, failure } = begin(Buffer.alloc(240));
  body.resume();
  for (let second = 1; second <= 60; second++) {
    request.write(Buffer.alloc(240));
    await clock.advance(SECOND);
  }
  expect(failure()).toBeUndefined();
});

test('one that stops is refused after 240 seconds, however much of it was received', async () => {
  const { clock, body, failure } = begin(ENOUGH_FOR_MINUTES);
  body.resume();
  await clock.advance(239 * SECOND);
  expect(failure()).toBeUndefined();
  await clock.advance(SECOND);
  expect(failure()).toBeInstanceOf(BodyTooSlowError);
});

test('the client is not late while the app does not read', async () => {
  const { clock, body, failure } = begin(ENOUGH_FOR_MINUTES);
  await clock.advance(3600 * SECOND);
  expect(failure()).toBeUndefined();
  body.resume();
  await clock.advance(240 * SECOND);
  expect(failure()).toBeInstanceOf(BodyTooSlowError);
});

test('nothing is watched after the last byte', async () => {
  const { clock, request, body, failure } = begin(Buffer.from('abc'));
  request.end();
  body.resume();
  await clock.advance(3600 * SECOND);
  expect(failure()).toBeUndefined();
});

test('a connection that fails is the failure of the body', async () => {
  const { clock, request, failure } = begin(Buffer.from('abc'));
  request.destroy(new Error('aborted'));
  await clock.advance(0);
  expect(failure()).toEqual(new Error('aborted'));
});
