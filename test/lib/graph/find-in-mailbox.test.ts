import { expect, test } from 'vitest';
import type { FaultRuleInput } from '../../../local/graph/fault-rules.ts';
import type { GraphOptions } from '../../../local/graph/graph-server.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { openMailboxSearch } from '../../../src/lib/graph/find-in-mailbox.ts';
import { openGraphMail } from '../../../src/lib/graph/graph-mail.ts';
import type { MailMark } from '../../../src/lib/ports.ts';
import { graphForTests, tokenWith } from '../../local/graph/graph-for-tests.ts';
import { aMail } from '../../support/a-mail.ts';
import { directPlanOf } from '../../support/a-plan.ts';
import { graphCall, MAILBOX } from './graph-call-for-tests.ts';

type CallFault = Exclude<FaultRuleInput, { on: 'connect' }>['fault'];

const MAIL_ID = '01a20556-8aab-77d5-aa30-5d8c2af8cc90';
/** What went as JSON in one request. */
const OF_JSON = { by: 'property', inDrafts: true } as const;
const OTHER_ID = '01a20556-8aab-77d5-aa30-5d8c2af8cc91';
/** As Graph made it. */
const MESSAGE_ID = expect.stringMatching(/^<.+@.+>$/);
const FOUND = { kind: 'found', internetMessageId: MESSAGE_ID, from: MAILBOX };
const NOW = new Date('2026-03-02T08:00:00Z');

/** The roles are what the look-up may do; sending is always allowed. */
const mailbox = async ({
  roles = ['Mail.Send', 'Mail.Read'],
  timeoutMs = 30_000,
  ...options
}: Partial<GraphOptions> & { roles?: string[]; timeoutMs?: number } = {}) => {
  const graph = await graphForTests(options);
  const readToken = () => tokenWith({ roles });
  const search = openMailboxSearch(graphCall(graph.url, { readToken, timeoutMs }), () => NOW);
  const find = (of: string, mailId: string, mark: MailMark = OF_JSON) => search(of, mailId, mark);
  const send = async (id: string, override = {}) =>
    openGraphMail(graphCall(graph.url))(await directPlanOf(id, { address: MAILBOX }, aMail(override)));
  return { graph, find, send };
};

test('a mail that was sent is found by the property it carries, and no other is', async () => {
  const { find, send } = await mailbox();
  await send(MAIL_ID);
  expect(await find(MAILBOX, MAIL_ID)).toEqual(FOUND);
  expect(await find(MAILBOX, OTHER_ID)).toEqual({ kind: 'absent' });
});

test('a mail is absent until its copy shows', async () => {
  const { graph, find, send } = await mailbox({ sentItemsDelayMs: 5000 });
  await send(MAIL_ID);
  expect(await find(MAILBOX, MAIL_ID)).toEqual({ kind: 'absent' });
  graph.pass(5000);
  expect(await find(MAILBOX, MAIL_ID)).toEqual(FOUND);
});

const foldersAsked = (graph: { requests: { list(): readonly { path: string }[] } }) =>
  graph.requests.list().flatMap(({ path }) => /mailFolders\/(\w+)\/messages\?/.exec(path)?.[1] ?? []);

test('a copy in Sent Items is found by one request, and no other folder is asked', async () => {
  const { graph, find, send } = await mailbox();
  await send(MAIL_ID);
  graph.requests.clear();
  expect(await find(MAILBOX, MAIL_ID)).toEqual(FOUND);
  expect(foldersAsked(graph)).toEqual(['sentitems']);
});

test('a mail that transport has not taken yet is found in Drafts, also one that will leave no copy', async () => {
  const { graph, find, send } = await mailbox();
  graph.settings.change({ transportDelayMs: 5000 });
  await send(MAIL_ID, { saveToSentItems: false });
  graph.requests.clear();
  expect(await find(MAILBOX, MAIL_ID)).toEqual(FOUND);
  expect(foldersAsked(graph)).toEqual(['sentitems', 'drafts']);
});

test('where the relay makes drafts itself, one in Drafts is not taken for sent', async () => {
  const { graph, find, send } = await mailbox();
  graph.settings.change({ transportDelayMs: 5000 });
  await send(MAIL_ID);
  graph.requests.clear();
  expect(await find(MAILBOX, MAIL_ID, { by: 'property', inDrafts: false })).toEqual({ kind: 'absent' });
  expect(foldersAsked(graph)).toEqual(['sentitems', 'outbox', 'sentitems']);
});

test('a mail that went as MIME is looked for by the name under which Exchange keeps its header', async () => {
  const { graph, find } = await mailbox();
  expect(await find(MAILBOX, MAIL_ID, { by: 'header', inDrafts: true })).toEqual({ kind: 'absent' });
  const [{ path } = { path: '' }] = graph.requests.list();
  expect(decodeURIComponent(path)).toContain(
    `ep/id eq 'String {00020386-0000-0000-C000-000000000046} Name x-mailrelay-id' and ep/value eq '${MAIL_ID}'`,
  );
});

test('a mail that reaches Sent Items while the other folders are asked is not taken for absent', async () => {
  const { graph, find, send } = await mailbox();
  await send(MAIL_ID);
  graph.requests.clear();
  const empty = { kind: 'answer', status: 200, body: '{"value":[]}' } as const;
  graph.faults.add({ on: 'listMessages', fault: empty });
  expect(await find(MAILBOX, MAIL_ID)).toEqual(FOUND);
  expect(foldersAsked(graph)).toEqual(['sentitems', 'drafts', 'outbox', 'sentitems']);
});

test('the address of an old row that is cut inside a character is asked for, and does not throw', async () => {
  const { find } = await mailbox();
  expect(await find('a\ud83d@contoso.example', MAIL_ID)).toEqual({
    kind: 'not-now',
    status: 404,
    upstreamCode: 'ErrorInvalidUser',
  });
});

test('a mail sent without a copy stays absent', async () => {
  const { find, send } = await mailbox();
  await send(MAIL_ID, { saveToSentItems: false });
  expect(await find(MAILBOX, MAIL_ID)).toEqual({ kind: 'absent' });
});

test('without Mail.Read it cannot tell, and says what Graph said', async () => {
  const { find } = await mailbox({ roles: ['Mail.Send'] });
  expect(await find(MAILBOX, MAIL_ID)).toEqual({ kind: 'cannot-tell', upstreamCode: 'ErrorAccessDenied' });
});

test('in a mailbox that does not exist it cannot tell now, and says what Graph said', async () => {
  const { find } = await mailbox();
  expect(await find('nobody@contoso.example', MAIL_ID)).toEqual({
    kind: 'not-now',
    status: 404,
    upstreamCode: 'ErrorInvalidUser',
  });
});

test.each<[string, CallFault, object]>([
  [
    'throttled',
    { kind: 'answer', status: 429, retryAfter: '3' },
    { kind: 'not-now', status: 429, waitMs: 3000, upstreamCode: 'ApplicationThrottled' },
  ],
  [
    'away',
    { kind: 'answer', status: 503 },
    { kind: 'not-now', status: 503, upstreamCode: 'ErrorServerBusy' },
  ],
  [
    'refused',
    { kind: 'answer', status: 400 },
    { kind: 'not-now', status: 400, upstreamCode: 'generalException' },
  ],
  [
    'gone',
    { kind: 'answer', status: 410 },
    { kind: 'not-now', status: 410, upstreamCode: 'generalException' },
  ],
  [
    'without a valid token',
    { kind: 'answer', status: 401 },
    { kind: 'not-now', status: 401, upstreamCode: 'InvalidAuthenticationToken' },
  ],
  ['cut off', { kind: 'reset', when: 'before' }, { kind: 'not-now' }],
  ['silent', { kind: 'delay', ms: 60_000 }, { kind: 'not-now' }],
  ['an answer that is no JSON', { kind: 'answer', status: 200, body: '<html>' }, { kind: 'not-now' }],
  ['an answer without a list', { kind: 'answer', status: 200, body: '{"value":{}}' }, { kind: 'not-now' }],
])('%s: it is not known now, never taken for absent, after one request', async (_case, fault, sighting) => {
  const { graph, find } = await mailbox(fault.kind === 'delay' ? { timeoutMs: 2000 } : {});
  graph.faults.add({ on: 'listMessages', fault });
  expect(await find(MAILBOX, MAIL_ID)).toEqual(sighting);
  expect(graph.requests.list()).toHaveLength(1);
});

test('without a token it is not known now', async () => {
  const graph = await graphForTests();
  const readToken = () => Promise.reject(new AppError('CLIENT_SECRET_EXPIRED'));
  const find = openMailboxSearch(graphCall(graph.url, { readToken }), () => NOW);
  expect(await find(MAILBOX, MAIL_ID, OF_JSON)).toEqual({ kind: 'not-now' });
});
