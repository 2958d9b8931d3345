import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { eventExamples, requestExamples, responseExamples } from '../scripts/openapi/examples.ts';
import { NOT_DESCRIBED, OPERATIONS } from '../scripts/openapi/operations.ts';
import { NEVER_RETURNED } from '../scripts/openapi/problem-codes.ts';
import { readApiDocument, readApiPage } from '../src/lib/api-docs/api-document.ts';
import { PAGE_SECURITY_POLICY } from '../src/lib/api-docs/page-style.ts';
import { readCaller } from '../src/lib/callers/caller-definition.ts';
import { catalogue } from '../src/lib/error-catalogue.ts';
import { parseJson, readMail } from '../src/lib/mail/read-mail.ts';
import { apiDocument, componentAt, faultsBySchema } from './support/api-schemas.ts';
import { readDocument } from './support/documents.ts';

const document = apiDocument();
const schemas = document.components?.schemas ?? {};

test('the document is valid by the schema of OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(apiDocument());
  expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
  expect(validator.version).toBe('3.1');
});

test('a linter of OpenAPI finds nothing in it', async () => {
  const config = await createConfig({
    extends: ['recommended-strict'],
    rules: {
      // A relay has the address that its operator gave it.
      'no-server-example.com': 'off',
      // GET of a page that everyone may read has no error of its own.
      'operation-4xx-response': 'off',
    },
  });
  const problems = await lintFromString({ source: readDocument('docs/openapi.json').text, config });
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual(
    [],
  );
});

test('every function with an address is in it, or named as not described', () => {
  const registered = [
    ...readDocument('src/app.ts').text.matchAll(
      /app\.http\('(\w+)', \{\s+(?:\/\/.*\s+)?methods: \[(.+)\],\s+route: '([^']+)',\s+authLevel: '(\w+)'/g,
    ),
  ];
  const described = new Map(OPERATIONS.map((one) => [one.id, one]));
  expect(registered.length).toBeGreaterThan(20);
  expect(registered.map(([, name]) => name).sort()).toEqual([...described.keys(), ...NOT_DESCRIBED].sort());
  for (const [, name = '', methods, route, level] of registered) {
    const operation = described.get(name);
    if (operation === undefined) continue;
    expect([`'${operation.method.toUpperCase()}'`, operation.path], name).toEqual([methods, `/${route}`]);
    const access = {
      function: ['function-key'],
      admin: ['master-key'],
      anonymous: ['anyone', 'key-or-token'],
    }[level ?? ''];
    expect(access, name).toContain(operation.access);
  }
});

test('every error of the catalogue is one of a call, or named as never returned', () => {
  const returned = new Set<string>(OPERATIONS.flatMap(({ problems }) => problems));
  const missing = Object.keys(catalogue).filter(
    (code) => !returned.has(code) && !NEVER_RETURNED.some((one) => one === code),
  );
  expect(missing, 'Say in scripts/openapi/problem-codes.ts which calls return these').toEqual([]);
  expect(NEVER_RETURNED.filter((code) => returned.has(code))).toEqual([]);
  expect(Object.keys(document['x-error-catalogue'] ?? {})).toEqual(Object.keys(catalogue));
});

test('no request can be filled in from its examples with two idempotency keys', () => {
  const withHeader = OPERATIONS.filter(({ parameters = [] }) =>
    parameters.some(({ name, example }) => name === 'Idempotency-Key' && example !== undefined),
  );
  expect(withHeader.map(({ id }) => id)).toEqual(['testMail']);
  for (const { id, body } of withHeader) expect(JSON.stringify(body), id).not.toContain('idempotencyKey');
});

describe('what the schema of an email allows, the relay accepts; what it forbids, the relay rejects', () => {
  const email = schemas.Email?.properties ?? {};
  const attachment = schemas.Attachment?.properties ?? {};
  const limitOf = (field: string, keyword: string): number => Number(email[field]?.[keyword]);
  const limitOfFile = (field: string): number => Number(attachment[field]?.maxLength);
  const base = { to: 'chan@contoso.example', subject: 'Hello', text: 'Hello' };
  const file = (name: string, more: object = {}) => ({ filename: name, content: 'aGVsbG8=', ...more });
  const many = <Value>(count: number, make: (index: number) => Value): readonly Value[] =>
    Array.from({ length: count }, (_, index) => make(index));
  const id = (length: number) => `<${'a'.repeat(length - 4)}@b>`;
  const withFile = (one: object) => ({ ...base, attachments: [one] });
  const inline = (cid: string) => ({
    to: base.to,
    subject: 'Hello',
    html: `<img src="cid:${cid}">`,
    attachments: [file('a.png', { cid })],
  });

  const read = (value: object): boolean => {
    try {
      readMail(parseJson(JSON.stringify(value)));
      return true;
    } catch {
      return false;
    }
  };
  const allowed = (value: object): boolean =>
    faultsBySchema(componentAt('EmailOrMessage'), value).length === 0;

  const atLimit = (make: (limit: number) => object, limit: number) => {
    expect(limit).toBeGreaterThan(0);
    return [make(limit), make(limit + 1)] as const;
  };

  test.each([
    [
      'subject',
      atLimit((length) => ({ ...base, subject: 'x'.repeat(length) }), limitOf('subject', 'maxLength')),
    ],
    [
      'tags',
      atLimit((count) => ({ ...base, tags: many(count, (at) => `t${at}`) }), limitOf('tags', 'maxItems')),
    ],
    ['a tag', atLimit((length) => ({ ...base, tags: ['t'.repeat(length)] }), 50)],
    [
      'idempotencyKey',
      atLimit(
        (length) => ({ ...base, idempotencyKey: 'k'.repeat(length) }),
        limitOf('idempotencyKey', 'maxLength'),
      ),
    ],
    [
      'inReplyTo',
      atLimit((length) => ({ ...base, inReplyTo: id(length) }), limitOf('inReplyTo', 'maxLength')),
    ],
    [
      'messageId',
      atLimit((length) => ({ ...base, messageId: id(length) }), limitOf('messageId', 'maxLength')),
    ],
    [
      'references',
      atLimit(
        (count) => ({ ...base, references: many(count, (at) => `<${at}@b>`) }),
        limitOf('references', 'maxItems'),
      ),
    ],
    [
      'attachments',
      atLimit(
        (count) => ({ ...base, attachments: many(count, (at) => file(`${at}.txt`)) }),
        limitOf('attachments', 'maxItems'),
      ),
    ],
    [
      'headers',
      atLimit(
        (count) => ({ ...base, headers: Object.fromEntries(many(count, (at) => [`x-a${at}`, 'b'])) }),
        limitOf('headers', 'maxProperties'),
      ),
    ],
    [
      'recipients',
      atLimit(
        (count) => ({ ...base, to: many(count, (at) => `a${at}@b.example`) }),
        Number(schemas.Recipients?.anyOf?.[2]?.maxItems),
      ),
    ],
    ['filename', atLimit((length) => withFile(file('f'.repeat(length))), limitOfFile('filename'))],
    [
      'contentType',
      atLimit(
        (length) => withFile(file('a.bin', { contentType: `a/${'b'.repeat(length - 2)}` })),
        limitOfFile('contentType'),
      ),
    ],
    [
      'blob',
      atLimit((length) => withFile({ filename: 'a.bin', blob: 'b'.repeat(length) }), limitOfFile('blob')),
    ],
    ['cid', atLimit((length) => inline('c'.repeat(length)), limitOfFile('cid'))],
  ])('at the limit of %s', (_, [good, bad]) => {
    expect([allowed(good), read(good)], 'at the limit').toEqual([true, true]);
    expect([allowed(bad), read(bad)], 'beyond it').toEqual([false, false]);
  });

  test.each(['importance', 'onUnknown', 'priority'])('each word of %s, and no other', (field) => {
    const words = email[field]?.enum as unknown as readonly string[];
    for (const word of words)
      expect([allowed({ ...base, [field]: word }), read({ ...base, [field]: word })]).toEqual([true, true]);
    expect([allowed({ ...base, [field]: 'other' }), read({ ...base, [field]: 'other' })]).toEqual([
      false,
      false,
    ]);
  });

  const without = (field: string) =>
    Object.fromEntries(Object.entries(base).filter(([name]) => name !== field));
  test.each([
    ['no recipient', without('to')],
    ['no subject', without('subject')],
    ['no body', without('text')],
    ['an unknown field', { ...base, subjct: 'a' }],
    ['a key with a blank', { ...base, idempotencyKey: 'a b' }],
    ['a tag with a blank', { ...base, tags: ['a b'] }],
    ['a time without its offset', { ...base, sendAt: '2026-12-01T09:00:00' }],
    ['a number as subject', { ...base, subject: 1 }],
    ['a text as boolean', { ...base, saveToSentItems: 'yes' }],
    ['a number as recipient', { ...base, to: 1 }],
    ['a recipient without an address', { ...base, to: { name: 'Chan' } }],
    ['a recipient with an unknown field', { ...base, to: { address: 'a@b.example', mail: 'a' } }],
    ['a file without content', withFile({ filename: 'a.txt' })],
    ['a file without a name', withFile({ content: 'aGVsbG8=' })],
    ['a file with content and blob', withFile(file('a.txt', { blob: 'a.txt' }))],
    ['a file with an unknown field', withFile(file('a.txt', { encoding: 'base64' }))],
    ['a method of no calendar', { ...base, calendar: { method: 'INVITE', ics: 'BEGIN:VCALENDAR' } }],
    ['a whole message with a subject', { mime: 'aGVsbG8=', subject: 'a' }],
  ])('%s is rejected by both', (_, value) => {
    expect([allowed(value), read(value)]).toEqual([false, false]);
  });

  test.each(Object.entries(requestExamples.sendMail))(
    'the example %s is accepted by both',
    (_, { value }) => {
      expect(faultsBySchema(componentAt('EmailOrMessage'), value)).toEqual([]);
      expect(read(value as object)).toBe(true);
    },
  );
});

describe('what the schema of a caller allows, the relay accepts; what it forbids, the relay rejects', () => {
  const rules = schemas.CallerDefinition?.properties ?? {};
  const read = (value: object): boolean => readCaller(value).problems === undefined;
  const allowed = (value: object): boolean =>
    faultsBySchema(componentAt('CallerDefinition'), value).length === 0;
  const named = (more: object) => ({ name: 'payroll', ...more });
  const entries: Readonly<Record<string, (at: number) => string>> = {
    senders: (at) => `a${at}@b.example`,
    recipients: (at) => `a${at}@b.example`,
    tags: (at) => `t${at}`,
    apps: (at) => `11111111-2222-3333-4444-${String(at).padStart(12, '0')}`,
    functionKeys: (at) => `key:${String(at).padStart(10, '0')}`,
  };

  test.each(Object.entries(entries))('the list %s has its limits', (field, make) => {
    const most = Number(rules[field]?.maxItems);
    const listOf = (length: number) => named({ [field]: Array.from({ length }, (_, at) => make(at)) });
    expect([allowed(listOf(most)), read(listOf(most))]).toEqual([true, true]);
    expect([allowed(listOf(most + 1)), read(listOf(most + 1))]).toEqual([false, false]);
    expect([allowed(listOf(0)), read(listOf(0))]).toEqual([false, false]);
  });

  test.each(['mailsPerDay', 'recipientsPerDay', 'maxMailBytes'])('the number %s has its limits', (field) => {
    const most = Number(rules[field]?.maximum);
    for (const [value, isGood] of [
      [1, true],
      [most, true],
      [0, false],
      [most + 1, false],
      [1.5, false],
    ] as const)
      expect([value, allowed(named({ [field]: value })), read(named({ [field]: value }))]).toEqual([
        value,
        isGood,
        isGood,
      ]);
  });

  test.each(['reads', 'onUnknown', 'priority', 'doors'])('each word of %s, and no other', (field) => {
    const isList = field === 'doors';
    const words = (isList ? rules[field]?.items?.enum : rules[field]?.enum) as unknown as readonly string[];
    for (const word of [...words, 'other']) {
      const value = named({ [field]: isList ? [word] : word });
      expect([word, allowed(value), read(value)]).toEqual([word, word !== 'other', word !== 'other']);
    }
  });

  test.each(['a', 'A', 'pay roll', 'x'.repeat(41), '-pay', 'pay--roll'])(
    'the name %s is rejected by both',
    (name) => {
      expect([allowed({ name }), read({ name })]).toEqual([false, false]);
    },
  );

  test('each example is accepted by both', () => {
    for (const { value } of Object.values(requestExamples.addCaller)) {
      expect(faultsBySchema(componentAt('CallerDefinition'), value)).toEqual([]);
      expect(read(value)).toBe(true);
    }
  });
});

test('each example of a response and an event is as its schema says', () => {
  const { status, problem, ...sent } = responseExamples;
  const pairs = [
    ...Object.values(sent).map(({ value }) => ['SendResult', value] as const),
    ['MailStatus', status.value] as const,
    ['Problem', problem.value] as const,
    ['MailEvent', eventExamples.mail.value] as const,
    ['CallerEvent', eventExamples.caller.value] as const,
  ];
  for (const [schema, value] of pairs)
    expect([schema, faultsBySchema(componentAt(schema), value)]).toEqual([schema, []]);
});

describe('the page of the API', () => {
  test('shows every call, schema and error, and each link within it leads somewhere', async () => {
    const { text } = await readApiPage();
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(
      expect.arrayContaining([
        ...OPERATIONS.map(({ id }) => id),
        ...Object.keys(schemas).map((name) => `schema-${name}`),
        ...Object.keys(catalogue).map((code) => `error-${code}`),
      ]),
    );
    const links = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(links.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test('has no script and nothing of another host, and its policy allows only its own style', async () => {
    const { text } = await readApiPage();
    expect(text).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|\bstyle="|url\(|@import/i);
    expect([...text.matchAll(/(?:href|src)="(?!#)([^"]+)"/g)].map(([, target]) => target)).toEqual([
      'openapi.json',
    ]);
    expect(PAGE_SECURITY_POLICY).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+';/);
  });

  test('shows a text of the document as text', async () => {
    const { toApiPage } = await import('../src/lib/api-docs/api-page.ts');
    const page = toApiPage({
      ...(document as unknown as Parameters<typeof toApiPage>[0]),
      info: { title: '<b>&"', version: '1', summary: '`<i>`', description: '' },
    });
    expect(page).toContain('<title>API of &lt;b&gt;&amp;&quot;</title>');
    expect(page).toContain('<code>&lt;i&gt;</code>');
  });
});

test('what is served is the document of the repository', async () => {
  const { text, etag } = await readApiDocument();
  expect(JSON.parse(text)).toEqual(JSON.parse(readDocument('docs/openapi.json').text));
  expect(etag).toMatch(/^"[\w-]{22}"$/);
});
