import { describe, expect, test } from 'vitest';
import type { GraphOptions } from '../../../local/graph/graph-server.ts';
import { pollBounces } from '../../../src/lib/delivery/poll-bounces.ts';
import { openGraphMail } from '../../../src/lib/graph/graph-mail.ts';
import { openReceivedMail } from '../../../src/lib/graph/received-mail.ts';
import { type InState, isBounced } from '../../../src/lib/ledger/ledger-row.ts';
import { claimNew, recordMessageId, recordSent } from '../../../src/lib/ledger/transitions.ts';
import type { LogEvent } from '../../../src/lib/log.ts';
import { graphForTests, tokenWith } from '../../local/graph/graph-for-tests.ts';
import { aMail } from '../../support/a-mail.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { directPlanOf } from '../../support/a-plan.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';
import { graphCall, MAILBOX } from './graph-call-for-tests.ts';

const MAIL_ID = '01a20556-8aab-77d5-aa30-5d8c2af8cc90';
const MINUTE_MS = 60_000;

type Sending = {
  readonly to: readonly string[];
  readonly saveToSentItems?: boolean;
};

/** A relay in memory whose mailboxes are those of the Graph stand-in, over HTTP. */
const relayAtGraph = async ({
  roles = ['Mail.Send', 'Mail.Read'],
  ...options
}: Partial<GraphOptions> & { roles?: string[] } = {}) => {
  const graph = await graphForTests(options);
  const world = inMemoryPorts();
  const call = graphCall(graph.url, { readToken: () => tokenWith({ roles }) });
  const mail = openReceivedMail(call, () => world.needs.clock.now());
  const needs = {
    ...world.needs,
    receivedMail: {
      list: (mailbox: string, _route: unknown, ...rest: [Date, string?]) => mail.list(mailbox, ...rest),
      readMime: (mailbox: string, _route: unknown, id: string) => mail.readMime(mailbox, id),
      findSent: (mailbox: string, _route: unknown, id: string) => mail.findSent(mailbox, id),
    },
  };
  const send = async ({ to, saveToSentItems = true }: Sending, change: Record<string, unknown> = {}) => {
    const sent = aMail({ to: to.map((address) => ({ address })), saveToSentItems, ...change });
    await openGraphMail(graphCall(graph.url))(await directPlanOf(MAIL_ID, { address: MAILBOX }, sent));
    const facts = aNewMail(NOW, {
      mailId: MAIL_ID,
      sender: MAILBOX,
      recipients: to.length,
      recipientHashes: to.map(IDENTITY.hashOfAddress),
      leavesCopy: saveToSentItems,
    });
    const row = recordSent(claimNew(facts, true, NOW), { at: NOW.toISOString(), outcome: 'accepted' }, NOW);
    world.ledger.create(row);
    world.watched.note({ address: MAILBOX, lastSentAt: NOW.toISOString() });
    return row;
  };
  const row = (): InState<'sent'> => {
    const found = world.ledger.find(MAIL_ID)?.row;
    if (found?.fate.state !== 'sent') throw new Error('expected an email that was sent');
    return found as InState<'sent'>;
  };
  const pass = (ms: number) => {
    graph.pass(ms);
    world.pass(ms);
  };
  return { graph, world, send, poll: () => pollBounces(needs), row, pass };
};

const told = (logged: readonly LogEvent[]) =>
  logged.flatMap((event) =>
    event.event === 'MailBounced' || event.event === 'MailReported'
      ? Array.from({ length: event.recipients }, () => event.matchedBy)
      : [],
  );

describe('a report in the shape of', () => {
  test.each([
    ['Exchange', 'bounce@fabrikam.example', 'failed', '5.1.10', 'sent-items'],
    ['Exchange in German', 'bounce-de@fabrikam.example', 'failed', '5.1.10', 'sent-items'],
    ['Exchange in Dutch', 'bounce-nl@fabrikam.example', 'failed', '5.1.10', 'sent-items'],
    ['Exchange in Chinese', 'bounce-zh@fabrikam.example', 'failed', '5.1.10', 'sent-items'],
    ['Exchange with a code of choice', 'bounce+5.7.236@fabrikam.example', 'failed', '5.7.236', 'sent-items'],
    ['Postfix', 'bounce-postfix@fabrikam.example', 'failed', '5.1.1', 'sent-items'],
    [
      'sendmail, which answers no message',
      'bounce-sendmail@fabrikam.example',
      'failed',
      '5.2.2',
      'sent-items',
    ],
    ['Amazon SES', 'bounce-ses@fabrikam.example', 'failed', '5.4.1', 'sent-items'],
    ['a forwarded report', 'bounce-forwarded@fabrikam.example', 'failed', '5.1.10', 'sent-items'],
    ['a server that returns nothing', 'bounce-silent@fabrikam.example', 'failed', '5.1.10', 'recipient'],
    ['a delay', 'bounce-delayed@fabrikam.example', 'pending', '4.4.7', 'sent-items'],
    ['a delivery', 'delivered@fabrikam.example', 'delivered', '2.1.5', 'sent-items'],
    ['a hand-over', 'relayed@fabrikam.example', 'delivered', '2.1.9', 'sent-items'],
    ['an automatic reply', 'out-of-office@fabrikam.example', undefined, undefined, undefined],
    ['a forgery that names someone else', 'bounce-fake@fabrikam.example', undefined, undefined, undefined],
  ])('%s is understood, and found to be about its email', async (_case, address, status, code, matchedBy) => {
    const { world, send, poll, row, pass } = await relayAtGraph();
    await send({ to: ['ada@fabrikam.example', address] });
    // Behind the time within which the copy in Sent Items may come.
    pass(11 * MINUTE_MS);
    await poll();
    expect(told(world.logged)).toEqual(matchedBy === undefined ? [] : [matchedBy]);
    const isGuess = matchedBy === 'recipient';
    expect(row().fate.deliveries).toEqual(
      status === undefined
        ? undefined
        : [
            {
              recipient: IDENTITY.hashOfAddress(address),
              ...{ status, code, source: 'report', at: expect.any(String) },
              ...(isGuess ? { isGuess } : {}),
            },
          ],
    );
    expect(isBounced(row())).toBe(status === 'failed' && !isGuess);
  });

  test('several recipients, of each by itself', async () => {
    const { world, send, poll, row } = await relayAtGraph();
    const [first, second, other] = ['bounce@a.example', 'bounce@b.example', 'bounce-postfix@c.example'];
    await send({ to: [first, 'ada@fabrikam.example', second, other] });
    await poll();
    expect(new Map(row().fate.deliveries?.map(({ recipient, code }) => [recipient, code]))).toEqual(
      new Map([
        [IDENTITY.hashOfAddress(first), '5.1.10'],
        [IDENTITY.hashOfAddress(second), '5.1.10'],
        [IDENTITY.hashOfAddress(other), '5.1.1'],
      ]),
    );
    expect(told(world.logged)).toEqual(['sent-items', 'sent-items', 'sent-items']);
  });
});

describe('an email is found', () => {
  test('by the header of the relay in what comes back, if it went as MIME', async () => {
    const { graph, world, send, poll } = await relayAtGraph();
    await send({ to: ['bounce-forwarded@fabrikam.example'] }, { html: '<p>Hi</p>', text: 'Hi' });
    graph.requests.clear();
    await poll();
    expect(told(world.logged)).toEqual(['header']);
    // The list and the report: the mailbox is not asked for the email.
    expect(graph.requests.list()).toHaveLength(2);
  });

  test('by the Message-ID that the ledger knows, if there is no copy of it', async () => {
    const { graph, world, send, poll } = await relayAtGraph();
    const row = await send({ to: ['bounce@fabrikam.example'], saveToSentItems: false });
    const etag = world.ledger.find(MAIL_ID)?.etag ?? '';
    world.ledger.replace(recordMessageId(row, graph.captured[0]?.internetMessageId ?? ''), etag);
    await poll();
    expect(told(world.logged)).toEqual(['message-id']);
  });

  test('in Sent Items, and then its Message-ID is known', async () => {
    const { graph, send, poll, row } = await relayAtGraph();
    await send({ to: ['bounce@fabrikam.example'] });
    await poll();
    expect(row().fate.internetMessageId).toBe(graph.captured[0]?.internetMessageId);
  });

  test('also if its copy comes after the report', async () => {
    const { world, send, poll, pass } = await relayAtGraph({ sentItemsDelayMs: 4 * MINUTE_MS });
    await send({ to: ['bounce@fabrikam.example'] });
    await poll();
    expect(told(world.logged)).toEqual([]);
    pass(5 * MINUTE_MS);
    await poll();
    expect(told(world.logged)).toEqual(['sent-items']);
  });
});

describe('a poll costs', () => {
  const requestsOf = async (poll: () => Promise<void>, graph: Awaited<ReturnType<typeof graphForTests>>) => {
    graph.requests.clear();
    await poll();
    return graph.requests.list().length;
  };

  test('one request for a mailbox without a report, and three for a report that is found in Sent Items', async () => {
    const { graph, send, poll } = await relayAtGraph();
    await send({ to: ['ada@fabrikam.example'] });
    expect(await requestsOf(poll, graph)).toBe(1);
    const other = await relayAtGraph();
    await other.send({ to: ['bounce@fabrikam.example'] });
    expect(await requestsOf(other.poll, other.graph)).toBe(3);
    // Afterwards it is known.
    expect(await requestsOf(other.poll, other.graph)).toBe(1);
  });
});

describe('a mailbox that cannot be read', () => {
  test('for want of Mail.Read is told of in the log, and left alone for half an hour', async () => {
    const { graph, world, send, poll, pass } = await relayAtGraph({ roles: ['Mail.Send'] });
    await send({ to: ['bounce@fabrikam.example'] });
    await poll();
    expect(world.logged.at(-1)).toMatchObject({ event: 'BouncesPolled', refused: 1 });
    graph.requests.clear();
    pass(29 * MINUTE_MS);
    await poll();
    expect(graph.requests.list()).toHaveLength(0);
    pass(2 * MINUTE_MS);
    await poll();
    expect(graph.requests.list()).toHaveLength(1);
  });

  test('because Graph throttles it is asked when Graph says, and the report is not lost', async () => {
    const { graph, world, send, poll, pass } = await relayAtGraph();
    await send({ to: ['bounce@fabrikam.example'] });
    graph.faults.add({ on: 'getMessage', fault: { kind: 'answer', status: 429, retryAfter: '400' } });
    await poll();
    pass(5 * MINUTE_MS);
    await poll();
    expect(told(world.logged)).toEqual([]);
    pass(5 * MINUTE_MS);
    await poll();
    expect(told(world.logged)).toEqual(['sent-items']);
  });
});
