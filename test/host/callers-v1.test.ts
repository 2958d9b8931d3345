import http from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { LOCAL_CALLER_ID } from '../../local/directory.ts';
import { makeKey } from '../../src/lib/callers/caller-key.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { getAppToken } from './app-token.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay();
afterAll(() => relay.close());

const KEY = makeKey(new Date()).text;

/** A request with these lines in its head, as they are, and what came of it. */
const post = (path: string, headers: readonly string[]) =>
  new Promise<{ status: number; headers: http.IncomingHttpHeaders; body: Record<string, unknown> }>(
    (resolve, reject) => {
      const body = JSON.stringify(canaryMail(newMarker()));
      const sent = http.request(`${relay.url()}${path}`, {
        method: 'POST',
        headers: [
          'host',
          new URL(relay.url()).host,
          'content-type',
          'application/json',
          'content-length',
          String(Buffer.byteLength(body)),
          ...headers,
        ],
      });
      sent.once('error', reject);
      sent.once('response', async (answer) => {
        const received = await text(answer);
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: received === '' ? {} : JSON.parse(received),
        });
      });
      sent.end(body);
    },
  );

const getToken = () => getAppToken(relay.cloud);

describe('in the functions host, /api/v1', () => {
  test.each<[string, readonly string[], string]>([
    ['no key', [], 'CALLER_UNKNOWN'],
    ['a function key', ['x-functions-key', KEYS.functionKey], 'CALLER_UNKNOWN'],
    ['the master key', ['x-functions-key', KEYS.masterKey], 'CALLER_UNKNOWN'],
    ['a key that nobody has', ['x-api-key', KEY], 'KEY_NOT_ACCEPTED'],
    [
      'a header twice',
      ['Authorization', `Bearer ${KEY}`, 'authorization', `Bearer ${KEY}`],
      'CREDENTIALS_AMBIGUOUS',
    ],
    ['a key twice', ['x-api-key', KEY, 'X-Api-Key', KEY], 'CREDENTIALS_AMBIGUOUS'],
    ['an empty header beside a key', ['x-api-key', KEY, 'Authorization', ''], 'CREDENTIALS_AMBIGUOUS'],
  ])('refuses %s itself, with 401 and a reason', async (_case, headers, code) => {
    for (const path of ['/api/v1/mail', '/api/v1/mail/batch', '/API/V1/Mail/']) {
      const refused = await post(path, headers);
      expect([path, refused.status, refused.body.code]).toEqual([path, 401, code]);
      expect(refused.headers).toMatchObject({ 'www-authenticate': 'Bearer', 'cache-control': 'no-store' });
    }
  });

  test('checks a token of Entra, and says which application it does not know', async () => {
    const refused = await post('/api/v1/mail', ['Authorization', `Bearer ${await getToken()}`]);
    expect([refused.status, refused.body.code]).toEqual([403, 'CALLER_NOT_DECLARED']);
    expect(refused.body.detail).toContain(LOCAL_CALLER_ID);
  });

  test('refuses a token in which a character was changed', async () => {
    const token = await getToken();
    const refused = await post('/api/v1/mail', ['Authorization', `Bearer ${token.slice(0, -6)}AAAAAA`]);
    expect([refused.status, refused.body.code]).toEqual([401, 'TOKEN_NOT_ACCEPTED']);
  });

  test('has the status, the end and the rules at their addresses', async () => {
    for (const [method, path] of [
      ['GET', '/api/v1/mail/01890000-0000-7000-8000-000000000000'],
      ['DELETE', '/api/v1/mail/01890000-0000-7000-8000-000000000000'],
      ['GET', '/api/v1/caller'],
    ] as const) {
      const { status, body } = await relay.call(method, path);
      expect([path, status, body.code]).toEqual([path, 401, 'CALLER_UNKNOWN']);
    }
  });
});

describe('in the functions host, /api/mail', () => {
  test('refuses two function keys of which the host has checked the first', async () => {
    const refused = await post('/api/mail', [
      'x-functions-key',
      KEYS.functionKey,
      'x-functions-key',
      'another',
    ]);
    expect([refused.status, refused.body.code]).toEqual([401, 'CREDENTIALS_AMBIGUOUS']);
  });

  test('is not disturbed by the token of a front end', async () => {
    const sent = await post('/api/mail', [
      'x-functions-key',
      KEYS.functionKey,
      'Authorization',
      `Bearer ${await getToken()}`,
    ]);
    expect(sent.status).toBe(200);
  });
});

test('nothing of all that stands in the log or in a problem answer', () => {
  expectNoCanary(relay);
  for (const line of [...relay.lines, ...relay.problems]) expect(line).not.toContain(KEY.slice(15));
});
