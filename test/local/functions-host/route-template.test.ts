import { expect, test } from 'vitest';
import { decodePath, readRouteTemplate } from '../../../local/functions-host/route-template.ts';
import { makeRouter } from '../../../src/lib/inbox/routes.ts';

const valuesOf = (template: string, path: string) => {
  const find = makeRouter([['GET', readRouteTemplate(template, 'Function "mail"'), true]], {
    sensitive: false,
    trailing: true,
    decode: false,
  });
  const found = find('GET', decodePath(path));
  return found.target && { ...found.params };
};

test.each([
  ['api/mail', '/api/mail', {}],
  ['api/mail', '/api/mail/', {}],
  ['api/mail', '/API/Mail', {}],
  ['/api//mail/', '/api/mail', {}],
  ['api/mail', '/api/mails', undefined],
  ['api/mail', '/api/%6Dail', {}],
  ['api/mail/{id}', '/api/mail', undefined],
  ['api/mail/{id}', '/api/mail/7/8', undefined],
  ['api/mail/{id?}', '/api/mail', {}],
  ['api/mail/{id?}', '/api/mail/7', { id: '7' }],
  ['api/{kind}/{2nd}/close', '/api/Mail/A/close', { kind: 'Mail', '2nd': 'A' }],
  ['api/mail/{id}', '/api/mail/a%2Fb', { id: 'a%2Fb' }],
  ['api/mail/{id}', '/api/mail/%E6%82%A8', { id: '您' }],
  ['api/mail/{id}', '/api/mail/%', { id: '%' }],
  ['api/mail/{*rest}', '/api/mail', {}],
  ['api/mail/{*rest}', '/api/mail/7/close', { rest: '7/close' }],
  ['api/a.b', '/api/aXb', undefined],
  ['api/:id(a)', '/api/:id(a)', {}],
])('%s and %s give %j', (template, path, expected) => {
  expect(valuesOf(template, path)).toEqual(expected);
});

test.each([
  ['api/{id:guid}', '{id:guid}'],
  ['api/{id:regex(^a$)}', '{id:regex(^a$)}'],
  ['api/{*rest}/close', '{*rest}'],
  ['api/{**rest}', '{**rest}'],
  ['api/{id=latest}', '{id=latest}'],
  ['api/v{version}/mail', 'v{version}'],
  ['api/{id?}/close', '{id?}'],
  ['api/{id', '{id'],
])('%s is refused, with what this host supports', (template, segment) => {
  expect(() => readRouteTemplate(template, 'Function "mail"')).toThrow(
    `Function "mail": the route "${template}" has the segment "${segment}". The local functions host supports words, {name} and, as the last segment, {name?} or {*name}.`,
  );
});
