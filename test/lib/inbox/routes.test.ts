import { describe, expect, test } from 'vitest';
import { makeRouter, type Route } from '../../../src/lib/inbox/routes.ts';

const ROUTES: readonly Route<string>[] = [
  ['GET', '/secrets/:name/versions', 'list'],
  ['GET', '/secrets/:name{/:version}', 'get'],
  ['PUT', '/secrets/:name', 'set'],
  ['GET', '/secrets/latest', 'hidden'],
];

test.each([
  ['GET', '/secrets/a/versions', 'list', { name: 'a' }],
  ['GET', '/secrets/a/7', 'get', { name: 'a', version: '7' }],
  ['GET', '/secrets/a', 'get', { name: 'a' }],
  ['PUT', '/secrets/a', 'set', { name: 'a' }],
  ['GET', '/secrets/%E6%82%A8%2F', 'get', { name: '您/' }],
  ['GET', '/secrets/%E0%A4', 'get', { name: '%E0%A4' }],
  ['GET', '/secrets/constructor', 'get', { name: 'constructor' }],
])('%s %s is the first route that matches, with its segments decoded', (method, path, target, params) => {
  const found = makeRouter(ROUTES)(method, path);
  expect({ ...found, params: { ...('params' in found ? found.params : {}) } }).toEqual({ target, params });
});

test.each([
  ['DELETE', '/secrets/a', ['GET', 'PUT']],
  ['POST', '/secrets/a/7', ['GET']],
  ['GET', '/secrets', []],
  ['GET', '/Secrets/a', []],
  ['GET', '/secrets/a/', []],
  ['GET', '/secrets/a/7/8', []],
])('%s %s has no route, and the methods of the path are %j', (method, path, allowed) => {
  expect(makeRouter(ROUTES)(method, path)).toEqual({ target: undefined, allowed });
});

describe('options', () => {
  test('take another case and a slash at the end', () => {
    const find = makeRouter(ROUTES, { sensitive: false, trailing: true });
    expect(find('PUT', '/SECRETS/A/')).toMatchObject({ target: 'set', params: { name: 'A' } });
  });

  test('decide what a segment with a wrong percent is', () => {
    const decode = (segment: string): string => {
      throw new Error(`wrong: ${segment}`);
    };
    expect(() => makeRouter(ROUTES, { decode })('PUT', '/secrets/%zz')).toThrow('wrong: %zz');
  });
});
