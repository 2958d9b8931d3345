import { describe, expect, test } from 'vitest';
import { objectIdOf } from '../../../local/graph/access.ts';
import {
  aMessage,
  contosoForTests,
  errorOf,
  graphForTests,
  type Sending,
  send,
  tokenWith,
} from './graph-for-tests.ts';

const address = (address: string, name?: string) => ({ emailAddress: { address, ...(name && { name }) } });
const message = (change: Record<string, unknown>): Sending => ({ body: { message: aMessage(change) } });
const attachment = (change: Record<string, unknown>): Sending =>
  message({
    attachments: [
      {
        '@odata.type': '#microsoft.graph.fileAttachment',
        name: 'a.pdf',
        contentBytes: 'JVBERg==',
        ...change,
      },
    ],
  });
const headers = (...list: readonly [name: string, value: string][]): Sending =>
  message({ internetMessageHeaders: list.map(([name, value]) => ({ name, value })) });
const property = (id: string, value = 'x'): Sending =>
  message({ singleValueExtendedProperties: [{ id, value }] });
const GUID = '{66f5a359-4659-4830-9070-00047ec6ac6e}';

describe('an accepted mail', () => {
  test('is answered with 202, no body, the request ids, the date and private caching', async () => {
    const graph = await graphForTests();
    const response = await send(graph, { headers: { 'client-request-id': 'my-id-1' } });

    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
    expect(response.headers.get('client-request-id')).toBe('my-id-1');
    expect(response.headers.get('request-id')).toMatch(/^[\da-f-]{36}$/);
    expect(response.headers.get('date')).toBe('Mon, 02 Mar 2026 08:00:00 GMT');
    expect(response.headers.get('cache-control')).toBe('private');
  });

  test('gets its request id as client request id when the client gave none', async () => {
    const response = await send(await graphForTests());
    expect(response.headers.get('client-request-id')).toBe(response.headers.get('request-id'));
  });

  test('is captured as it was received, without the token', async () => {
    const graph = await graphForTests();
    const body = { saveToSentItems: true, message: aMessage({ importance: 'high', categories: ['薪資'] }) };
    const response = await send(graph, { mailbox: 'PaySlips@contoso.example', body });

    const [mail] = graph.captured;
    expect(graph.captured).toHaveLength(1);
    expect(mail?.mailbox).toBe('payroll@contoso.example');
    expect(mail?.acceptedAt).toBe('2026-03-02T08:00:00.250Z');
    expect(mail?.graphRequestId).toBe(response.headers.get('request-id'));
    expect(mail?.request.path).toBe('/v1.0/users/PaySlips@contoso.example/sendMail');
    expect(JSON.stringify(mail?.request.body)).toBe(JSON.stringify(body));
    expect(mail?.request.headers['content-type']).toBe('application/json');
    expect(JSON.stringify(mail)).not.toMatch(/authorization|Bearer/i);
  });

  test('is not answered with 202 when it could not be stored', async () => {
    const graph = await graphForTests({ capture: () => Promise.reject(new Error('disk full')) });
    const response = await send(graph);
    expect(response.status).toBe(500);
    expect((await errorOf(response)).message).toContain('disk full');
    expect(graph.requests.list()).toMatchObject([{ accepted: false, status: 500 }]);
  });

  const good: [what: string, sending: Sending][] = [
    [
      'the object id of the mailbox',
      { mailbox: objectIdOf(contosoForTests(), contosoForTests().mailboxes[0]!) },
    ],
    ['an encoded address', { mailbox: 'noreply%40contoso.example' }],
    ['only a Bcc recipient', message({ toRecipients: [], bccRecipients: [address('a@b.example')] })],
    [
      '500 recipients',
      message({ toRecipients: Array.from({ length: 500 }, (_, i) => address(`a${i}@b.example`)) }),
    ],
    [
      'an internationalised address',
      message({ toRecipients: [address('用戶@例子.example', '王小明, 人資')] }),
    ],
    ['its own address as from', message({ from: address('NOREPLY@contoso.example') })],
    ['five x- headers', headers(['x-a', '1'], ['X-B', '2'], ['x-c', 'ü'], ['x-d', ''], ['x-e', '5'])],
    ['an inline attachment', attachment({ contentType: 'image/png', isInline: true, contentId: 'logo' })],
    ['an empty attachment', attachment({ contentBytes: '' })],
    ['a named property', property(`String ${GUID} Name MailRelayId`)],
    ['a numbered property', property(`Integer ${GUID} Id 0x8570`, '7')],
    ['a deferred send time', property('SystemTime 0x3FEF', '2026-01-01T10:00:00Z')],
    ['a JSON type with charset', { headers: { 'content-type': 'application/json; charset=UTF-8' } }],
  ];
  test.each(good)('may have %s', async (_what, sending) => {
    const graph = await graphForTests();
    const response = await send(graph, sending);
    expect(await response.text()).toBe('');
    expect(response.status).toBe(202);
    expect(graph.captured).toHaveLength(1);
  });

  test('may have 4,000,000 bytes', async () => {
    const raw = JSON.stringify({ message: aMessage() }).padEnd(4_000_000);
    expect((await send(await graphForTests(), { raw })).status).toBe(202);
  });

  test('may be from another mailbox that it has Send As for', async () => {
    const graph = await graphForTests();
    const response = await send(graph, {
      mailbox: 'payroll@contoso.example',
      ...message({ from: address('hr@contoso.example') }),
    });
    expect(response.status).toBe(202);
  });
});

describe('a refusal', () => {
  const refused: [what: string, sending: Sending, status: number, code: string, says: RegExp][] = [
    [
      'an unknown mailbox',
      { mailbox: 'nobody@contoso.example' },
      404,
      'ErrorInvalidUser',
      /nobody@contoso\.example/,
    ],
    [
      'an account without licence',
      { mailbox: 'guest@contoso.example' },
      404,
      'MailboxNotEnabledForRESTAPI',
      /mailbox/,
    ],
    [
      'no content type',
      { raw: new Uint8Array([123, 125]), headers: { 'content-type': undefined } },
      415,
      'UnsupportedMediaType',
      /missing/,
    ],
    [
      'another content type',
      { raw: '<mail/>', headers: { 'content-type': 'application/xml' } },
      415,
      'UnsupportedMediaType',
      /application\/xml.*'application\/json', or 'text\/plain' for MIME in base64/,
    ],
    [
      'JSON in another charset',
      { headers: { 'content-type': 'application/json; charset=iso-8859-1' } },
      415,
      'UnsupportedMediaType',
      /iso-8859-1/,
    ],
    ['compressed JSON', { headers: { 'content-encoding': 'gzip' } }, 415, 'UnsupportedMediaType', /gzip/],
    [
      '4 MB and one byte',
      { raw: ' '.repeat(4_000_001) },
      400,
      'BadRequest',
      /Maximum request length exceeded.*4000001 bytes/,
    ],
    [
      'an attachment of 3 MB',
      attachment({ contentBytes: Buffer.alloc(3_000_000).toString('base64') }),
      400,
      'BadRequest',
      /Maximum request length/,
    ],
    ['no JSON', { raw: '{"message":' }, 400, 'RequestBodyRead', /not valid JSON/],
    ['an empty body', { raw: '' }, 400, 'RequestBodyRead', /not valid JSON/],
    [
      'bytes that are not UTF-8',
      { raw: new Uint8Array([0x22, 0xff, 0x22]) },
      400,
      'RequestBodyRead',
      /not valid UTF-8/,
    ],
    ['a list', { body: [] }, 400, 'RequestBodyRead', /'array' to the expected type 'sendMail'/],
    ['a bare message', { body: aMessage() }, 400, 'RequestBodyRead', /Path 'message'|valid parameter/],
    [
      'no message',
      { body: { saveToSentItems: true } },
      400,
      'RequestBodyRead',
      /'microsoft\.graph\.message' is required.*Path 'message'/,
    ],
    [
      'an unknown parameter',
      { body: { message: aMessage(), urgent: true } },
      400,
      'RequestBodyRead',
      /The parameter 'urgent'.*'sendMail'/,
    ],
    [
      'a parameter in other case',
      { body: { Message: aMessage() } },
      400,
      'RequestBodyRead',
      /Path 'message'/,
    ],
    [
      'saveToSentItems as text',
      { body: { message: aMessage(), saveToSentItems: 'false' } },
      400,
      'RequestBodyRead',
      /'string' to the expected type 'Edm\.Boolean'.*'saveToSentItems'/,
    ],
    [
      'an unknown property',
      message({ text: 'hello' }),
      400,
      'RequestBodyRead',
      /The property 'text' does not exist on type 'microsoft\.graph\.message'/,
    ],
    [
      'a real property that the stand-in lacks',
      message({ flag: {} }),
      400,
      'RequestBodyRead',
      /Graph knows the property 'flag'.*stand-in/,
    ],
    [
      'an unknown property of an address',
      message({ toRecipients: [{ emailAddress: { address: 'a@b.example', display: 'A' } }] }),
      400,
      'RequestBodyRead',
      /'display' does not exist on type 'microsoft\.graph\.emailAddress'.*toRecipients\[0\]/,
    ],
    [
      'a recipient as text',
      message({ toRecipients: ['a@b.example'] }),
      400,
      'RequestBodyRead',
      /'string' to the expected type 'microsoft\.graph\.recipient'/,
    ],
    [
      'recipients that are no list',
      message({ toRecipients: address('a@b.example') }),
      400,
      'RequestBodyRead',
      /Collection\(microsoft\.graph\.recipient\)/,
    ],
    [
      'a subject that is a number',
      message({ subject: 5 }),
      400,
      'RequestBodyRead',
      /'number' to the expected type 'Edm\.String'.*'message\.subject'/,
    ],
    ['a null', message({ subject: null }), 400, 'RequestBodyRead', /'null'/],
    ['an unknown importance', message({ importance: 'urgent' }), 400, 'RequestBodyRead', /low, normal, high/],
    [
      'an importance that is no text',
      message({ importance: 1 }),
      400,
      'RequestBodyRead',
      /microsoft\.graph\.importance/,
    ],
    [
      'an unknown body type',
      message({ body: { contentType: 'markdown', content: '' } }),
      400,
      'RequestBodyRead',
      /text, html/,
    ],
    [
      'a body without content',
      message({ body: { contentType: 'text' } }),
      400,
      'RequestBodyRead',
      /required.*'message\.body\.content'/,
    ],
    [
      'no recipients',
      message({ toRecipients: [], ccRecipients: [] }),
      400,
      'ErrorInvalidRecipients',
      /contains no recipients/,
    ],
    [
      'no recipient property',
      message({ toRecipients: undefined }),
      400,
      'ErrorInvalidRecipients',
      /contains no recipients/,
    ],
    [
      '501 recipients in all',
      message({
        toRecipients: Array.from({ length: 250 }, (_, i) => address(`a${i}@b.example`)),
        ccRecipients: Array.from({ length: 250 }, (_, i) => address(`c${i}@b.example`)),
        bccRecipients: [address('z@b.example')],
      }),
      400,
      'ErrorExceededMaxRecipientLimit',
      /501/,
    ],
    [
      'an address without @',
      message({ toRecipients: [address('ada')] }),
      400,
      'ErrorInvalidRecipients',
      /Recipient 'ada' is not resolved/,
    ],
    [
      'a list of addresses in one',
      message({ toRecipients: [address('a@b.example;c@d.example')] }),
      400,
      'ErrorInvalidRecipients',
      /not resolved/,
    ],
    [
      'a name inside the address',
      message({ ccRecipients: [address('Ada <a@b.example>')] }),
      400,
      'ErrorInvalidRecipients',
      /not resolved/,
    ],
    [
      'a space around the address',
      message({ bccRecipients: [address(' a@b.example')] }),
      400,
      'ErrorInvalidRecipients',
      /not resolved/,
    ],
    [
      'a line end in an address',
      message({ toRecipients: [address('a@b.example\r\nx-a: b')] }),
      400,
      'ErrorInvalidRecipients',
      /not resolved/,
    ],
    [
      'a line end in a name',
      message({ toRecipients: [address('a@b.example', 'Ada\nx-a: b')] }),
      400,
      'ErrorInvalidRecipients',
      /not resolved/,
    ],
    [
      'an empty address',
      message({ toRecipients: [address('')] }),
      400,
      'ErrorInvalidRecipients',
      /not resolved/,
    ],
    ['a malformed reply address', message({ replyTo: [address('x')] }), 400, 'ErrorInvalidRecipients', /'x'/],
    [
      'a from of somebody else',
      message({ from: address('hr@contoso.example') }),
      403,
      'ErrorSendAsDenied',
      /does not have the right to send mail on behalf/,
    ],
    [
      'a header outside x-',
      headers(['List-Unsubscribe', '<mailto:a@b.example>']),
      400,
      'InvalidInternetMessageHeader',
      /'List-Unsubscribe' should start with 'x-'/,
    ],
    ['a header name with a colon', headers(['x-a: b', '1']), 400, 'InvalidInternetMessageHeader', /colon/],
    [
      'a header name with a line end',
      headers(['x-a\r\nx-b', '1']),
      400,
      'InvalidInternetMessageHeader',
      /x-/,
    ],
    ['a header name that is only x-', headers(['x-', '1']), 400, 'InvalidInternetMessageHeader', /x-/],
    [
      'a header value with a line end',
      headers(['x-a', '1\r\nBcc: a@b.example']),
      400,
      'InvalidInternetMessageHeader',
      /'x-a' contains a line end/,
    ],
    [
      'six headers',
      headers(['x-a', ''], ['x-b', ''], ['x-c', ''], ['x-d', ''], ['x-e', ''], ['x-f', '']),
      400,
      'InvalidInternetMessageHeaderCollection',
      /less than or equal to 5/,
    ],
    [
      'an attachment without type',
      attachment({ '@odata.type': undefined }),
      400,
      'RequestBodyRead',
      /needs '@odata\.type'.*abstract/,
    ],
    [
      'an attachment of another type',
      attachment({ '@odata.type': '#microsoft.graph.referenceAttachment' }),
      400,
      'RequestBodyRead',
      /fileAttachment/,
    ],
    ['an attachment without name', attachment({ name: '' }), 400, 'ErrorInvalidRequest', /'name'/],
    ['base64 without padding', attachment({ contentBytes: 'JVBERg' }), 400, 'RequestBodyRead', /Edm\.Binary/],
    [
      'base64 with line breaks',
      attachment({ contentBytes: 'JVBE\r\nRg==' }),
      400,
      'RequestBodyRead',
      /Edm\.Binary/,
    ],
    ['base64url', attachment({ contentBytes: '-_-_' }), 400, 'RequestBodyRead', /Edm\.Binary/],
    ['a content id that is no text', attachment({ contentId: 5 }), 400, 'RequestBodyRead', /contentId/],
    [
      'a property id of no known form',
      property('MailRelayId'),
      400,
      'ErrorInvalidExtendedProperty',
      /\{type\} \{GUID\} Name \{name\}/,
    ],
    [
      'a property of no known type',
      property(`Text ${GUID} Name X`),
      400,
      'ErrorInvalidExtendedProperty',
      /'Text /,
    ],
    [
      'a time property that is no time',
      property('SystemTime 0x3FEF', 'tomorrow'),
      400,
      'ErrorInvalidExtendedPropertyValue',
      /time in UTC/,
    ],
  ];
  test.each(refused)(
    'answers %s in Graph’s words and captures nothing',
    async (_what, sending, status, code, says) => {
      const graph = await graphForTests();
      const response = await send(graph, sending);
      const error = await errorOf(response);

      expect({ status: response.status, code: error.code }).toEqual({ status, code });
      expect(error.message).toMatch(says);
      expect(graph.captured).toEqual([]);
      expect(graph.requests.list()).toMatchObject([{ status, code, accepted: false }]);
    },
  );

  test('names the request in innerError, with a date that has no zone', async () => {
    const response = await send(await graphForTests(), {
      mailbox: 'nobody@contoso.example',
      headers: { 'client-request-id': 'my-id-2' },
    });
    expect((await errorOf(response)).innerError).toEqual({
      date: '2026-03-02T08:00:00',
      'request-id': response.headers.get('request-id'),
      'client-request-id': 'my-id-2',
    });
    expect(response.headers.get('cache-control')).toBe('private');
  });

  test('does not repeat a value of the mail that has the wrong type', async () => {
    const response = await send(await graphForTests(), message({ importance: 'a secret subject' }));
    expect(await response.text()).not.toContain('a secret subject');
  });
});

describe('a token', () => {
  const START_SECONDS = Date.UTC(2026, 2, 2, 8) / 1000;
  const refused: [what: string, token: () => Promise<string>, says: RegExp][] = [
    ['nothing like a token', async () => 'abc', /CompactToken/],
    ['a changed token', async () => `${(await tokenWith()).slice(0, -4)}AAAA`, /signature/],
    ['an expired token', () => tokenWith({ exp: START_SECONDS - 1 }), /expired/],
    ['a token for Key Vault', () => tokenWith({ aud: 'https://vault.azure.net' }), /audience/],
    ['a token of another tenant', () => tokenWith({ tid: '11111111-1111-1111-1111-111111111111' }), /issuer/],
  ];
  test.each(refused)('is refused when it is %s', async (_what, token, says) => {
    const graph = await graphForTests();
    const response = await send(graph, { token: await token() });
    const error = await errorOf(response);
    expect(response.status).toBe(401);
    expect(error.code).toBe('InvalidAuthenticationToken');
    expect(error.message).toMatch(says);
    expect(graph.captured).toEqual([]);
  });

  test('is refused when it is missing or of another scheme', async () => {
    const graph = await graphForTests();
    for (const authorization of [undefined, 'Basic YTpi', 'Bearer']) {
      const response = await send(graph, { headers: { authorization } });
      expect(response.status).toBe(401);
      expect((await errorOf(response)).message).toBe('Access token is empty.');
    }
  });

  test('is refused when it ended while the server ran', async () => {
    const graph = await graphForTests();
    graph.pass(3600_000);
    expect((await errorOf(await send(graph))).message).toMatch(/expired/);
  });

  test('is refused when its app is gone', async () => {
    const response = await send(await graphForTests(), {
      token: await tokenWith({ appid: '22222222-2222-2222-2222-222222222222' }),
    });
    expect(response.status).toBe(401);
    expect((await errorOf(response)).code).toBe('Authorization_IdentityNotFound');
  });

  test('may name this server as its audience', async () => {
    const graph = await graphForTests();
    for (const aud of [graph.url, `${graph.url}/`, `https://localhost:${graph.port}`]) {
      expect((await send(graph, { token: await tokenWith({ aud }) })).status).toBe(202);
    }
  });
});

describe('permission to send', () => {
  const scoped = (role: string) =>
    graphForTests({
      directory: () =>
        contosoForTests({ exchangeRoles: [{ role, mailboxes: ['Payslips@contoso.example'] }] }),
    });
  const roleless = { roles: [] };

  test('is missing with a token that has no roles', async () => {
    const response = await send(await graphForTests(), { token: await tokenWith(roleless) });
    expect(response.status).toBe(403);
    expect(await errorOf(response)).toMatchObject({
      code: 'ErrorAccessDenied',
      message: 'Access is denied. Check credentials and try again.',
    });
  });

  test('does not come with Mail.ReadWrite', async () => {
    const token = await tokenWith({ roles: ['Mail.ReadWrite'] });
    expect((await send(await graphForTests(), { token })).status).toBe(403);
  });

  test.each(['Application Mail.Send', 'Application Mail Full Access'])(
    'may come from the Exchange role %s, for the mailboxes of its scope only',
    async (role) => {
      const graph = await scoped(role);
      const token = await tokenWith(roleless);
      expect((await send(graph, { mailbox: 'payroll@contoso.example', token })).status).toBe(202);
      expect((await send(graph, { mailbox: 'hr@contoso.example', token })).status).toBe(403);
    },
  );

  test('does not come from the Exchange role to read', async () => {
    const graph = await scoped('Application Mail.Read');
    const token = await tokenWith(roleless);
    expect((await send(graph, { mailbox: 'payroll@contoso.example', token })).status).toBe(403);
  });
});

describe('another path or method', () => {
  const elsewhere: [path: string, method: string, status: number, says: string][] = [
    ['/', 'GET', 400, 'Invalid version: .'],
    ['/beta/users/a/sendMail', 'POST', 400, 'Invalid version: beta.'],
    ['/v1.0/groups', 'GET', 400, "Resource not found for the segment 'groups'."],
    ['/v1.0/users', 'GET', 400, "Resource not found for the segment 'users'."],
    [
      '/v1.0/users/noreply@contoso.example/calendar',
      'GET',
      400,
      "Resource not found for the segment 'calendar'.",
    ],
    [
      '/v1.0/users/noreply@contoso.example/sendmail',
      'POST',
      400,
      "Resource not found for the segment 'sendmail'.",
    ],
    [
      '/v1.0/users/noreply@contoso.example/sendMail/now',
      'POST',
      400,
      "Resource not found for the segment 'now'.",
    ],
    ['/v1.0/users/%E0%A4/sendMail', 'POST', 400, "Resource not found for the segment '%E0%A4'."],
    ['/v1.0/me/sendMail', 'POST', 400, '/me request is only valid with delegated authentication flow.'],
    [
      '/v1.0/users/noreply@contoso.example/sendMail',
      'GET',
      405,
      'Specified HTTP method is not allowed for the request target.',
    ],
    [
      '/v1.0/users/noreply@contoso.example/sendMail',
      'PUT',
      405,
      'Specified HTTP method is not allowed for the request target.',
    ],
    [
      '/v1.0/users/noreply@contoso.example/messages',
      'PUT',
      405,
      'Specified HTTP method is not allowed for the request target.',
    ],
  ];
  test.each(elsewhere)(
    '%s with %s is answered with %i and Graph’s error body',
    async (path, method, status, says) => {
      const response = await send(await graphForTests(), { path, method });
      expect(response.status).toBe(status);
      expect((await errorOf(response)).message).toBe(says);
    },
  );
});
