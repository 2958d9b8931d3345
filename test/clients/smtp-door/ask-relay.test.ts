import { expect, test } from 'vitest';
import { askRelay } from '../../../clients/smtp-door/src/relay/ask-relay.ts';

const URL = 'https://relay.example/api';

/** What the relay, or something else at its address, returns; and what was asked. */
const returning = (status: number, type: string, body: string) => {
  const asked: { readonly url: string; readonly key: string | null }[] = [];
  const request: typeof fetch = async (url, init) => {
    asked.push({ url: String(url), key: new Headers(init?.headers).get('x-api-key') });
    return new Response(body, { status, headers: { 'content-type': type } });
  };
  return { request, asked };
};

test('a key that the relay accepts is good, and its caller is named', async () => {
  const { request, asked } = returning(200, 'application/json', '{"name":"payroll","senders":[]}');
  expect(await askRelay(URL, 'gmr_a_b', request)).toEqual({
    isGood: true,
    text: 'the relay accepts the key, of its caller payroll.',
  });
  expect(asked).toEqual([{ url: `${URL}/v1/caller`, key: 'gmr_a_b' }]);
});

test('a function key goes nowhere: only the address is checked', async () => {
  const { request, asked } = returning(200, 'application/json', '{"status":"ok"}');
  expect((await askRelay(URL, 'function-key', request)).isGood).toBe(true);
  expect(asked).toEqual([{ url: `${URL}/health`, key: null }]);
});

test.each([
  [
    'a key that the relay does not know',
    401,
    'application/problem+json',
    '{"code":"KEY_NOT_ACCEPTED","title":"The relay does not know this key","remedy":"Ask for a new one."}',
    'KEY_NOT_ACCEPTED: The relay does not know this key. Ask for a new one.',
  ],
  [
    'a page of something else',
    200,
    'text/html',
    '<html>',
    'received HTTP 200 of something else. Check relay.url.',
  ],
  ['a redirect', 302, 'text/html', '', 'received HTTP 302 of something else. Check relay.url.'],
  ['another site', 404, 'application/json', '{}', 'received HTTP 404 of something else. Check relay.url.'],
])('%s is not good', async (_, status, type, body, text) => {
  const { request } = returning(status, type, body);
  expect(await askRelay(URL, 'gmr_a_b', request)).toEqual({
    isGood: false,
    text: expect.stringContaining(text),
  });
});

test('a relay that cannot be reached is not good', async () => {
  const request: typeof fetch = async () => {
    throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ENOTFOUND' } });
  };
  expect(await askRelay(URL, 'gmr_a_b', request)).toEqual({
    isGood: false,
    text: expect.stringContaining('cannot be reached (ENOTFOUND)'),
  });
});
