import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Inbox, startInbox } from '../../../local/inbox/inbox-server.ts';
import { type MailStore, openMailStore } from '../../../local/inbox/mail-store.ts';
import { mailIdIn } from '../../../local/inbox/relay-mails.ts';
import { RELAY_ID_PROPERTY } from '../../../src/lib/sending/json-message.ts';
import { aCapturedMail } from './captured-mails.ts';
import { standInRelay } from './stand-in-relay.ts';

const HELD = '01a2055c-e268-762b-8556-1836e3fff5b7';
const LATER = '01a2055c-ffff-762b-8556-1836e3fff5b7';
const firstMail = { endpoint: '', functionKey: '', curl: '' };

/** What the ledger of the stand-in says. */
let ledger: Map<string, { readonly state: string; readonly tags?: readonly string[] }>;
let asked: Awaited<ReturnType<typeof standInRelay>>['asked'];
let store: MailStore;
let inbox: Inbox;

const statusOf = (id: string) => ({
  id,
  sender: 'payroll@contoso.example',
  recipients: 1,
  tags: [],
  caller: 'payroll',
  acceptedAt: '2026-03-02T01:30:00.000Z',
  updatedAt: '2026-03-02T01:30:00.000Z',
  timeline: [],
  ...ledger.get(id),
});

beforeEach(async () => {
  ledger = new Map([[HELD, { state: 'held' }]]);
  const standIn = await standInRelay(({ method, url }) => {
    const { pathname, searchParams } = new URL(url, 'http://relay');
    const id = searchParams.get('id') ?? /^\/api\/mail\/([^/]+)/.exec(pathname)?.[1];
    if (id !== undefined && !ledger.has(id))
      return { status: 404, body: { title: 'There is no such email.' } };
    if (method === 'POST' && pathname.endsWith('/replay')) ledger.set(id ?? '', { state: 'queued' });
    if (method === 'POST' && pathname.endsWith('/close')) ledger.set(id ?? '', { state: 'closed' });
    if (method === 'DELETE')
      return { status: 409, body: { title: 'It no longer waits.', detail: 'It is held.' } };
    if (id !== undefined) return { status: 200, body: statusOf(id) };
    const ids = [...ledger.keys()].filter((one) => ledger.get(one)?.state === searchParams.get('state'));
    // A page has one email, and says where the next begins.
    const at = Number(searchParams.get('after') ?? 0);
    const next = at + 1 < ids.length ? { next: String(at + 1) } : {};
    return { status: 200, body: { mails: ids.slice(at, at + 1).map(statusOf), ...next } };
  });
  asked = standIn.asked;
  store = await openMailStore();
  inbox = await startInbox({ store, port: 0, firstMail, relay: standIn.relay });
});
afterEach(() => inbox.close());

const ask = (path: string, options: RequestInit = {}) => fetch(`${inbox.url}${path}`, options);
const waiting = async () => {
  const { mails } = (await (await ask('/relay/waiting')).json()) as {
    readonly mails: readonly { readonly id: string; readonly state: string }[];
  };
  return mails.map(({ id, state }) => `${id} ${state}`);
};

describe('the emails that wait or are held', () => {
  test('are listed from the ledger of the relay, page by page, with the key that the inbox has', async () => {
    const states = ['queued', 'sending', 'deferred', 'unknown', 'held', 'sent', 'closed'];
    ledger = new Map(states.map((state, n) => [`01a2055c-e268-762b-8556-00000000000${n}`, { state }]));
    ledger.set(HELD, { state: 'held' });
    expect((await waiting()).map((mail) => mail.split(' ')[1])).toEqual([
      'held',
      'held',
      'unknown',
      'deferred',
      'sending',
      'queued',
    ]);
    expect(new Set(asked.map(({ key }) => key))).toEqual(new Set(['master-key']));
  });

  test('are listed once; after that only emails of which something was heard are read', async () => {
    await waiting();
    const before = asked.length;
    expect(await waiting()).toEqual([`${HELD} held`]);
    expect(asked.length).toBe(before);
    ledger.set(LATER, { state: 'queued' });
    inbox.noticed(LATER);
    expect(await waiting()).toEqual([`${LATER} queued`, `${HELD} held`]);
    expect(asked.slice(before).map(({ url }) => url)).toEqual([`/api/mail?id=${LATER}`]);
  });

  test('leave the list when they end', async () => {
    await waiting();
    ledger.set(HELD, { state: 'sent' });
    inbox.noticed(HELD);
    expect(await waiting()).toEqual([]);
  });

  test('are not kept out of the list by one that the ledger does not have', async () => {
    inbox.noticed(LATER);
    expect(await waiting()).toEqual([`${HELD} held`]);
  });

  test('are shown to pages that are open when they change', async () => {
    const stream = await ask('/events');
    const reader = (stream.body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream())
      .getReader();
    inbox.noticed(HELD);
    let told = '';
    while (!told.includes('data:')) told += (await reader.read()).value;
    expect(told).toContain('data: {"kind":"relay"}\n\n');
  });
});

describe('an operator', () => {
  test('replays and closes with the master key, and sees the new state', async () => {
    await waiting();
    expect((await ask(`/relay/mail/${HELD}/replay`, { method: 'POST' })).status).toBe(200);
    expect(await waiting()).toEqual([`${HELD} queued`]);
    const note = JSON.stringify({ note: 'found in Sent Items' });
    expect((await ask(`/relay/mail/${HELD}/close`, { method: 'POST', body: note })).status).toBe(200);
    expect(await waiting()).toEqual([]);
    expect(asked.filter(({ method }) => method === 'POST')).toEqual([
      { method: 'POST', url: `/api/mail/${HELD}/replay`, key: 'master-key', body: undefined },
      {
        method: 'POST',
        url: `/api/mail/${HELD}/close`,
        key: 'master-key',
        body: { note: 'found in Sent Items' },
      },
    ]);
  });

  test('cancels with the function key, as a caller does, and learns why that is not possible', async () => {
    const answer = await ask(`/relay/mail/${HELD}`, { method: 'DELETE' });
    expect([answer.status, await answer.json()]).toEqual([
      409,
      { Error: 'It no longer waits.\nIt is held.' },
    ]);
    expect(asked.at(-1)).toMatchObject({ method: 'DELETE', key: 'function-key' });
  });

  test('is never a page of others: it sends and closes nothing', async () => {
    const calls = [
      ['POST', `/relay/mail/${HELD}/replay`],
      ['POST', `/relay/mail/${HELD}/close`],
      ['DELETE', `/relay/mail/${HELD}`],
    ] as const;
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'same-site' },
    ])
      for (const [method, path] of calls) {
        const body = method === 'POST' ? { body: '{"note":"x"}' } : {};
        expect((await ask(path, { method, headers, ...body })).status).toBe(403);
      }
    expect(asked).toEqual([]);
  });

  test.each(['/relay/mail/..%2f..%2fadmin/replay', '/relay/mail/a%3Fb/replay'])(
    'reaches no other call of the relay by %s',
    async (path) => {
      await ask(path, { method: 'POST' });
      for (const { url } of asked) expect(url).toMatch(/^\/api\/mail\/[^/?]+\/replay$/);
    },
  );
});

describe('an email in the inbox', () => {
  const paySlip = aCapturedMail({
    id: 'pay-slip',
    message: { singleValueExtendedProperties: [{ id: RELAY_ID_PROPERTY, value: LATER }] },
  });

  test('has the tags and the caller that the relay knows, for the search right after it was captured', async () => {
    ledger.set(LATER, { state: 'sent', tags: ['monthly'] });
    await store.capture(paySlip);
    const found = await (await ask('/api/v1/search?query=tag:monthly')).json();
    expect(found).toMatchObject({ messages: [{ ID: 'pay-slip', Tags: ['monthly'], Read: false }] });
    expect(await (await ask('/api/v1/message/pay-slip/graph')).json()).toMatchObject({ caller: 'payroll' });
  });

  test('is there without them if the relay does not know it', async () => {
    ledger.delete(LATER);
    await store.capture(paySlip);
    expect(await (await ask('/api/v1/messages')).json()).toMatchObject({
      messages: [{ ID: 'pay-slip', Tags: [] }],
    });
  });
});

test('the id of an email is read from the events of its life in the log of the host, and from nothing else', () => {
  const line = (event: string) =>
    `2026-11-26T14:17:38.945Z Information Function.deliverMail.User abc: {"event":"${event}","mailId":"${HELD}","attempts":1}`;
  expect(mailIdIn(line('MailHeld'))).toBe(HELD);
  expect(mailIdIn(line('SweepFailed'))).toBeUndefined();
  expect(mailIdIn('2026-11-26T14:17:38.945Z Information Host: started')).toBeUndefined();
});
