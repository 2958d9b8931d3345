import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DOORS, UNLIMITED } from '../../../src/lib/callers/caller.ts';
import {
  CALLER_FIELDS,
  mergeDefinition,
  readCaller,
  readCallers,
  toDefinition,
} from '../../../src/lib/callers/caller-definition.ts';
import { callerNameFault } from '../../../src/lib/callers/caller-name.ts';
import { BUILT_IN } from '../../../src/lib/callers/known-callers.ts';

const APP = '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55';
const FUNCTION_KEY = 'key:Zk3fT0a9Qe';

const FULL = {
  name: 'payroll',
  senders: ['payroll@contoso.example', '*@service.contoso.example'],
  defaultSender: { name: 'Payroll, Contoso', address: 'payroll@contoso.example' },
  recipients: ['*@contoso.example', 'auditor@fabrikam.example'],
  mailsPerDay: 500,
  recipientsPerDay: 2000,
  maxMailBytes: 10_000_000,
  doors: ['queue'],
  reads: 'all',
  onUnknown: 'hold',
  priority: 'bulk',
  tags: ['payroll'],
  owner: 'owner@contoso.example',
  disabled: true,
  apps: [APP],
  functionKeys: [FUNCTION_KEY],
};

const problemsOf = (input: unknown) => readCaller(input).problems ?? [];
const pointersOf = (input: unknown) => problemsOf(input).map(({ pointer }) => pointer);

describe('a definition', () => {
  test('needs nothing but a name, and then limits nothing', () => {
    expect(readCaller({ name: 'payroll' })).toEqual({
      declaration: { name: 'payroll', rules: UNLIMITED, apps: [], functionKeys: [] },
    });
  });

  test('has a field for every rule', () => {
    const { declaration } = readCaller(FULL);
    expect(Object.keys(FULL)).toEqual(CALLER_FIELDS);
    expect(declaration?.rules).toMatchObject({ mailsPerDay: 500, doors: ['queue'], isDisabled: true });
    expect(toDefinition(declaration!)).toEqual(FULL);
  });

  test('says the same with null for what it does not say', () => {
    const nulls = Object.fromEntries(CALLER_FIELDS.map((field) => [field, null]));
    expect(readCaller({ ...nulls, name: 'payroll' })).toEqual(readCaller({ name: 'payroll' }));
  });

  test.each([
    ['mailsPerDay', 0, '0', 'a whole number from 1 to 10000000; to let the caller send nothing, disable it'],
    [
      'recipientsPerDay',
      1.5,
      '1.5',
      'a whole number from 1 to 10000000; to let the caller send nothing, disable it',
    ],
    ['maxMailBytes', -1, '-1', 'a whole number from 1 to 200000000'],
    [
      'mailsPerDay',
      'many',
      'text of 4 characters',
      'a whole number from 1 to 10000000; to let the caller send nothing, disable it',
    ],
    ['owner', 4711, 'number', 'one address such as name@example.com'],
  ])(
    'with a wrong %s of %j is told what was received: a number of a rule, and nothing that could be secret',
    (field, value, received, expected) => {
      expect(problemsOf({ name: 'payroll', [field]: value })).toEqual([
        { code: 'CALLER_INVALID', pointer: `/${field}`, expected, received },
      ]);
    },
  );

  test('has each entry of a list once, whatever the case of addresses and ids', () => {
    const { declaration } = readCaller({
      name: 'payroll',
      senders: ['a@contoso.example', 'A@CONTOSO.example'],
      apps: [APP, APP.toUpperCase()],
    });
    expect([declaration?.rules.senders?.length, declaration?.apps]).toEqual([1, [APP]]);
  });

  test.each<[unknown, string[]]>([
    ['payroll', ['']],
    [[], ['']],
    [{}, ['/name']],
    [{ name: 'Payroll' }, ['/name']],
    [{ name: 7, mailsPerDay: 0 }, ['/name', '/mailsPerDay']],
    [{ name: 'payroll', senders: [] }, ['/senders']],
    [{ name: 'payroll', senders: 'a@contoso.example' }, ['/senders']],
    [{ name: 'payroll', senders: ['*', 'a@contoso.example', '*@*.example'] }, ['/senders/0', '/senders/2']],
    [{ name: 'payroll', senders: Array(101).fill('a@contoso.example') }, ['/senders']],
    [{ name: 'payroll', recipients: ['contoso.example'] }, ['/recipients/0']],
    [{ name: 'payroll', defaultSender: 'nobody' }, ['/defaultSender']],
    [{ name: 'payroll', senders: ['*@a.example'], defaultSender: 'x@b.example' }, ['/defaultSender']],
    [{ name: 'payroll', mailsPerDay: '5' }, ['/mailsPerDay']],
    [{ name: 'payroll', mailsPerDay: 1.5, recipientsPerDay: -1 }, ['/mailsPerDay', '/recipientsPerDay']],
    [{ name: 'payroll', maxMailBytes: 1e12 }, ['/maxMailBytes']],
    [{ name: 'payroll', doors: ['smtp'] }, ['/doors/0']],
    [{ name: 'payroll', reads: 'everything' }, ['/reads']],
    [{ name: 'payroll', tags: ['two words'] }, ['/tags/0']],
    [{ name: 'payroll', tags: Array.from({ length: 11 }, (_, at) => `t${at}`) }, ['/tags']],
    [{ name: 'payroll', owner: 'Owner <o@contoso.example>' }, ['/owner']],
    [{ name: 'payroll', disabled: 'false' }, ['/disabled']],
    [{ name: 'payroll', apps: ['payroll-app'] }, ['/apps/0']],
    [{ name: 'payroll', functionKeys: ['the-key-itself'] }, ['/functionKeys/0']],
    [{ name: 'payroll', keys: [] }, ['/keys']],
    [{ name: 'payroll', 'someone@contoso.example': 1 }, ['']],
    [{ name: 'function-keys', apps: [APP], functionKeys: [FUNCTION_KEY] }, ['/apps', '/functionKeys']],
  ])('%j is refused where it is wrong', (input, pointers) => {
    expect(pointersOf(input)).toEqual(pointers);
    for (const { code, expected, received } of problemsOf(input))
      expect([code, expected.length > 0, received.length > 0]).toEqual(['CALLER_INVALID', true, true]);
  });

  test('is refused above 60,000 bytes in all', () => {
    const long = (at: number) =>
      `${'a'.repeat(60)}${at}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(60)}.example`;
    const lists = Array.from({ length: 100 }, (_, at) => long(at));
    expect(problemsOf({ name: 'payroll', senders: lists, recipients: lists })).toMatchObject([
      {
        pointer: '',
        expected: 'at most 60000 bytes in all',
        received: expect.stringMatching(/^\d{5} bytes$/),
      },
    ]);
  });

  test('no value of it is in a problem', () => {
    const canary = 'canary-7@contoso.example';
    const wrong = Object.fromEntries(
      [...CALLER_FIELDS, canary].map((field) => [field, [canary, { canary }]]),
    );
    const problems = problemsOf(wrong);
    expect(problems.length).toBeGreaterThan(CALLER_FIELDS.length);
    expect(JSON.stringify(problems)).not.toContain('canary');
  });

  test('is changed field by field, and null lifts a rule', () => {
    const { declaration } = readCaller(FULL);
    const changed = mergeDefinition(declaration!, { mailsPerDay: null, reads: 'own', disabled: false });
    expect(readCaller(changed).declaration?.rules).toMatchObject({ reads: 'own', recipientsPerDay: 2000 });
    expect(readCaller(changed).declaration?.rules).not.toHaveProperty('mailsPerDay');
  });
});

describe('a name', () => {
  test.each(['payroll', 'erp-test', 'a1', 'x'.repeat(40), ...BUILT_IN])('can be %s', (name) => {
    expect(callerNameFault(name)).toBeUndefined();
  });

  test.each([
    ...[
      '',
      'a',
      'x'.repeat(41),
      '1st',
      '-a',
      'a-',
      'a--b',
      'Payroll',
      'pay_roll',
      'pay roll',
      'é1',
      'payroll\n',
    ],
    ...['relay', 'poison', 'events', 'payloads', 'held', 'attachments', 'captured', 'payroll-poison'],
  ])('cannot be %j', (name) => {
    expect(callerNameFault(name)).toBeDefined();
  });
});

describe('a list of callers', () => {
  test('says of every wrong caller where it is', () => {
    const { declarations, problems } = readCallers([{ name: 'payroll' }, { name: 'ERP' }, 7]);
    expect(declarations.map(({ name }) => name)).toEqual(['payroll']);
    expect(problems.map(({ pointer }) => pointer)).toEqual(['/1/name', '/2']);
  });

  test('has no name, application or function key twice', () => {
    const claims = { apps: [APP], functionKeys: [FUNCTION_KEY] };
    const { problems } = readCallers([
      { name: 'payroll', ...claims },
      { name: 'payroll' },
      { name: 'erp', ...claims },
    ]);
    expect(problems.map(({ pointer, received }) => [pointer, received])).toEqual([
      ['/1/name', 'the same as in /0'],
      ['/2/apps/0', 'the same as in /0'],
      ['/2/functionKeys/0', 'the same as in /0'],
    ]);
  });

  test.each([{}, 'payroll', null])('%j is none', (input) => {
    expect(readCallers(input).problems).toMatchObject([{ pointer: '', expected: 'a list of callers' }]);
  });
});

describe('properties', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  const address = fc.tuple(word, word).map(([local, domain]) => `${local}@${domain}.example`);
  const pattern = fc.oneof(
    address,
    word.map((domain) => `*@${domain}.example`),
  );
  const some = <Item>(item: fc.Arbitrary<Item>, maxLength = 5) =>
    fc.uniqueArray(item, { minLength: 1, maxLength });
  const definition = fc.record(
    {
      name: fc.stringMatching(/^[a-z][a-z0-9]{1,5}-[a-z0-9]{1,5}$/).filter((name) => !callerNameFault(name)),
      senders: some(pattern),
      recipients: some(fc.oneof(pattern, fc.constant('*'))),
      mailsPerDay: fc.integer({ min: 1, max: 10_000_000 }),
      recipientsPerDay: fc.integer({ min: 1, max: 10_000_000 }),
      maxMailBytes: fc.integer({ min: 1, max: 200_000_000 }),
      doors: some(fc.constantFrom(...DOORS)),
      reads: fc.constantFrom('own', 'all'),
      onUnknown: fc.constantFrom('verify', 'hold', 'resend'),
      tags: some(word),
      owner: address,
      disabled: fc.boolean(),
      apps: some(fc.uuid()),
      functionKeys: some(fc.stringMatching(/^key:[A-Za-z0-9_-]{10}$/)),
    },
    { requiredKeys: ['name'] },
  );

  test('what is read is written as JSON that reads as the same', () => {
    fc.assert(
      fc.property(definition, (written) => {
        const { declaration, problems } = readCaller(written);
        expect(problems).toBeUndefined();
        const again = JSON.parse(JSON.stringify(toDefinition(declaration!)));
        expect(readCaller(again).declaration).toEqual(declaration);
      }),
    );
  });

  test('whatever is written, it is read or told what is wrong, and never thrown', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom(...CALLER_FIELDS), fc.anything())),
        (written) => {
          const { declaration, problems } = readCaller(written);
          expect((declaration === undefined) !== (problems === undefined)).toBe(true);
        },
      ),
    );
  });
});
