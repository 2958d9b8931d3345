import { Readable } from 'node:stream';
import nodemailer, { type SendMailOptions } from 'nodemailer';
import { describe, expect, test } from 'vitest';
import type {
  GraphMailRelayError,
  GraphMailRelayMail,
  GraphMailRelayOptions,
  RelayRequest,
} from '../../clients/nodemailer/index.d.ts';
import { graphMailRelay } from '../../clients/nodemailer/src/index.ts';
import { makeTransport } from '../../clients/nodemailer/src/transport.ts';

const URL_OF_RELAY = 'https://relay.example/api';
const KEY = 'gmr_test-key-of-nobody';
type Mail = SendMailOptions & GraphMailRelayMail;

type Arrived = Omit<RelayRequest, 'body'> & { readonly url: string; readonly text: string };
/** What a relay does with a request: a response, or an error of the network. */
type Reply = () => Response | Promise<Response>;

const problem =
  (status: number, code: string, more: Record<string, unknown> = {}, headers = {}) =>
  () =>
    new Response(
      JSON.stringify({
        type: `urn:graph-mail-relay:error:${code}`,
        title: `Title of ${code}`,
        status,
        code,
        remedy: 'Do this',
        ...more,
      }),
      { status, headers: { 'content-type': 'application/problem+json', ...headers } },
    );
const accepted =
  (status = 200, body: Record<string, unknown> = { id: 'id-1', state: 'sent' }, headers = {}) =>
  () =>
    new Response(JSON.stringify(body), { status, headers });
const bare =
  (status: number, text = '', headers = {}) =>
  () =>
    new Response(text, { status, headers });
const broken = (cause: Record<string, unknown>) => () => {
  throw new TypeError('fetch failed', { cause });
};

/** A transport to a relay that replies in this way, the last reply again and again; nothing waits. */
const relayThat = (
  replies: readonly Reply[] = [accepted()],
  options: Partial<GraphMailRelayOptions> = {},
) => {
  const arrived: Arrived[] = [];
  const waits: number[] = [];
  let keys = 0;
  const transport = makeTransport(
    { url: URL_OF_RELAY, ...(options.token === undefined ? { key: KEY } : {}), ...options },
    {
      fetch: async (url, { body, ...init }) => {
        arrived.push({ url, ...init, text: Buffer.from(body ?? []).toString('latin1') });
        const reply = replies[Math.min(arrived.length, replies.length) - 1];
        if (reply === undefined) throw new Error('no reply');
        return reply();
      },
      wait: async (ms) => {
        waits.push(ms);
      },
      now: () => new Date('2026-11-26T12:00:00Z'),
      newKey: () => `made-${++keys}`,
    },
  );
  const transporter = nodemailer.createTransport(transport);
  return { arrived, waits, transport, transporter, send: (mail: Mail = MAIL) => transporter.sendMail(mail) };
};

const MAIL: Mail = {
  from: 'Payroll <payroll@contoso.example>',
  to: 'ann@fabrikam.example',
  subject: 'Payslip',
  text: 'Attached.',
};

const errorOf = async (outcome: Promise<unknown>): Promise<GraphMailRelayError> => {
  const error = await outcome.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  expect(error.message).not.toMatch(/@|gmr_/);
  expect(String(error.response)).not.toMatch(/@|gmr_/);
  return error;
};

describe('the options', () => {
  test.each<[string, unknown, string]>([
    ['no options', undefined, 'Expected an object such as'],
    ['no url', { key: KEY }, 'Received nothing'],
    ['a url without /api', { url: 'https://relay.example', key: KEY }, 'write https://relay.example/api'],
    [
      'a url of one call',
      { url: 'https://relay.example/api/v1/mail', key: KEY },
      'write https://relay.example/api',
    ],
    ['a url that is a path', { url: '/api', key: KEY }, 'the address of the relay that ends in /api'],
    ['a key in the url', { url: 'https://relay.example/api?code=hidden', key: KEY }, 'without ? and #'],
    [
      'a password in the url',
      { url: 'https://me:hidden@relay.example/api', key: KEY },
      'without user and password',
    ],
    [
      'http to another machine',
      { url: 'http://relay.example/api', key: KEY },
      'write https://relay.example/api',
    ],
    [
      'http to a name that only begins like this machine',
      { url: 'http://localhost.example/api', key: KEY },
      'https',
    ],
    ['no key', { url: URL_OF_RELAY, key: undefined }, 'Wrong options key and token of graphMailRelay'],
    ['a key and a token', { url: URL_OF_RELAY, key: KEY, token: async () => 'x' }, 'Received both'],
    ['an empty key', { url: URL_OF_RELAY, key: '' }, 'Wrong option key'],
    [
      'a key with a line break',
      { url: URL_OF_RELAY, key: `${KEY}hidden\n` },
      'without blanks or line breaks',
    ],
    ['a token that is no function', { url: URL_OF_RELAY, token: 'hidden' }, 'a function that gives'],
    [
      'a time that is none',
      { url: URL_OF_RELAY, key: KEY, timeoutMs: '1' },
      'a whole number of milliseconds',
    ],
    ['an option of another transport', { url: URL_OF_RELAY, key: KEY, pool: true }, 'Wrong option pool'],
    [
      'an option whose name is nearly right',
      { url: URL_OF_RELAY, key: KEY, timeout: 5_000 },
      'Expected url, key, token, timeoutMs, fetch and nothing else',
    ],
    ['a fetch that is none', { url: URL_OF_RELAY, key: KEY, fetch: {} }, 'Wrong option fetch'],
  ])('%s is an error when the transport is made, and shows no secret', (_case, options, text) => {
    let thrown: unknown;
    try {
      graphMailRelay(options as GraphMailRelayOptions);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'ECONFIG', message: expect.stringContaining(text) });
    expect(String(thrown)).not.toMatch(/hidden|gmr_test/);
  });

  test.each([
    'https://relay.example/api',
    'https://relay.example/api/',
    'https://gateway.example/mail/relay/api',
    'http://localhost:7071/api',
    'http://127.0.0.1:7071/api',
    'http://[::1]:7071/api',
  ])('%s is an address of a relay', (url) => {
    expect(graphMailRelay({ url, key: KEY })).toMatchObject({ name: 'GraphMailRelay' });
  });

  test.each<[string, Partial<GraphMailRelayOptions>, string, Record<string, string>]>([
    ['a key of the relay', { key: KEY }, '/v1/mail', { 'x-api-key': KEY }],
    ['a function key', { key: 'function-key==' }, '/mail', { 'x-functions-key': 'function-key==' }],
    ['a token', { token: async () => 'eyJ.a.b' }, '/v1/mail', { authorization: 'Bearer eyJ.a.b' }],
  ])('%s goes to its own address, in its own header and no other', async (_case, options, path, headers) => {
    const { arrived, send } = relayThat([accepted()], options);
    await send();
    expect(arrived[0]?.url).toBe(`${URL_OF_RELAY}${path}`);
    const names = ['x-api-key', 'x-functions-key', 'authorization'];
    expect(
      Object.fromEntries(Object.entries(arrived[0]?.headers ?? {}).filter(([name]) => names.includes(name))),
    ).toEqual(headers);
  });

  test('a token is asked for before each request', async () => {
    let count = 0;
    const { arrived, send } = relayThat([bare(502), accepted()], { token: async () => `t${++count}` });
    await send();
    expect(arrived.map(({ headers }) => headers.authorization)).toEqual(['Bearer t1', 'Bearer t2']);
  });

  const FAILS = (): Promise<string> => {
    throw new Error('no identity gmr_secret');
  };

  test('a token function that fails is asked again, as it often passes, and the email is sent', async () => {
    let count = 0;
    const token = async () => (++count < 4 ? FAILS() : 't');
    const { arrived, waits, send } = relayThat([accepted()], { token });
    await send();
    expect([arrived.length, waits]).toEqual([1, [1_000, 5_000, 30_000]]);
  });

  test('a token function that fails to the end is a temporary error without the text of its cause', async () => {
    const { arrived, transport, send } = relayThat([accepted()], { token: FAILS });
    for (const call of [send, () => transport.verify()]) {
      const error = await errorOf(call());
      const cause = { message: 'no identity gmr_secret' };
      expect(error).toMatchObject({ code: 'EOAUTH2', responseCode: 454, cause });
    }
    expect(arrived).toEqual([]);
  });

  test('a token function that fails after a lost response leaves the outcome unknown', async () => {
    let count = 0;
    const { send } = relayThat([broken({ code: 'ECONNRESET' })], {
      token: async () => (++count === 1 ? 't' : FAILS()),
    });
    expect(await errorOf(send())).toMatchObject({ code: 'EOUTCOMEUNKNOWN', idempotencyKey: 'made-1' });
  });

  test('what is no token is an error before anything is sent, and not asked for again', async () => {
    const { arrived, waits, send } = relayThat([accepted()], { token: async () => 'a token\n' });
    const cause = { message: expect.stringContaining('received text of 8 characters') };
    expect(await errorOf(send())).toMatchObject({ code: 'EAUTH', responseCode: 535, cause });
    expect([arrived, waits]).toEqual([[], []]);
  });

  const never = () => new Promise<never>(() => undefined);

  test('timeoutMs ends a token function that never ends, and a fetch that does not listen to its signal', async () => {
    const hanging = relayThat([accepted()], { token: never, timeoutMs: 1 });
    expect(await errorOf(hanging.send())).toMatchObject({ code: 'EOAUTH2', cause: { name: 'TimeoutError' } });
    expect(await errorOf(hanging.transport.verify())).toMatchObject({ code: 'EOAUTH2' });
    const silent = relayThat([never], { timeoutMs: 1 });
    expect(await errorOf(silent.send())).toMatchObject({ code: 'EOUTCOMEUNKNOWN' });
    expect(await errorOf(silent.transport.verify())).toMatchObject({ code: 'ECONNECTION' });
  });

  test('a signal ends them too, and the error says whether the email may have been sent', async () => {
    const controller = new AbortController();
    const end = () => {
      controller.abort();
      return never();
    };
    const unsent = relayThat([accepted()], { token: end });
    const error = await errorOf(unsent.send({ ...MAIL, signal: controller.signal }));
    expect(error).toMatchObject({ code: 'EABORT', message: expect.stringContaining('Nothing was sent') });
    const other = new AbortController();
    const silent = relayThat([
      () => {
        other.abort();
        return never();
      },
    ]);
    const uncertain = await errorOf(silent.send({ ...MAIL, signal: other.signal }));
    expect(uncertain).toMatchObject({
      code: 'EABORT',
      message: expect.stringContaining('may have received'),
    });
  });
});

describe('what the relay says', () => {
  test('an email that was sent resolves to what transports of nodemailer give, and the facts of the relay', async () => {
    const warnings = [{ code: 'MESSAGE_ID_MAY_CHANGE', pointer: '/mime' }];
    const { arrived, send } = relayThat([accepted(200, { id: 'id-1', state: 'sent', warnings })]);
    const info = await send({ ...MAIL, cc: 'bob@fabrikam.example', bcc: 'eve@fabrikam.example' });
    const to = ['ann@fabrikam.example', 'bob@fabrikam.example', 'eve@fabrikam.example'];
    expect(info).toEqual({
      messageId: expect.stringMatching(/^<[\da-f-]{36}@contoso\.example>$/),
      envelope: { from: 'payroll@contoso.example', to },
      accepted: to,
      rejected: [],
      response: '250 sent id-1',
      relay: { id: 'id-1', state: 'sent', warnings, repeated: false, form: 'mime', idempotencyKey: 'made-1' },
    });
    expect(arrived[0]).toMatchObject({
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'message/rfc822', 'idempotency-key': 'made-1' },
    });
    expect(arrived[0]?.text).toContain('Bcc: eve@fabrikam.example\r\n');
    expect(arrived[0]?.text).toContain(`Message-ID: ${info.messageId}\r\n`);
  });

  test.each(['queued', 'unknown', 'held', 'closed'])(
    '202 with %s is no error: the relay has the email',
    async (state) => {
      const statusUrl = `${URL_OF_RELAY}/v1/mail/id-1`;
      const { arrived, send } = relayThat([accepted(202, { id: 'id-1', state, statusUrl })]);
      const info = await send();
      expect(info).toMatchObject({ response: `250 ${state} id-1`, relay: { state, statusUrl } });
      expect(arrived).toHaveLength(1);
    },
  );

  test('a repeated email says so', async () => {
    const { send } = relayThat([
      accepted(200, { id: 'id-1', state: 'sent' }, { 'idempotent-replayed': 'true' }),
    ]);
    expect((await send()).relay.repeated).toBe(true);
  });

  test.each<[string, Reply, Record<string, unknown>]>([
    ['a wrong key', problem(401, 'KEY_NOT_ACCEPTED'), { code: 'EAUTH', responseCode: 535 }],
    ['a wrong function key', bare(401), { code: 'EAUTH', responseCode: 535 }],
    ['a caller that is switched off', problem(403, 'CALLER_DISABLED'), { code: 'EAUTH', responseCode: 535 }],
    [
      'a sender that is not allowed',
      problem(403, 'SENDER_NOT_ALLOWED'),
      { code: 'EENVELOPE', responseCode: 550 },
    ],
    ['a wrong address', problem(400, 'ADDRESS_INVALID'), { code: 'EENVELOPE', responseCode: 550 }],
    ['a message that is wrong', problem(400, 'MIME_INVALID'), { code: 'EMESSAGE', responseCode: 554 }],
    ['a message that is too large', problem(413, 'MAIL_TOO_LARGE'), { code: 'EMESSAGE', responseCode: 552 }],
    ['an expired secret', problem(502, 'CLIENT_SECRET_EXPIRED'), { code: 'EMESSAGE', responseCode: 451 }],
    ['a page that is not there', bare(404, '<html>'), { code: 'EPROTOCOL', responseCode: 554 }],
    [
      'a redirect',
      bare(302, '', { location: 'https://login.example/' }),
      { code: 'EPROTOCOL', responseCode: 554 },
    ],
    [
      'a problem of a gateway',
      () =>
        new Response('{"type":"about:blank","code":"X"}', {
          status: 403,
          headers: { 'content-type': 'application/problem+json' },
        }),
      { code: 'EPROTOCOL', responseCode: 554 },
    ],
  ])('%s is an error, and not tried again', async (_case, reply, facts) => {
    const { arrived, send } = relayThat([reply]);
    expect(await errorOf(send())).toMatchObject(facts);
    expect(arrived).toHaveLength(1);
  });

  test('the text of an error has the remedy and the problems of the relay, and the error has all of it', async () => {
    const problems = [1, 2, 3, 4, 5].map((number) => ({
      code: 'MIME_INVALID',
      pointer: `/mime/${number}`,
      expected: 'the header From once',
      received: 'a message of 40 bytes',
    }));
    const { send } = relayThat([problem(400, 'MIME_INVALID', { problems })]);
    const error = await errorOf(send());
    expect(error.message).toBe(
      'The relay did not accept the email. MIME_INVALID: Title of MIME_INVALID. ' +
        [1, 2, 3]
          .map((number) => `/mime/${number} expected the header From once received a message of 40 bytes`)
          .join('; ') +
        '; 2 more. Do this.',
    );
    expect(error).toMatchObject({
      status: 400,
      response: '554 MIME_INVALID Title of MIME_INVALID',
      problem: { code: 'MIME_INVALID', problems },
      idempotencyKey: 'made-1',
    });
  });
});

const RESET = broken({ code: 'ECONNRESET' });

describe('a request that can be repeated', () => {
  test.each<[string, Reply]>([
    ['a connection that broke', RESET],
    ['a connection that was refused', broken({ code: 'ECONNREFUSED', syscall: 'connect' })],
    ['a name that is not found', broken({ code: 'ENOTFOUND', syscall: 'getaddrinfo' })],
    ['a request that took too long', () => Promise.reject(new DOMException('timeout', 'TimeoutError'))],
    ['a 500 without a problem', bare(500)],
    ['a 502 without a problem', bare(502, '<html>Bad gateway')],
    ['a 504 without a problem', bare(504)],
    ['a 503 of the platform', bare(503)],
    ['a 503 of the relay', problem(503, 'RELAY_BUSY')],
    ['a 409 of the relay', problem(409, 'MAIL_UNDER_WAY')],
    ['a 429 of the relay', problem(429, 'CALLER_LIMIT_REACHED')],
    ['a 200 that is not of the relay', bare(200, '<html>Sign in')],
    ['a body that breaks off', bare(200, '{"id":"id-1","sta')],
  ])('%s: the same bytes go with the same key, and the email is sent', async (_case, reply) => {
    const { arrived, waits, send } = relayThat([reply, reply, reply, accepted()]);
    expect((await send()).relay.state).toBe('sent');
    expect(waits).toEqual([1_000, 5_000, 30_000]);
    expect(new Set(arrived.map(({ text, headers }) => `${headers['idempotency-key']} ${text}`)).size).toBe(1);
    expect(arrived).toHaveLength(4);
  });

  test('the relay is given the time that it asks for', async () => {
    const { waits, send } = relayThat([
      problem(503, 'RELAY_BUSY', {}, { 'retry-after': '30' }),
      problem(409, 'MAIL_UNDER_WAY', {}, { 'retry-after': '5' }),
      problem(429, 'X', {}, { 'retry-after': 'Thu, 26 Nov 2026 12:00:45 GMT' }),
      accepted(),
    ]);
    await send();
    expect(waits).toEqual([30_000, 5_000, 45_000]);
  });

  test('nobody waits for a relay that asks for hours: the error says how long, and that nothing was sent', async () => {
    const { arrived, waits, send } = relayThat([
      problem(429, 'CALLER_LIMIT_REACHED', {}, { 'retry-after': '41000' }),
    ]);
    expect(await errorOf(send())).toMatchObject({
      code: 'ECONNECTION',
      responseCode: 421,
      retryAfter: 41_000,
      problem: { code: 'CALLER_LIMIT_REACHED' },
    });
    expect([arrived.length, waits.length]).toEqual([1, 0]);
  });

  test.each<[string, readonly Reply[]]>([
    ['no connection', [broken({ code: 'ECONNREFUSED', syscall: 'connect' })]],
    ['a relay that is busy', [problem(503, 'RELAY_BUSY')]],
    ['both', [broken({ code: 'ENOTFOUND' }), problem(503, 'STORAGE_UNAVAILABLE')]],
  ])(
    'after four tries with %s, nothing was sent, and the email can be sent later',
    async (_case, replies) => {
      const { arrived, send } = relayThat(replies);
      expect(await errorOf(send())).toMatchObject({ code: 'ECONNECTION', idempotencyKey: 'made-1' });
      expect(arrived).toHaveLength(4);
    },
  );

  test('a certificate that is not trusted is an error, and not tried again', async () => {
    const { arrived, send } = relayThat([broken({ code: 'SELF_SIGNED_CERT_IN_CHAIN' })]);
    expect(await errorOf(send())).toMatchObject({ code: 'ETLS' });
    expect(arrived).toHaveLength(1);
  });
});

describe('an outcome that nobody knows', () => {
  test.each<[string, readonly Reply[]]>([
    ['every connection broke', [RESET]],
    ['every response came from the platform', [bare(504)]],
    ['the first request is in progress to the end', [problem(409, 'MAIL_UNDER_WAY')]],
    ['one of four requests may have been carried out', [bare(502), problem(503, 'RELAY_BUSY')]],
    [
      'one of four requests may have been carried out, and then the relay is not there',
      [RESET, broken({ code: 'ECONNREFUSED' })],
    ],
    ['the key is no longer valid after it', [RESET, problem(401, 'KEY_NOT_ACCEPTED')]],
    ['a firewall responds after it', [RESET, bare(403, '<html>')]],
    ['the certificate is no longer trusted after it', [RESET, broken({ code: 'CERT_HAS_EXPIRED' })]],
    ['the relay says so', [problem(502, 'OUTCOME_UNKNOWN')]],
    ['the relay failed in a way that was not foreseen', [problem(500, 'UNEXPECTED')]],
    ['the settings of the relay are wrong after it', [RESET, problem(500, 'SETTINGS_INVALID')]],
    ['the relay did not read the second request', [RESET, problem(400, 'MIME_INCOMPLETE')]],
    ['the relay refuses the second request by its size', [bare(502), problem(413, 'MAIL_TOO_LARGE')]],
    ['another problem of the kind comes after it', [RESET, problem(400, 'MIME_INVALID')]],
    ['any 409 comes after it', [RESET, problem(409, 'SAFETY_SWITCHED_OFF')]],
  ])(
    '%s: the error says so, with the key to repeat with, and no reply code that invites a resend',
    async (_case, replies) => {
      const { send } = relayThat(replies);
      const error = await errorOf(send());
      expect(error).toMatchObject({ code: 'EOUTCOMEUNKNOWN', idempotencyKey: 'made-1' });
      expect(error.responseCode).toBeUndefined();
      expect(error.message).toContain('Do not send it in another way');
    },
  );

  test.each([
    [problem(422, 'MAILBOX_NOT_FOUND', { id: 'id-1' }), 'EENVELOPE', 550],
    [problem(502, 'CLIENT_SECRET_EXPIRED', { id: 'id-1' }), 'EMESSAGE', 451],
    [problem(410, 'MAIL_CANCELED', { id: 'id-1' }), 'EMESSAGE', 554],
  ])(
    'a problem about the email with this key ends it: the relay found it in its ledger',
    async (reply, code, responseCode) => {
      const { send } = relayThat([RESET, reply]);
      expect(await errorOf(send())).toMatchObject({ code, responseCode, problem: { id: 'id-1' } });
    },
  );

  test.each<[string, Reply, boolean]>([
    ['wrong settings', problem(500, 'SETTINGS_INVALID'), true],
    ['a relay that is busy', problem(503, 'RELAY_BUSY'), true],
    ['a key that is not valid', problem(401, 'KEY_NOT_ACCEPTED'), true],
    ['a problem about the email with this key', problem(422, 'MAILBOX_NOT_FOUND', { id: 'id-1' }), false],
  ])(
    'with the key of an earlier call, the error of %s says whether it is about that one too',
    async (_case, reply, isOnly) => {
      const text = 'says nothing of an earlier sendMail';
      const again = await errorOf(relayThat([reply]).send({ ...MAIL, idempotencyKey: 'k' }));
      expect(again.message.includes(text)).toBe(isOnly);
      expect((await errorOf(relayThat([reply]).send())).message).not.toContain(text);
    },
  );

  test('the email of the error, sent again with its key, is the same to the byte', async () => {
    const { arrived, send } = relayThat([RESET, RESET, RESET, RESET, accepted()]);
    const mail = (): Mail => ({
      ...MAIL,
      html: '<p>Attached.</p>',
      attachments: [{ filename: 'a.txt', content: Readable.from(['payslip']) }],
    });
    const { idempotencyKey } = await errorOf(send(mail()));
    await send({ ...mail(), idempotencyKey });
    expect(new Set(arrived.map(({ text, headers }) => `${headers['idempotency-key']} ${text}`)).size).toBe(1);
    expect(arrived).toHaveLength(5);
  });
});

describe('an email that the relay has already', () => {
  const REUSED = problem(422, 'IDEMPOTENCY_KEY_REUSED', {
    id: 'id-1',
    remedy: 'Use a new key for every email',
  });
  const statusUrl = `${URL_OF_RELAY}/v1/mail/id-1`;

  test.each<[string, Reply, string | undefined]>([
    ['with its state', accepted(200, { id: 'id-1', state: 'sent' }), 'sent'],
    ['which still waits', accepted(200, { id: 'id-1', state: 'queued' }), 'queued'],
    ['without its state if the relay does not say it', problem(404, 'MAIL_NOT_FOUND'), undefined],
    ['without its state if the network fails', RESET, undefined],
    ['without a state that is none', accepted(200, { id: 'id-1', state: 'sent\r\n250 x' }), undefined],
  ])(
    'sent again with its key and another time in it, is told as that, %s, and nothing invites a new key',
    async (_case, reply, state) => {
      const { arrived, send } = relayThat([RESET, RESET, RESET, RESET, REUSED, reply]);
      const mail = (time: number): Mail => ({ ...MAIL, text: `Created at ${time}` });
      const { code, idempotencyKey } = await errorOf(send(mail(1)));
      expect(code).toBe('EOUTCOMEUNKNOWN');
      const error = await errorOf(send({ ...mail(2), idempotencyKey }));
      expect(error).toMatchObject({
        code: 'EALREADYACCEPTED',
        relay: { id: 'id-1', statusUrl },
        idempotencyKey,
      });
      expect([error.relay?.state, error.responseCode, error.response]).toEqual([state, undefined, undefined]);
      expect(error.message).toContain('Its id is id-1.');
      expect(JSON.stringify([error.message, error.problem])).not.toMatch(/new key|not accept|another key/);
      expect(arrived.slice(5).map(({ method, url }) => [method, url])).toEqual([['GET', statusUrl]]);
    },
  );

  test.each(['rejected', 'canceled'])(
    'and that is %s was not sent: only then another key sends it',
    async (state) => {
      const { send } = relayThat([REUSED, accepted(200, { id: 'id-1', state })]);
      expect(await errorOf(send({ ...MAIL, idempotencyKey: 'k' }))).toMatchObject({
        code: 'EMESSAGE',
        responseCode: 554,
        message: expect.stringContaining('nothing was sent'),
      });
    },
  );

  test('whose id could be of another address is not looked up', async () => {
    const { arrived, send } = relayThat([problem(422, 'IDEMPOTENCY_KEY_REUSED', { id: '../caller' })]);
    expect((await errorOf(send())).relay).toBeUndefined();
    expect(arrived).toHaveLength(1);
  });
});

const PNG = 'iVBORw0KGgo=';
const everything = (): Mail => ({
  ...MAIL,
  idempotencyKey: 'payslip-2026-11-1042',
  html: `<p>Attached. <img src="data:image/png;base64,${PNG}"> <img src="data:image/gif;base64,R0lGODlh"></p>`,
  attachDataUrls: true,
  amp: '<html amp4email></html>',
  icalEvent: 'BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nEND:VCALENDAR\r\n',
  attachments: [{ filename: 'a.pdf', content: Readable.from([Buffer.from('%PDF')]) }],
});

describe('an idempotency key of the application', () => {
  test('makes the same bytes of the same email, in another process too', async () => {
    const [one, other] = [relayThat(), relayThat()];
    const [first, second] = [await one.send(everything()), await other.send(everything())];
    expect(other.arrived[0]?.text).toBe(one.arrived[0]?.text);
    expect(second.messageId).toBe(first.messageId);
    expect(one.arrived[0]?.text).toMatch(/^Message-ID: </m);
    expect(one.arrived[0]?.text).not.toMatch(/^Date:/m);
    expect(one.arrived[0]?.headers['idempotency-key']).toBe('payslip-2026-11-1042');
  });

  test('makes other bytes of another email or with another key', async () => {
    const { arrived, send } = relayThat();
    await send(everything());
    await send({ ...everything(), idempotencyKey: 'payslip-2026-11-1043' });
    await send({ ...everything(), text: 'Attached!' });
    const boundaries = arrived.map(({ text }) => /boundary="([^"]+)"/.exec(text)?.[1]);
    expect(new Set(boundaries).size).toBe(3);
  });

  test('leaves a Message-ID, a Date and a boundary of the application as they are', async () => {
    const { arrived, send } = relayThat();
    const own = {
      ...everything(),
      messageId: '<own@contoso.example>',
      date: new Date(0),
      baseBoundary: 'own',
    };
    expect((await send(own)).messageId).toBe('<own@contoso.example>');
    await send({
      ...MAIL,
      headers: { 'message-id': '<12345678-1234-1234-1234-123456789abc@contoso.example>' },
    });
    expect(arrived[0]?.text).toContain('Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n');
    expect(arrived[0]?.text).toContain('boundary="--_NmP-own-Part_1"');
    expect(arrived[1]?.text).toContain(
      'Message-ID: <12345678-1234-1234-1234-123456789abc@contoso.example>\r\n',
    );
  });

  test('a text cannot end its own part, also if its author knows the key', async () => {
    const { arrived, send } = relayThat();
    await send(everything());
    const boundary = /boundary="([^"]+)"/.exec(arrived[0]?.text ?? '')?.[1];
    await send({ ...everything(), text: `--${boundary}\r\nContent-Type: text/html\r\n\r\nforged` });
    expect(arrived[1]?.text).not.toContain(`boundary="${boundary}"`);
  });

  test.each([
    ['with a blank', 'a b'],
    ['that is too long', 'x'.repeat(256)],
    ['that is a number', 7],
    ['that is empty', ''],
  ])('one %s is an error before anything is sent', async (_case, idempotencyKey) => {
    const { arrived, send } = relayThat();
    const error = await errorOf(send({ ...MAIL, idempotencyKey } as Mail));
    expect(error).toMatchObject({ code: 'EMESSAGE', message: expect.stringContaining('idempotencyKey') });
    expect(arrived).toEqual([]);
  });

  test('without one, each email has its own', async () => {
    const { arrived, send } = relayThat();
    await send();
    await send();
    expect(arrived.map(({ headers }) => headers['idempotency-key'])).toEqual(['made-1', 'made-2']);
  });
});

describe('an envelope of the application', () => {
  test('who is only in it goes into Bcc, after those who are there', async () => {
    const { arrived, send } = relayThat();
    const to = ['ann@fabrikam.example', 'eve@fabrikam.example', 'max@fabrikam.example'];
    const info = await send({
      ...MAIL,
      bcc: 'eve@fabrikam.example',
      envelope: { from: 'payroll@contoso.example', to },
    });
    expect(arrived[0]?.text).toMatch(/^Bcc: eve@fabrikam\.example,\r\n max@fabrikam\.example\r\nFrom:/);
    expect(arrived[0]?.text.match(/^Bcc:/gm)).toHaveLength(1);
    expect(info).toMatchObject({ envelope: { from: 'payroll@contoso.example', to }, accepted: to });
  });

  test.each(['to', 'cc', 'bcc'])(
    'an address in %s that it does not name is an error: Graph would send to it',
    async (field) => {
      const { arrived, send } = relayThat();
      const mail = { ...MAIL, [field]: 'Ann <ann@fabrikam.example>, other@fabrikam.example' };
      const error = await errorOf(send({ ...mail, envelope: { to: 'ann@fabrikam.example' } }));
      expect(error).toMatchObject({
        code: 'EENVELOPE',
        message: expect.stringContaining(`header ${field} has 1`),
      });
      expect(arrived).toEqual([]);
    },
  );

  test.each(['', '<>', false])(
    'an empty sender is an error: reports would go to From all the same: %o',
    async (from) => {
      const { arrived, send } = relayThat();
      const error = await errorOf(send({ ...MAIL, envelope: { from, to: 'ann@fabrikam.example' } } as Mail));
      expect(error).toMatchObject({ code: 'EENVELOPE', message: expect.stringContaining('is empty') });
      expect(arrived).toEqual([]);
    },
  );

  test('another sender than From is an error: reports would not go there', async () => {
    const { arrived, send } = relayThat();
    const envelope = { from: 'bounces@contoso.example', to: 'ann@fabrikam.example' };
    expect(await errorOf(send({ ...MAIL, envelope }))).toMatchObject({ code: 'EENVELOPE' });
    expect(arrived).toEqual([]);
  });

  test.each([
    { to: 'Ann@fabrikam.example' },
    { from: 'PAYROLL@contoso.example', to: ['ANN@fabrikam.example'] },
  ])('no sender, or one that differs in capitals, changes nothing: %o', async (envelope) => {
    const { arrived, send } = relayThat();
    await send({ ...MAIL, envelope });
    expect(arrived[0]?.text).not.toMatch(/^Bcc:/m);
  });
});

describe('an address that nodemailer leaves out', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['in to', { to: 'ann@fabrikam.example, broken' }, 'number 2 in to'],
    ['in cc as an object', { cc: [{ name: 'Bob', address: '' }] }, 'number 1 in cc'],
    [
      'in bcc between others',
      { bcc: ['a@fabrikam.example', 'Eve', 'b@fabrikam.example'] },
      'number 2 in bcc',
    ],
    ['in replyTo', { replyTo: 'nobody' }, 'in reply-to'],
    ['in a group', { to: 'Staff: ann@fabrikam.example, broken;' }, 'in to'],
    ['in the envelope', { envelope: { to: ['ann@fabrikam.example', 'broken'] } }, 'envelope.to'],
  ])('%s is an error before anything is sent', async (_case, more, text) => {
    const { arrived, send } = relayThat();
    const error = await errorOf(send({ ...MAIL, ...more } as Mail));
    expect(error).toMatchObject({ code: 'EENVELOPE', message: expect.stringContaining(text) });
    expect(arrived).toEqual([]);
  });

  test.each([
    { to: 'ann@fabrikam.example,' },
    { to: ['ann@fabrikam.example', ''], cc: '', bcc: [] },
    { to: 'ann@fabrikam.example', cc: 'undisclosed-recipients:;' },
    { to: '"Chan, Tai Man" <ann@fabrikam.example>; bob@fabrikam.example' },
  ])('is none where nothing was written: %o', async (more) => {
    const { arrived, send } = relayThat();
    await send({ ...MAIL, ...more });
    expect(arrived).toHaveLength(1);
  });
});

describe('a raw message', () => {
  const RAW =
    'From: payroll@contoso.example\nTo: ann@fabrikam.example\nMessage-ID: <raw@contoso.example>\nSubject: Raw\n\nAs it is.\n';

  test('goes as it is, from and to whom its header says', async () => {
    const { arrived, send } = relayThat();
    const info = await send({ raw: RAW });
    expect(arrived[0]?.text).toBe(RAW);
    expect(info).toMatchObject({
      messageId: '<raw@contoso.example>',
      envelope: { from: 'payroll@contoso.example', to: ['ann@fabrikam.example'] },
    });
  });

  test('without a Message-ID has none in the answer: nodemailer makes one that is not in it', async () => {
    const { arrived, send } = relayThat();
    const info = await send({ raw: RAW.replace(/^Message-ID: .*\n/m, '') });
    expect([info.messageId, arrived[0]?.text.includes('Message-ID')]).toEqual(['', false]);
  });

  test('an envelope adds a Bcc with the line ends of its header, and options for it are its envelope', async () => {
    const { arrived, send } = relayThat();
    await send({ raw: RAW, envelope: { to: ['ann@fabrikam.example', 'eve@fabrikam.example'] } });
    expect(arrived[0]?.text).toBe(`Bcc: eve@fabrikam.example\n${RAW}`);
    expect(await errorOf(send({ raw: RAW, to: 'eve@fabrikam.example' }))).toMatchObject({
      code: 'EENVELOPE',
    });
    expect(arrived).toHaveLength(1);
  });
});

describe('what the relay does not carry', () => {
  test.each<[string, Record<string, unknown>]>([
    ['dsn', { dsn: { notify: 'failure' } }],
    ['envelope.dsn', { envelope: { to: 'ann@fabrikam.example', dsn: { notify: 'never' } } }],
    ['auth', { auth: { user: 'x', pass: 'y' } }],
    ['ses', { ses: { ConfigurationSetName: 'tracking' } }],
    ['requireTLSExtensionEnabled', { requireTLSExtensionEnabled: true }],
    ['sendAt', { sendAt: new Date('2026-12-01T09:00:00Z') }],
    ['tags', { tags: ['payroll'] }],
    ['onUnknown', { onUnknown: 'hold' }],
    ['priority', { priority: 'bulk' }],
    ['relay', { relay: { sendat: '2026-12-01' } }],
    ['relay.sendAt', { relay: { sendAt: new Date('tomorrow') } }],
  ])('%s is an error that names it, before anything is sent', async (option, more) => {
    const { arrived, send } = relayThat();
    const error = await errorOf(send({ ...MAIL, ...more } as Mail));
    expect(error).toMatchObject({
      code: 'EMESSAGE',
      message: expect.stringContaining(`option ${option} of`),
    });
    expect(arrived).toEqual([]);
  });

  test('what says nothing is no error', async () => {
    const { arrived, send } = relayThat();
    const nothing = { dsn: {}, auth: null, ses: { Tags: [] }, requireTLSExtensionEnabled: false, relay: {} };
    await send({ ...MAIL, ...nothing } as unknown as Mail);
    expect(arrived).toHaveLength(1);
  });

  test('a signature of the option dkim is left out, with a warning', async () => {
    const { arrived, send } = relayThat();
    const dkim = { domainName: 'contoso.example', keySelector: 'a', privateKey: DKIM_KEY };
    const info = await send({ ...everything(), dkim });
    await send({ ...everything(), dkim });
    expect(arrived[0]?.text).not.toMatch(/^DKIM-Signature:/m);
    expect(arrived[1]?.text).toBe(arrived[0]?.text);
    expect(info.relay.warnings).toMatchObject([{ code: 'HEADER_REMOVED' }]);
  });
});

const DKIM_KEY = (await import('node:crypto')).generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey;

const LARGE = Buffer.alloc(2_400_000, '%PDF-1.7\n');
const fieldsOf = ({ arrived }: { readonly arrived: readonly Arrived[] }) =>
  JSON.parse(Buffer.from(arrived[0]?.text ?? '', 'latin1').toString());

describe('a message above 3,000,000 bytes', () => {
  test('goes as fields that say the same', async () => {
    const relay = relayThat();
    const info = await relay.send({
      from: '薪資 <payroll@contoso.example>',
      to: ['"Chan, Tai Man" <ann@fabrikam.example>', 'bob@fabrikam.example'],
      cc: '陳大文 <chan@fabrikam.example>',
      bcc: 'eve@fabrikam.example',
      replyTo: 'hr@contoso.example',
      subject: '薪資單 – November',
      text: 'Größe: ✓\n'.repeat(20),
      html: '<p>Größe <img src="cid:logo@contoso"></p>',
      inReplyTo: '<q@contoso.example>',
      references: ['<p@contoso.example>', '<q@contoso.example>'],
      priority: 'high',
      list: { unsubscribe: 'https://contoso.example/u' },
      headers: { 'X-Run': 'über 7' },
      icalEvent: {
        method: 'REQUEST',
        content: 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n',
      },
      attachments: [
        { filename: '薪資單.pdf', content: Readable.from([LARGE]) },
        { filename: 'logo.png', content: Buffer.from(PNG, 'base64'), cid: 'logo@contoso' },
        {
          filename: 'note.eml',
          contentType: 'message/rfc822',
          contentDisposition: 'attachment',
          content: 'Subject: x\r\n\r\nx',
        },
      ],
      idempotencyKey: 'large',
    });
    expect(info.relay.form).toBe('json');
    expect(relay.arrived[0]?.headers['content-type']).toBe('application/json');
    expect(fieldsOf(relay)).toEqual({
      from: { name: '薪資', address: 'payroll@contoso.example' },
      to: [{ name: 'Chan, Tai Man', address: 'ann@fabrikam.example' }, { address: 'bob@fabrikam.example' }],
      cc: [{ name: '陳大文', address: 'chan@fabrikam.example' }],
      bcc: [{ address: 'eve@fabrikam.example' }],
      replyTo: [{ address: 'hr@contoso.example' }],
      messageId: info.messageId,
      inReplyTo: '<q@contoso.example>',
      references: ['<p@contoso.example>', '<q@contoso.example>'],
      importance: 'high',
      headers: {
        'X-Run': 'über 7',
        'X-Priority': '1 (Highest)',
        'X-Msmail-Priority': 'High',
        'List-Unsubscribe': '<https://contoso.example/u>',
      },
      subject: '薪資單 – November',
      text: 'Größe: ✓\n'.repeat(20),
      html: '<p>Größe <img src="cid:logo@contoso"></p>',
      calendar: {
        method: 'REQUEST',
        ics: 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n',
      },
      attachments: [
        { filename: 'logo.png', contentType: 'image/png', cid: 'logo@contoso', content: PNG },
        { filename: '薪資單.pdf', contentType: 'application/pdf', content: LARGE.toString('base64') },
        {
          filename: 'note.eml',
          contentType: 'message/rfc822',
          content: Buffer.from('Subject: x\r\n\r\nx').toString('base64'),
        },
        {
          filename: 'invite.ics',
          contentType: 'application/ics',
          content: Buffer.from(
            'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n',
          ).toString('base64'),
        },
      ],
    });
  });

  test('shows the files that its html shows, and has the others as files', async () => {
    const relay = relayThat();
    await relay.send({
      ...MAIL,
      html: '<img src="CID:One%40x">',
      attachments: [
        { filename: 'large.pdf', content: LARGE },
        { filename: 'one.png', content: PNG, cid: 'one@x', contentDisposition: 'attachment' },
        { filename: 'two.png', content: PNG, cid: 'two@x' },
        { filename: 'empty.txt', content: '' },
      ],
    });
    const files: { filename: string; cid?: string; content: string }[] = fieldsOf(relay).attachments;
    expect(files.map(({ filename, cid }) => [filename, cid])).toEqual([
      ['one.png', 'one@x'],
      ['two.png', undefined],
      ['large.pdf', undefined],
      ['empty.txt', undefined],
    ]);
    expect(files.at(-1)?.content).toBe('');
  });

  const large = { filename: 'large.pdf', content: LARGE };

  test('and of files alone has an empty text: the relay asks for one', async () => {
    const relay = relayThat();
    const { text: _, ...rest } = MAIL;
    await relay.send({ ...rest, attachments: [large] });
    expect(fieldsOf(relay)).toMatchObject({ text: '', attachments: [{ filename: 'large.pdf' }] });
  });

  test('requests the same receipts, and has the same importance', async () => {
    const relay = relayThat();
    const headers = {
      'Disposition-Notification-To': 'PAYROLL@contoso.example',
      'Return-Receipt-To': 'Payroll <payroll@contoso.example>',
      Priority: 'non-urgent',
    };
    await relay.send({ ...MAIL, headers, attachments: [large] });
    const fields = fieldsOf(relay);
    expect(fields).toMatchObject({ readReceipt: true, deliveryReceipt: true, importance: 'low' });
    expect(fields.headers).toBeUndefined();
  });

  test('has a file that is inline and that nothing shows, such as an email, as a file', async () => {
    const relay = relayThat();
    const inline = { filename: 'a.txt', contentDisposition: 'inline' as const, content: 'a' };
    const email = { filename: 'b.eml', contentType: 'message/rfc822', content: 'Subject: x\r\n\r\nx' };
    await relay.send({ ...MAIL, attachments: [large, inline, email] });
    const files: { filename: string }[] = fieldsOf(relay).attachments;
    expect(files.map(({ filename }) => filename).toSorted()).toEqual(['a.txt', 'b.eml', 'large.pdf']);
  });

  test('loses the headers that the relay removes from a whole message, with a warning', async () => {
    const relay = relayThat();
    const headers = { Received: 'from x by y', 'X-MS-Has-Attach': 'yes', 'X-Kept': '1' };
    const info = await relay.send({ ...MAIL, headers, attachments: [large] });
    expect(fieldsOf(relay).headers).toEqual({ 'X-Kept': '1' });
    expect(info.relay.warnings).toEqual([
      { code: 'HEADER_REMOVED', detail: expect.stringMatching(/: Received, X-M[Ss]-Has-Attach\.$/) },
    ]);
  });

  test('which is raw goes as fields too, and one with an envelope has its hidden recipients in bcc', async () => {
    const relay = relayThat();
    const raw =
      `From: payroll@contoso.example\r\nTo: ann@fabrikam.example\r\nSubject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${'Gr=F6=DFe '.repeat(8)}=\r\n\r\n`.concat(
        `${'x'.repeat(70)}\r\n`.repeat(42_000),
      );
    await relay.send({ raw, envelope: { to: ['ann@fabrikam.example', 'eve@fabrikam.example'] } });
    const { text, ...rest } = fieldsOf(relay);
    expect(rest).toEqual({
      from: { address: 'payroll@contoso.example' },
      to: [{ address: 'ann@fabrikam.example' }],
      bcc: [{ address: 'eve@fabrikam.example' }],
      subject: 'Größe',
    });
    expect(text.slice(0, 12)).toBe('Größe Größe ');
  });

  test.each<[string, Mail]>([
    ['`amp`', { amp: '<html amp4email></html>' }],
    ['`watchHtml`', { watchHtml: '<b>x</b>' }],
    ['`alternatives`', { alternatives: [{ contentType: 'text/x-web-markdown', content: '*x*' }] }],
    [
      'several parts of the type text/html',
      { html: '<p></p>', alternatives: [{ contentType: 'text/html', content: 'x' }] },
    ],
    ['a file without a name', { attachments: [{ filename: false, contentType: 'text/csv', content: 'a' }] }],
    ['`sender`', { sender: 'other@contoso.example' }],
    ['another address in', { headers: { 'Disposition-Notification-To': 'boss@contoso.example' } }],
    ['the header X-Receiver', { headers: { 'X-Receiver': 'eve@fabrikam.example' } }],
    ['the header X-Twice twice', { headers: { 'X-Twice': ['1', '2'] } }],
  ])('with %s is an error that names it, before anything is sent', async (what, more) => {
    const { arrived, send } = relayThat();
    const files = [{ filename: 'large.pdf', content: LARGE }, ...(more.attachments ?? [])];
    const error = await errorOf(send({ ...MAIL, ...more, attachments: files }));
    expect(error).toMatchObject({
      code: 'EMESSAGE',
      responseCode: 552,
      message: expect.stringContaining(what),
    });
    expect(arrived).toEqual([]);
  });
});

describe('what the relay does with an email', () => {
  test('tags, a time and a rule for unknown outcomes go beside the message', async () => {
    const relay = relayThat();
    const sendAt = new Date('2026-12-01T09:00:00Z');
    await relay.send({ ...MAIL, relay: { tags: ['payroll'], sendAt, onUnknown: 'hold', priority: 'bulk' } });
    const { mime, ...rest } = fieldsOf(relay);
    expect(rest).toEqual({
      tags: ['payroll'],
      sendAt: '2026-12-01T09:00:00.000Z',
      onUnknown: 'hold',
      priority: 'bulk',
    });
    expect(Buffer.from(mime, 'base64').toString()).toContain('Subject: Payslip\r\n');
  });
});

describe('as a transport of nodemailer', () => {
  test('plugins change what is sent', async () => {
    const { arrived, transporter, send } = relayThat();
    transporter.use('compile', (mail, done) => {
      mail.data.subject = 'Compiled';
      done();
    });
    transporter.use('stream', (mail, done) => {
      mail.message.setHeader('X-Streamed', 'yes');
      done();
    });
    await send();
    expect(arrived[0]?.text).toMatch(/^Subject: Compiled\r\n[\s\S]*^X-Streamed: yes\r\n/m);
  });

  test('a callback is called once, with the outcome or the error', async () => {
    const outcome = await new Promise((resolve) =>
      relayThat().transporter.sendMail(MAIL, (error, info) => resolve([error, info.response])),
    );
    expect(outcome).toEqual([null, '250 sent id-1']);
    const failure = await new Promise((resolve) =>
      relayThat([problem(400, 'MIME_INVALID')]).transporter.sendMail(MAIL, (error) => resolve(error)),
    );
    expect(failure).toMatchObject({ code: 'EMESSAGE' });
  });

  test('a hundred emails together are a hundred emails', async () => {
    const { arrived, send } = relayThat();
    const infos = await Promise.all(
      Array.from({ length: 100 }, (_, number) => send({ ...MAIL, subject: `${number}` })),
    );
    expect(new Set(infos.map(({ messageId }) => messageId)).size).toBe(100);
    expect(new Set(arrived.map(({ text }) => /^Subject: (\d+)/m.exec(text)?.[1])).size).toBe(100);
  });

  test('a signal ends it, and the error says whether the email may have been sent', async () => {
    const controller = new AbortController();
    const { arrived, send } = relayThat([
      () => {
        controller.abort();
        throw new DOMException('aborted', 'AbortError');
      },
    ]);
    const error = await errorOf(send({ ...MAIL, signal: controller.signal }));
    expect(error).toMatchObject({ name: 'AbortError', code: 'EABORT', idempotencyKey: 'made-1' });
    expect(error.message).toContain('only with the idempotencyKey');
    expect(arrived).toHaveLength(1);
  });

  test('a signal ends an email whose attachment never ends, and nothing is sent', async () => {
    const controller = new AbortController();
    const { arrived, send } = relayThat();
    const content = new Readable({ read: () => controller.abort() });
    const mail = { ...MAIL, attachments: [{ filename: 'a', content }], signal: controller.signal };
    expect(await errorOf(send(mail))).toMatchObject({
      code: 'EABORT',
      message: expect.stringContaining('Nothing was sent'),
    });
    expect(arrived).toEqual([]);
  });

  test('what is no signal of Node.js is an error before anything is sent', async () => {
    const { arrived, send } = relayThat();
    const signal = {
      aborted: false,
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    };
    const error = await errorOf(send({ ...MAIL, signal } as unknown as Mail));
    expect([error.code, arrived]).toEqual(['ECONFIG', []]);
  });

  test('it is always idle, and can be closed', () => {
    const { transporter } = relayThat();
    expect(transporter.isIdle()).toBe(true);
    transporter.close();
  });

  test.each<[string, Mail, number, string]>([
    ['a file that is not there', { attachments: [{ path: '/there/is/no/gmr_secret.pdf' }] }, 554, 'ENOENT'],
    [
      'a file that nodemailer may not read',
      { attachments: [{ path: '/etc/hosts' }], disableFileAccess: true },
      554,
      'EFILEACCESS',
    ],
    [
      'a URL that nodemailer may not read',
      { html: { href: 'https://me@fabrikam.example/gmr_secret' }, disableUrlAccess: true },
      554,
      'EURLACCESS',
    ],
    [
      'a stream that fails',
      {
        attachments: [
          {
            filename: 'a',
            content: new Readable({
              read() {
                this.destroy(new Error('ann@fabrikam.example gmr_secret'));
              },
            }),
          },
        ],
      },
      451,
      '',
    ],
  ])(
    '%s is an error before anything is sent, without the text of its cause',
    async (_case, more, responseCode, code) => {
      const { arrived, send } = relayThat();
      const error = await errorOf(send({ ...MAIL, ...more }));
      expect(error).toMatchObject({ code: 'ECOMPOSE', responseCode, cause: expect.any(Error) });
      expect(error.message).toContain('Nothing was sent');
      expect(error.message).not.toMatch(/fabrikam|secret|etc/);
      expect(String((error.cause as { code?: string }).code ?? '')).toBe(code);
      expect(arrived).toEqual([]);
    },
  );
});

describe('what responds at the address of the relay and is not the relay', () => {
  const FORGED = 'ann@fabrikam.example gmr_abcdefgh\r\n250 sent';

  test('puts no address, no key and no line break into an error', async () => {
    const problems = [{ code: 'ADDRESS_INVALID', pointer: '/to/0', received: FORGED }];
    const { send } = relayThat([problem(400, 'MAIL_INVALID', { title: FORGED, remedy: FORGED, problems })]);
    const error = await errorOf(send());
    const texts = JSON.stringify([error.message, error.response, error.problem]);
    expect(texts).not.toMatch(/fabrikam|gmr_|\\r|\\n/);
    expect(error.problem).toMatchObject({ title: '(an address) (a key) 250 sent' });
  });

  test('leaves the examples in the texts of the relay as they are', async () => {
    const { send } = relayThat([
      problem(400, 'ADDRESS_INVALID', { remedy: 'Write `Name <name@example.com>`' }),
    ]);
    const error = await send().catch((thrown) => thrown);
    expect(error.message).toContain('Write `Name <name@example.com>`.');
  });

  test.each([
    ['an id with a line break', { id: 'x\r\nBcc: y', state: 'sent' }],
    ['a state with a line break', { id: 'id-1', state: 'sent\r\n' }],
    ['no state', { id: 'id-1' }],
  ])('has not accepted an email with %s: its outcome is unknown', async (_case, body) => {
    const { send } = relayThat([accepted(200, body)]);
    expect(await errorOf(send())).toMatchObject({ code: 'EOUTCOMEUNKNOWN' });
  });

  test('gives no status that is not an address of the web', async () => {
    const { send } = relayThat([
      accepted(202, { id: 'id-1', state: 'queued', statusUrl: 'javascript:alert(1)' }),
    ]);
    expect((await send()).relay).not.toHaveProperty('statusUrl');
  });

  test('is known by the type of its problem, and the relay too, whatever else is in it', async () => {
    const { send } = relayThat([problem(400, 'MIME_INVALID', { type: 'urn:other:MIME_INVALID' })]);
    expect(await errorOf(send())).toMatchObject({ code: 'EPROTOCOL' });
    for (const [status, code] of [
      [409, 'SAFETY_SWITCHED_OFF'],
      [503, 'ANY_OTHER'],
    ] as const) {
      const busy = problem(status, code, { instance: 7 }, { 'retry-after': '5' });
      const relay = relayThat([busy, accepted()]);
      expect((await relay.send()).relay.state).toBe('sent');
      expect(relay.waits).toEqual([5_000]);
    }
  });
});

describe('verify', () => {
  test.each<[string, Partial<GraphMailRelayOptions>, string, Reply]>([
    ['a key of the relay asks for its own rules', {}, '/v1/caller', accepted(200, { name: 'payroll' })],
    [
      'a function key asks for an email that is not there',
      { key: 'function-key' },
      '/mail/01890000-0000-7000-8000-000000000000',
      problem(404, 'MAIL_NOT_FOUND'),
    ],
  ])('%s, and sends nothing', async (_case, options, path, reply) => {
    const { arrived, transporter } = relayThat([reply], options);
    expect(await transporter.verify()).toBe(true);
    expect(await new Promise((resolve) => transporter.verify((error, ok) => resolve([error, ok])))).toEqual([
      null,
      true,
    ]);
    expect(arrived[0]).toMatchObject({ method: 'GET', url: `${URL_OF_RELAY}${path}`, text: '' });
  });

  test.each<[string, Partial<GraphMailRelayOptions>, Reply, string]>([
    ['a wrong key', {}, problem(401, 'KEY_NOT_ACCEPTED'), 'EAUTH'],
    ['a wrong function key', { key: 'function-key' }, bare(401), 'EAUTH'],
    ['an address that is not of a relay', {}, bare(200, '<html>'), 'EPROTOCOL'],
    ['an address where nothing is', { key: 'function-key' }, bare(404), 'EPROTOCOL'],
    ['a relay that is not there', {}, broken({ code: 'ECONNREFUSED' }), 'ECONNECTION'],
    ['a relay that does not respond', {}, RESET, 'ECONNECTION'],
    ['a relay that failed in a way that was not foreseen', {}, problem(500, 'UNEXPECTED'), 'EMESSAGE'],
  ])('%s is an error', async (_case, options, reply, code) => {
    const error = await errorOf(relayThat([reply], options).transport.verify());
    expect(error).toMatchObject({ code, idempotencyKey: undefined });
  });
});
