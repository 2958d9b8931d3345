import { HttpRequest, type HttpRequestInit, type HttpResponseInit } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import {
  addCallerHttp,
  changeCallerHttp,
  listAuditHttp,
  listCallersHttp,
  makeCallerKeyHttp,
  removeCallerHttp,
  revokeCallerKeyHttp,
  showCallerHttp,
} from '../../src/functions/callers.http.ts';
import { UNLIMITED } from '../../src/lib/callers/caller.ts';
import { type Declaration, readCaller } from '../../src/lib/callers/caller-definition.ts';
import { isKey, readKey } from '../../src/lib/callers/caller-key.ts';
import { FUNCTION_KEYS, makeKnownCallers } from '../../src/lib/callers/known-callers.ts';
import { combineCallers, declaredOf } from '../../src/lib/callers/stored-caller.ts';
import { callerOfKey } from '../../src/lib/ledger/identity.ts';
import type { LogEvent } from '../../src/lib/log.ts';
import { makeFakeCallerStore } from '../support/fake-caller-store.ts';
import { bodyOf, invocation } from './invocation.ts';

const SENDER = 'payroll@contoso.example';
const APP = '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55';
const THE_KEY = 'canary-function-key';

type Answer = { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers };

/** A relay with the calls of an operator. */
const aDesk = (
  inSettings: readonly object[] = [],
  more: { readonly recipientDomains?: readonly string[] } = {},
) => {
  const store = makeFakeCallerStore();
  const declared = inSettings.map((one): Declaration => readCaller(one).declaration!);
  const logged: LogEvent[] = [];
  let now = Date.parse('2026-03-02T08:00:00Z');
  let forgotten = 0;
  const needs = (log: (event: LogEvent) => void) => ({
    ...more,
    callerStore: store,
    declaredInSettings: () => declared,
    senderPolicy: () => ({
      defaultSender: { address: 'noreply@contoso.example' },
      allowedSenders: [SENDER, '*@service.contoso.example'],
    }),
    forgetCallers: () => {
      forgotten += 1;
    },
    clock: {
      now: () => {
        now += 1000;
        return new Date(now);
      },
      sleep: async () => undefined,
    },
    log: (event: LogEvent) => {
      logged.push(event);
      log(event);
    },
  });
  const run = async (
    handler: ReturnType<typeof listCallersHttp>,
    init: HttpRequestInit,
    body?: unknown,
  ): Promise<Answer> => {
    const request = new HttpRequest({
      url: 'https://relay.contoso.example/api/callers',
      ...init,
      ...(body === undefined ? {} : { body: { string: JSON.stringify(body) } }),
      headers: { 'content-type': 'application/json', ...init.headers },
    });
    const answer = (await handler(request, invocation().context)) as HttpResponseInit;
    const headers = new Headers(answer.headers as Record<string, string>);
    expect(headers.get('cache-control'), 'belongs in no cache').toBe('no-store');
    return { status: answer.status ?? 200, body: bodyOf(answer), headers };
  };
  return {
    store,
    logged,
    forgotten: () => forgotten,
    list: () => run(listCallersHttp(needs), { method: 'GET' }),
    show: (name: string) => run(showCallerHttp(needs), { method: 'GET', params: { name } }),
    add: (definition: unknown, headers: Record<string, string> = {}) =>
      run(addCallerHttp(needs), { method: 'POST', headers }, definition),
    change: (name: string, change: unknown, headers: Record<string, string> = {}) =>
      run(changeCallerHttp(needs), { method: 'PATCH', params: { name }, headers }, change),
    remove: (name: string) => run(removeCallerHttp(needs), { method: 'DELETE', params: { name } }),
    makeKey: (name: string) => run(makeCallerKeyHttp(needs), { method: 'POST', params: { name } }),
    revoke: (name: string, id: string) =>
      run(revokeCallerKeyHttp(needs), { method: 'DELETE', params: { name, id } }),
    audit: (query: Record<string, string> = {}) => run(listAuditHttp(needs), { method: 'GET', query }),
    /** Who is known to the instances now. */
    known: async () => makeKnownCallers(declaredOf(combineCallers(declared, await store.read()))),
  };
};

const codeOf = ({ status, body }: Answer) => [status, body.code];
const auditOf = async (desk: ReturnType<typeof aDesk>) =>
  (await desk.audit()).body.entries as readonly Record<string, unknown>[];

describe('before anybody declares a caller', () => {
  test('two exist by themselves, and are shown as open, with who that is', async () => {
    expect((await aDesk().list()).body.callers).toMatchObject([
      {
        name: 'function-keys',
        declaredIn: 'built-in',
        open: true,
        meaning: expect.stringContaining('every'),
      },
      { name: 'queue', declaredIn: 'built-in', open: true },
    ]);
  });

  test('each can be limited, disabled and enabled, and no longer counts as open', async () => {
    const desk = aDesk();
    const { body } = await desk.change('function-keys', { senders: [SENDER], mailsPerDay: 10 });
    expect(body).toMatchObject({ declaredIn: 'built-in', senders: [SENDER], mailsPerDay: 10 });
    expect(body).not.toHaveProperty('open');
    await desk.change('function-keys', { disabled: true });
    expect((await desk.known()).withFunctionKey('key:any').rules.isDisabled).toBe(true);
    await desk.change('function-keys', { disabled: false, senders: null, mailsPerDay: null });
    expect((await desk.known()).withFunctionKey('key:any').rules).toEqual(UNLIMITED);
    expect((await auditOf(desk)).map(({ action }) => action)).toEqual(['changed', 'disabled', 'changed']);
  });

  test('they cannot be added, removed, or have keys', async () => {
    const desk = aDesk();
    for (const name of ['function-keys', 'queue']) {
      expect(codeOf(await desk.add({ name }))).toEqual([409, 'CALLER_BUILT_IN']);
      expect(codeOf(await desk.remove(name))).toEqual([409, 'CALLER_BUILT_IN']);
      expect(codeOf(await desk.makeKey(name))).toEqual([409, 'CALLER_BUILT_IN']);
      expect(codeOf(await desk.change(name, { functionKey: THE_KEY }))).toEqual([400, 'CALLER_INVALID']);
    }
  });
});

describe('a caller that is added', () => {
  test('gets a key, which works and is shown this once', async () => {
    const desk = aDesk();
    const added = await desk.add({ name: 'payroll', senders: [SENDER], owner: 'owner@contoso.example' });
    expect(added.status).toBe(201);
    const key = String(added.body.key);
    const { id = '' } = readKey(key) ?? {};
    const found = (await desk.known()).withKey(id)!;
    expect([found.caller.name, isKey(found.key, readKey(key)!)]).toEqual(['payroll', true]);
    expect((await desk.show('payroll')).body.keys).toEqual([{ id, createdAt: expect.any(String) }]);
    const everything = [await desk.show('payroll'), await desk.list(), await desk.audit(), desk.logged];
    const secret = readKey(key)?.secret ?? key;
    expect(JSON.stringify([everything, await desk.store.read()])).not.toContain(secret);
    expect(JSON.stringify(everything)).not.toContain(found.key.hash);
    expect(desk.forgotten(), 'this instance knows it immediately').toBe(1);
  });

  test('with an owner whom the settings keep emails from says so, as does a change', async () => {
    const desk = aDesk([], { recipientDomains: ['*@contoso.example'] });
    const outside = { owner: 'owner@fabrikam.example' };
    const inside = { owner: 'owner@contoso.example' };
    const told = [
      (await desk.add({ name: 'payroll', senders: [SENDER], ...outside })).body.caller,
      (await desk.change('payroll', inside)).body,
      (await desk.change('payroll', outside)).body,
    ];
    expect(told.map((caller) => Object(caller).ownerOutsideDomains)).toEqual([true, undefined, true]);
    const open = aDesk();
    const { body } = await open.add({ name: 'payroll', senders: [SENDER], ...outside });
    expect(body.caller).not.toHaveProperty('ownerOutsideDomains');
  });

  test.each([
    ['an application in Entra', { apps: [APP] }],
    ['a function key', { functionKey: THE_KEY }],
    ['only the queue', { doors: ['queue'] }],
  ])('with %s gets no key that nobody needs', async (_what, more) => {
    const desk = aDesk();
    const { status, body } = await desk.add({ name: 'payroll', ...more });
    expect([status, body.key]).toEqual([201, undefined]);
  });

  test('has a function key by its hash, and the emails that were sent with it', async () => {
    const desk = aDesk();
    const { body } = await desk.add({ name: 'payroll', functionKey: THE_KEY });
    const name = callerOfKey(THE_KEY);
    expect(body.caller).toMatchObject({ functionKeys: [name] });
    const caller = (await desk.known()).withFunctionKey(name);
    expect([caller.name, caller.earlierNames]).toEqual(['payroll', [name]]);
    await desk.change('payroll', { functionKey: 'another' });
    expect((await desk.show('payroll')).body.functionKeys).toEqual([name, callerOfKey('another')]);
    const all = [await desk.list(), await desk.audit(), desk.logged, await desk.store.read()];
    expect(JSON.stringify(all)).not.toContain(THE_KEY);
  });

  test.each<[string, unknown, string]>([
    ['a sender outside of the settings', { senders: ['hr@contoso.example'] }, '/senders/0'],
    ['a domain outside of the settings', { senders: ['*@contoso.example'] }, '/senders/0'],
    ['a default sender outside of the settings', { defaultSender: 'hr@contoso.example' }, '/defaultSender'],
    ['a function key that is empty', { functionKey: '' }, '/functionKey'],
    ['a key of the relay as function key', { functionKey: 'gmr_a_b' }, '/functionKey'],
    ['a name that queues cannot have', { name: 'Pay_Roll' }, '/name'],
    ['a field that nobody knows', { quota: 5 }, '/quota'],
  ])('is refused with %s, and nothing is written', async (_what, wrong, pointer) => {
    const desk = aDesk();
    const answer = await desk.add({ name: 'payroll', ...(wrong as object) });
    expect(codeOf(answer)).toEqual([400, 'CALLER_INVALID']);
    expect(answer.body.problems).toMatchObject([{ pointer }]);
    expect((await desk.store.read()).callers).toEqual([]);
  });

  test('can have the default sender and a domain as the settings have them', async () => {
    const senders = ['noreply@CONTOSO.example', '*@Service.contoso.example', 'x@service.contoso.example'];
    expect((await aDesk().add({ name: 'payroll', senders })).status).toBe(201);
  });

  test('has a name, applications and function keys that no other has', async () => {
    const desk = aDesk();
    await desk.add({ name: 'payroll', apps: [APP], functionKey: THE_KEY });
    expect(codeOf(await desk.add({ name: 'payroll' }))).toEqual([409, 'CALLER_EXISTS']);
    const taken = await desk.add({ name: 'erp', apps: [APP.toUpperCase()] });
    expect(codeOf(taken)).toEqual([409, 'CALLER_CREDENTIAL_TAKEN']);
    expect(taken.body.detail).toContain('payroll');
    await desk.add({ name: 'erp' });
    expect(codeOf(await desk.change('erp', { functionKey: THE_KEY }))).toEqual([
      409,
      'CALLER_CREDENTIAL_TAKEN',
    ]);
    expect(codeOf(await desk.change('payroll', { apps: [APP] }))).toEqual([200, undefined]);
  });
});

describe('a change', () => {
  test('is of the fields that it names, null lifts a rule, and the trail has both values', async () => {
    const desk = aDesk();
    await desk.add({ name: 'payroll', senders: [SENDER], mailsPerDay: 5 });
    await desk.change(
      'payroll',
      { mailsPerDay: 7, tags: ['pay'] },
      { 'x-changed-by': encodeURIComponent('陳大文') },
    );
    const { body } = await desk.change('payroll', { senders: null });
    expect(body).toMatchObject({ mailsPerDay: 7, tags: ['pay'] });
    expect(body).not.toHaveProperty('senders');
    expect(await auditOf(desk)).toMatchObject([
      { action: 'changed', changes: [{ field: 'senders', from: [SENDER] }] },
      {
        action: 'changed',
        with: 'master key',
        by: '陳大文',
        changes: [
          { field: 'mailsPerDay', from: 5, to: 7 },
          { field: 'tags', to: ['pay'] },
        ],
      },
      { action: 'added', caller: 'payroll' },
    ]);
  });

  test('that changes nothing is in no trail', async () => {
    const desk = aDesk();
    await desk.add({ name: 'payroll', mailsPerDay: 5 });
    expect((await desk.change('payroll', { mailsPerDay: 5 })).status).toBe(200);
    expect(await auditOf(desk)).toHaveLength(1);
  });

  test.each([
    ['no field', {}],
    ['another name', { name: 'erp' }],
    ['a wrong value', { mailsPerDay: 0 }],
    ['no object', []],
    ['a sender outside of the settings', { senders: ['hr@contoso.example'] }],
  ])('with %s is refused', async (_what, change) => {
    const desk = aDesk();
    await desk.add({ name: 'payroll' });
    expect(codeOf(await desk.change('payroll', change))).toEqual([400, 'CALLER_INVALID']);
    expect(await auditOf(desk)).toHaveLength(1);
  });

  test('of a caller that somebody has changed since it was looked at is refused', async () => {
    const desk = aDesk();
    await desk.add({ name: 'payroll' });
    const etag = (await desk.show('payroll')).headers.get('etag') ?? '';
    const first = await desk.change('payroll', { mailsPerDay: 5 }, { 'if-match': etag });
    expect(first.status).toBe(200);
    expect(codeOf(await desk.change('payroll', { mailsPerDay: 9 }, { 'if-match': etag }))).toEqual([
      409,
      'CALLER_CHANGED',
    ]);
    const next = first.headers.get('etag') ?? '';
    expect((await desk.change('payroll', { mailsPerDay: 9 }, { 'if-match': next })).status).toBe(200);
  });

  test('of two operators at the same time, one is refused and told so', async () => {
    const desk = aDesk();
    const answers = await Promise.all([
      desk.change('queue', { mailsPerDay: 5 }),
      desk.change('function-keys', { mailsPerDay: 9 }),
    ]);
    expect(answers.map(codeOf).toSorted()).toEqual([
      [200, undefined],
      [409, 'CALLER_CHANGED'],
    ]);
  });

  test.each(['%', '%0A', encodeURIComponent('x'.repeat(101)), encodeURIComponent('a\u202eb'), ' %20 '])(
    'by %j is refused: who it was must be readable',
    async (by) => {
      const answer = await aDesk().change('queue', { mailsPerDay: 5 }, { 'x-changed-by': by });
      expect(codeOf(answer)).toEqual([400, 'CHANGED_BY_INVALID']);
    },
  );
});

describe('keys', () => {
  test('are two at most, so that one can take the place of the other, and each can be revoked', async () => {
    const desk = aDesk();
    const first = readKey(String((await desk.add({ name: 'payroll' })).body.key))?.id ?? '';
    const made = await desk.makeKey('payroll');
    const second = String(made.body.id);
    expect(made).toMatchObject({ status: 201, body: { keys: [{ id: first }, { id: second }] } });
    const third = await desk.makeKey('payroll');
    expect(codeOf(third)).toEqual([409, 'CALLER_KEYS_FULL']);
    expect(third.body.detail).toContain(first);
    expect((await desk.revoke('payroll', first)).body.keys).toMatchObject([{ id: second }]);
    const known = await desk.known();
    expect([known.withKey(first), known.withKey(second)?.caller.name]).toEqual([undefined, 'payroll']);
    expect(codeOf(await desk.revoke('payroll', first))).toEqual([404, 'CALLER_KEY_NOT_FOUND']);
    expect(await auditOf(desk)).toMatchObject([
      { action: 'key-revoked', keyId: first },
      { action: 'key-made', keyId: second },
      { action: 'added', keyId: first },
    ]);
  });
});

describe('a caller that is removed', () => {
  test('is unknown, with its keys, and its function key is that of anybody again', async () => {
    const desk = aDesk();
    await desk.add({ name: 'payroll', functionKey: THE_KEY });
    expect((await desk.remove('payroll')).body).toEqual({ name: 'payroll', removed: true });
    const known = await desk.known();
    expect([known.named('payroll'), known.withFunctionKey(callerOfKey(THE_KEY)).knownAs]).toEqual([
      undefined,
      FUNCTION_KEYS,
    ]);
    for (const answer of [
      await desk.show('payroll'),
      await desk.change('payroll', { disabled: true }),
      await desk.makeKey('payroll'),
      await desk.revoke('payroll', 'x'),
      await desk.remove('payroll'),
    ])
      expect(codeOf(answer)).toEqual([404, 'CALLER_NOT_FOUND']);
    expect((await desk.audit({ caller: 'payroll' })).body.entries).toHaveLength(2);
  });
});

describe('a caller of the settings', () => {
  test('has its rules there, and its keys here', async () => {
    const desk = aDesk([{ name: 'payroll', mailsPerDay: 5 }]);
    expect((await desk.show('payroll')).body).toMatchObject({
      declaredIn: 'settings',
      mailsPerDay: 5,
      keys: [],
    });
    for (const answer of [
      await desk.add({ name: 'payroll' }),
      await desk.change('payroll', { mailsPerDay: 9 }),
      await desk.change('payroll', { mailsPerDay: 9, disabled: true }),
      await desk.remove('payroll'),
    ])
      expect(codeOf(answer)).toEqual([409, 'CALLER_DECLARED_IN_SETTINGS']);
    const { body } = await desk.makeKey('payroll');
    const found = (await desk.known()).withKey(String(body.id));
    expect(found?.caller).toMatchObject({ name: 'payroll', rules: { mailsPerDay: 5 } });
    expect((await desk.revoke('payroll', String(body.id))).body).toMatchObject({ mailsPerDay: 5, keys: [] });
  });

  test('can be disabled here in an emergency, and enabled unless the settings disable it', async () => {
    const desk = aDesk([{ name: 'payroll' }, { name: 'erp', disabled: true }]);
    expect((await desk.change('payroll', { disabled: true })).body).toMatchObject({ disabled: true });
    expect((await desk.known()).named('payroll')?.rules.isDisabled).toBe(true);
    expect((await desk.change('payroll', { disabled: false })).body).not.toHaveProperty('disabled');
    expect(codeOf(await desk.change('erp', { disabled: false }))).toEqual([
      409,
      'CALLER_DECLARED_IN_SETTINGS',
    ]);
    expect((await auditOf(desk)).map(({ action }) => action)).toEqual(['enabled', 'disabled']);
  });

  test('that they no longer declare keeps its keys, which open nothing, until it is removed', async () => {
    const before = aDesk([{ name: 'payroll' }]);
    const { body } = await before.makeKey('payroll');
    const after = aDesk();
    const { version } = await after.store.readForChange();
    const [kept] = (await before.store.read()).callers;
    const entry = { at: '', with: 'master key', caller: 'payroll', action: 'added', changes: [] } as const;
    await after.store.write({ caller: kept! }, entry, version);
    expect((await after.show('payroll')).body).toMatchObject({ declaredIn: 'nowhere' });
    expect((await after.known()).withKey(String(body.id))).toBeUndefined();
    expect(codeOf(await after.add({ name: 'payroll' }))).toEqual([409, 'CALLER_EXISTS']);
    expect(codeOf(await after.makeKey('payroll'))).toEqual([404, 'CALLER_NOT_FOUND']);
    expect(codeOf(await after.change('payroll', { mailsPerDay: 5 }))).toEqual([404, 'CALLER_NOT_FOUND']);
    expect((await after.remove('payroll')).status).toBe(200);
    expect((await after.add({ name: 'payroll' })).status).toBe(201);
  });
});

describe('a caller that cannot be read', () => {
  test('is refused, is shown as that, and can be removed and added again', async () => {
    const desk = aDesk();
    await desk.add({ name: 'payroll' });
    await desk.add({ name: 'erp' });
    desk.store.spoil('payroll');
    expect((await desk.show('payroll')).body).toMatchObject({ declaredIn: 'unreadable' });
    const known = await desk.known();
    expect([known.named('payroll')?.rules.isDisabled, known.named('erp')?.rules.isDisabled]).toEqual([
      true,
      false,
    ]);
    expect(codeOf(await desk.change('payroll', { disabled: false }))).toEqual([500, 'CALLER_UNREADABLE']);
    expect(codeOf(await desk.makeKey('payroll'))).toEqual([500, 'CALLER_UNREADABLE']);
    await desk.remove('payroll');
    expect((await desk.add({ name: 'payroll' })).status).toBe(201);
  });

  test('closes the door that it stands for, until an operator opens it', async () => {
    const desk = aDesk();
    await desk.change('function-keys', { mailsPerDay: 5 });
    desk.store.spoil('function-keys');
    expect((await desk.known()).withFunctionKey('key:any').rules.isDisabled).toBe(true);
    expect(codeOf(await desk.remove('function-keys'))).toEqual([409, 'CALLER_BUILT_IN']);
    await desk.change('function-keys', { mailsPerDay: 7 });
    expect((await desk.known()).withFunctionKey('key:any').rules).toMatchObject({
      isDisabled: true,
      mailsPerDay: 7,
    });
    await desk.change('function-keys', { disabled: false });
    expect((await desk.known()).withFunctionKey('key:any').rules.isDisabled).toBe(false);
  });
});

test.each<[Record<string, string>, string]>([
  [{ caller: '' }, 'Expected in `caller`'],
  [{ name: 'payroll' }, 'Expected no parameters other than caller and after'],
  [{ after: 'garbage' }, 'Expected in `after` the `next`'],
])('the trail is not asked by %j', async (query, detail) => {
  const answer = await aDesk().audit(query);
  expect(codeOf(answer)).toEqual([400, 'QUERY_INVALID']);
  expect(answer.body.detail).toContain(detail);
});

test('the trail is read a page at a time', async () => {
  const desk = aDesk();
  for (let at = 1; at <= 101; at += 1) await desk.change('queue', { mailsPerDay: at });
  const first = await desk.audit();
  const last = await desk.audit({ after: String(first.body.next) });
  expect([(first.body.entries as unknown[]).length, last.body]).toMatchObject([
    100,
    { entries: [{ changes: [{ to: 1 }] }] },
  ]);
  expect(last.body).not.toHaveProperty('next');
});
