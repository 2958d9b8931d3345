import { expect, test } from 'vitest';
import { compileRoute, matchRoute } from '../../../local/functions-host/route-template.ts';

test.each([
  ['api/mail', '/api/mail', {}],
  ['api/mail', '/api/mail/', {}],
  ['api/mail', '/api/mails', undefined],
  ['api/mail/{id}', '/api/mail', undefined],
  ['api/mail/{id?}', '/api/mail', {}],
  ['api/mail/{id=latest}', '/api/mail', { id: 'latest' }],
  ['api/mail/{id}', '/api/mail/a%2Fb', { id: 'a%2Fb' }],
  ['api/mail/{id}', '/api/mail/%E6%82%A8', { id: '您' }],
  ['api/mail/{id}', '/api/mail/%', { id: '%' }],
  ['api/{*rest}', '/api', {}],
  ['api/{**rest}', '/api/a/b', { rest: 'a/b' }],
  ['api/v{version:int}/mail', '/api/v2/mail', { version: '2' }],
  ['api/v{version:int}/mail', '/api/vx/mail', undefined],
  ['api/{name:length(2,3)}', '/api/abc', { name: 'abc' }],
  ['api/{name:length(2,3)}', '/api/abcd', undefined],
  ['api/a.b', '/api/aXb', undefined],
])('%s and %s give %j', (template, path, expected) => {
  const values = matchRoute(compileRoute(template), path);
  expect(values && Object.fromEntries(values)).toEqual(expected);
});

test.each([
  ['api/{id:regex(^a$)}', 'uses the constraint "regex". Known: guid'],
  ['api/{id', 'has a segment that cannot be read: "{id"'],
])('%s is refused', (template, message) => {
  expect(() => compileRoute(template)).toThrow(message);
});
