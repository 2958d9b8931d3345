import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Asked, type Asker, whyForeign } from '../../local/foreign-pages.ts';

const HOST: Asked = { name: 'The functions host', scheme: 'http', port: 7071 };
const TUNNEL = 'octocat-7071.app.github.dev';
const aRequest = (request: Partial<Asker>): Asker => ({
  method: 'POST',
  host: 'localhost:7071',
  origin: undefined,
  site: undefined,
  ...request,
});

describe('answered', () => {
  test.each<[string, Partial<Asker>, Partial<Asked>]>([
    ['a program', {}, {}],
    ['a program that calls by address', { host: '127.0.0.1:7071' }, {}],
    ['a program that calls over IPv6', { host: '[::1]:7071' }, {}],
    ['an address typed into a browser', { method: 'GET', site: 'none' }, {}],
    ['its own page', { origin: 'http://localhost:7071', site: 'same-origin' }, {}],
    ['the default port left out', { host: 'localhost' }, { port: 80 }],
    ['a link from another page, to a page for people', { method: 'GET', site: 'cross-site' }, anInbox()],
    [
      'an image in the frame of a mail, which has no origin',
      { method: 'GET', origin: 'null', site: 'cross-site' },
      anInbox(),
    ],
    ['a forwarded port, where one is expected', { host: 'localhost:9000' }, anInbox()],
    [
      'a page shown by a tunnel, which passes its name on',
      { host: TUNNEL, ...samePage(TUNNEL) },
      tunnelled(),
    ],
    ['a page shown by a tunnel, which rewrites Host', samePage(TUNNEL), tunnelled()],
    ['a page shown by a tunnel, which rewrites Host and Origin', samePage('localhost:7071'), tunnelled()],
  ])('is %s', (_, request, asked) => {
    expect(whyForeign(aRequest(request), { ...HOST, ...asked })).toBeUndefined();
  });
});

describe('refused', () => {
  test.each<[string, Partial<Asker>, Partial<Asked>]>([
    ['a page of another origin', { origin: 'https://evil.example' }, {}],
    ['a page of another port', { origin: 'http://localhost:3000' }, {}],
    ['a page without an origin of its own', { origin: 'null' }, {}],
    ['a form of another site', { site: 'cross-site' }, {}],
    ['a form of another port', { site: 'same-site' }, {}],
    ['an image in another page', { method: 'GET', site: 'cross-site' }, {}],
    ['a foreign name', { host: 'evil.example' }, {}],
    ['a foreign name with the right port', { host: 'evil.example:7071' }, {}],
    ['an own name inside a foreign one', { host: 'localhost.evil.example:7071' }, {}],
    ['no name at all', { host: undefined }, {}],
    ['another port', { host: 'localhost:7072' }, {}],
    ['a change by a frame without an origin, of a page for people', { origin: 'null' }, anInbox()],
    ['a change by another page, of a page for people', { method: 'DELETE', site: 'cross-site' }, anInbox()],
    [
      'a reader of another origin, of a page for people',
      { method: 'GET', origin: 'http://a.example' },
      anInbox(),
    ],
    ['the name of a tunnel that was not announced', { host: TUNNEL }, anInbox()],
    ['another name at the same tunnel', { host: `evil-${TUNNEL}` }, tunnelled()],
    ['a page of another name at the same tunnel', samePage(`evil-${TUNNEL}`), tunnelled()],
    ['a change by another page, behind a tunnel', { host: TUNNEL, site: 'cross-site' }, tunnelled()],
  ])('is %s', (_, request, asked) => {
    expect(whyForeign(aRequest(request), { ...HOST, ...asked })).toBeTypeOf('string');
  });

  test('and the refusal says where to send it from instead', () => {
    expect(whyForeign(aRequest({ origin: 'http://localhost:3000' }), HOST)).toBe(
      'The functions host accepts requests from programs, not from web pages. ' +
        'This request is from "http://localhost:3000". ' +
        'Send it from the server side of your application, which can keep the key secret.',
    );
    expect(whyForeign(aRequest({ host: 'evil.example' }), HOST)).toBe(
      'The functions host accepts only the Host localhost:7071, 127.0.0.1:7071, [::1]:7071, received "evil.example". Use one of these addresses.',
    );
  });
});

test('no origin but the one the request was sent to is taken, whatever it looks like', () => {
  fc.assert(
    fc.property(fc.oneof(fc.webUrl(), fc.string()), fc.constantFrom('GET', 'POST'), (origin, method) => {
      fc.pre(!['http://localhost:7071', 'null'].includes(origin.toLowerCase()));
      expect(whyForeign(aRequest({ method, origin }), { ...HOST, ...anInbox() })).toBeTypeOf('string');
    }),
  );
});

function tunnelled(): Partial<Asked> {
  return { ...anInbox(), forwardedAs: `https://${TUNNEL}` };
}

function samePage(host: string): Partial<Asker> {
  return { origin: `https://${host}`, site: 'same-origin' };
}

function anInbox(): Partial<Asked> {
  return { mayBeLookedAt: true, anyPort: true };
}
