import { HttpRequest, type HttpRequestInit } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { type Facade, facadeHttp, unknownCall, withoutKeyPrefix } from '../../src/functions/facade.http.ts';
import { makeKey } from '../../src/lib/callers/caller-key.ts';
import { AppError } from '../../src/lib/errors.ts';
import { readFacades } from '../../src/lib/facades/facade.ts';
import { fieldProblems, withFields } from '../../src/lib/facades/field-rules.ts';
import { aDeclaredCaller, knowing } from '../support/a-caller.ts';
import { inMemoryPorts, NOW } from '../support/in-memory-ports.ts';
import { invocation } from './invocation.ts';

const KEY = makeKey(NOW);
const AT = 'https://relay.contoso.example/api/provider/';

/** A façade that says what it was asked. */
const echo: Facade = {
  presented: (_request, usual) => withoutKeyPrefix(usual, 'SG.'),
  answer: async (call) => {
    if (call.path === 'none') throw unknownCall(call);
    if (call.path === 'busy') throw new AppError('RELAY_BUSY');
    if (call.path === 'broken') throw new TypeError('canary');
    const { method, path, caller } = call;
    return { status: 200, json: { method, path, caller: caller.name, body: await call.readJson() } };
  },
  refuse: ({ problem: { status, code } }) => ({ status, json: { theirs: code } }),
};

const ask = async (path: string, init: HttpRequestInit = {}, url = AT) => {
  const world = inMemoryPorts();
  const callers = knowing(aDeclaredCaller('crm', { keys: [KEY.record] }));
  const { context, logged } = invocation();
  const handler = facadeHttp(
    async () => echo,
    {
      forIdentity: () => ({ callers, appTokens: { check: async () => ({}) } }),
      forSendMail: () => ({ ...world.needs, callers, maxRequestBytes: 1_000 }),
      forStatus: () => world.needs,
      forDesk: () => world.needs,
    },
    new URL(url).pathname,
  );
  const answer = await handler(
    new HttpRequest({
      method: 'POST',
      url: `${url}${path}`,
      headers: { authorization: `Bearer ${KEY.text}`, 'content-type': 'application/json' },
      body: { string: '{"a":1}' },
      ...init,
    }),
    context,
  );
  return {
    answer,
    logged,
    status: (answer as { status: number }).status,
    json: (answer as { jsonBody: unknown }).jsonBody,
  };
};

describe('a façade', () => {
  test('hears of a call by what follows its address, and of its caller', async () => {
    const asked = { method: 'POST', path: 'v3/mail/send', caller: 'crm', body: { a: 1 } };
    expect((await ask('v3/mail/send/')).json).toEqual(asked);
    expect((await ask('v3/mail/send', {}, 'https://relay.contoso.example/')).json).toEqual(asked);
  });

  test.each([
    ['the key of its caller', `Bearer ${KEY.text}`, 200],
    ['the key behind the prefix of its provider', `Bearer SG.${KEY.text}`, 200],
    ['a key of the provider', 'Bearer SG.abc.def', 401],
    ['a key that nobody has', `Bearer ${makeKey(NOW).text}`, 401],
    ['no key', '', 401],
  ])('with %s answers %s with %i', async (_case, authorization, status) => {
    const asked = await ask('v3', { headers: { 'content-type': 'application/json', authorization } });
    expect(asked.status).toBe(status);
  });

  test.each([
    ['none', 404, 'FACADE_CALL_UNKNOWN'],
    ['broken', 500, 'UNEXPECTED'],
    ['busy', 503, 'RELAY_BUSY'],
  ])('answers what is refused in the form of its provider: %s', async (path, status, code) => {
    const asked = await ask(path);
    expect([asked.status, asked.json]).toEqual([status, { theirs: code }]);
    expect(JSON.stringify([asked.answer, asked.logged])).not.toContain('canary');
  });

  test('refuses query parameters where something could be sent, so that a dry run sends nothing', async () => {
    const asked = await ask('v3/mail/send?dryRun=true');
    expect([asked.status, asked.json]).toEqual([400, { theirs: 'FACADE_FIELD_NOT_CARRIED' }]);
    expect((await ask('v3/mail/send?chan@contoso.example=1')).status).toBe(400);
    const read = await ask('broken?dryRun=true', { method: 'GET', body: {} });
    expect(read.json).toEqual({ theirs: 'UNEXPECTED' });
  });

  test('says when to try again', async () => {
    expect((await ask('busy')).answer).toMatchObject({ headers: { 'retry-after': '30' } });
  });

  test('reads no more of a body than the relay allows', async () => {
    const body = { string: JSON.stringify('x'.repeat(2_000)) };
    expect((await ask('v3', { body })).json).toEqual({ theirs: 'MAIL_TOO_LARGE' });
  });
});

test.each([
  ['', [], true],
  [' SendGrid , resend,', ['sendgrid', 'resend'], true],
  ['postmark,postmark', ['postmark'], true],
  ['mailgun, resend', ['resend'], false],
])('MAIL_FACADES=%s', (text, names, isValid) => {
  expect(readFacades(text)).toEqual({ names, isValid });
});

describe('the fields of a provider', () => {
  const rules = {
    subject: 'carried',
    template_id: { refused: 'no template' },
    links: { refused: 'None', asksNothing: (value: unknown) => value === 'None' },
  } as const;
  const told = (object: Record<string, unknown>) =>
    [...fieldProblems(object, rules, 'content[0].')].map(({ pointer, code }) => [pointer, code]);

  test('that cannot be carried are refused by their name where they ask for something', () => {
    expect(told({ subject: 'x', template_id: 'd-1', links: 'HtmlOnly' })).toEqual([
      ['content[0].template_id', 'FACADE_FIELD_NOT_CARRIED'],
      ['content[0].links', 'FACADE_FIELD_NOT_CARRIED'],
    ]);
  });

  test.each([[null], [false], [''], [[]], [{}]])('may be there with %j', (nothing) => {
    expect(told({ template_id: nothing, unheard: nothing })).toEqual([]);
    expect(told({ links: 'None' })).toEqual([]);
  });

  test('that are unknown are refused, and a name that may be data is not repeated', () => {
    expect(told({ templateId: 'x', 'chan@contoso.example': 1, constructor: 'x' })).toEqual([
      ['content[0].templateId', 'FIELD_UNKNOWN'],
      ['content[0]', 'FIELD_UNKNOWN'],
      ['content[0].constructor', 'FIELD_UNKNOWN'],
    ]);
  });

  test('stand in the problems of an email in place of ours', () => {
    const problem = { code: 'ADDRESS_INVALID', pointer: '/to/0', expected: 'x', received: 'y' } as const;
    const error = withFields(new AppError('ADDRESS_INVALID', { problems: [problem] }), () => 'to[0].email');
    expect(error.facts.problems).toEqual([{ ...problem, pointer: 'to[0].email' }]);
  });
});
