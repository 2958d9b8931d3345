import { describe, expect, test } from 'vitest';
import { type TraceNeeds, traceMail } from '../../../src/lib/desk/trace-mail.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { type InState, isIn, type LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import {
  claimNew,
  recordDeliveries,
  recordFound,
  recordMessageId,
  recordSent,
} from '../../../src/lib/ledger/transitions.ts';
import type { MessageTraces, TraceEvent, TraceQuery, TraceRow } from '../../../src/lib/ports.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MESSAGE_ID = '<one@contoso.example>';
const { mailId, facts: someFacts, rows } = aDelivery();
const ADDRESSES = ['ada@fabrikam.example', 'bob@fabrikam.example', 'eve@fabrikam.example'];

const sent = (
  addresses: readonly string[] = ADDRESSES,
  facts: Partial<LedgerRow['facts']> = {},
): InState<'sent'> => {
  const its = {
    ...someFacts,
    recipients: addresses.length,
    recipientHashes: addresses.map(IDENTITY.hashOfAddress),
    ...facts,
  };
  const accepted = { at: NOW.toISOString(), outcome: 'accepted' } as const;
  return recordMessageId(recordSent(claimNew(its, true, NOW), accepted, NOW), MESSAGE_ID);
};

type Status = TraceRow['status'];

const asking = (row: LedgerRow = sent(), more: Partial<TraceNeeds> = {}) => {
  const world = inMemoryPorts();
  world.ledger.create(row);
  const queries: (TraceQuery & { readonly after?: string })[] = [];
  const detailed: string[] = [];
  let pages: readonly (readonly TraceRow[])[] = [[]];
  let events: readonly TraceEvent[] = [];
  let failure: Awaited<ReturnType<MessageTraces['list']>> | undefined;
  const traces: MessageTraces = {
    reach: () => ({ kind: 'reached', tenant: 'contoso.example' }),
    list: async (query, _mailbox, _route, after) => {
      queries.push({ ...query, ...(after === undefined ? {} : { after }) });
      if (failure?.kind === 'failed') return failure;
      const page = Number(after ?? 0);
      const hasMore = page + 1 < pages.length;
      return { kind: 'rows', rows: pages[page] ?? [], ...(hasMore ? { next: String(page + 1) } : {}) };
    },
    details: async ({ recipient }) => {
      detailed.push(recipient);
      return failure?.kind === 'failed' ? failure : { kind: 'events', events };
    },
  };
  const needs: TraceNeeds = { ...world.needs, traces, ...more };
  return {
    ...world,
    queries,
    detailed,
    /** Requests that were made. */
    asked: () => queries.length + detailed.length,
    ask: (asker: 'operator' | 'caller' = 'operator') => traceMail(needs, mailId, asker),
    statuses: async () => (await traceMail(needs, mailId, 'operator')).recipients.map(({ status }) => status),
    lists: (statuses: Readonly<Record<string, Status>>, change: Partial<TraceRow> = {}) => {
      pages = [rowsOf(statuses, change)];
    },
    listsPages: (next: typeof pages) => {
      pages = next;
    },
    tells: (next: readonly TraceEvent[]) => {
      events = next;
    },
    fails: (next: typeof failure) => {
      failure = next;
    },
    kept: () => {
      const found = world.ledger.find(mailId)?.row;
      return found && isIn(found, 'sent') ? found.fate : undefined;
    },
  };
};

const rowsOf = (statuses: Readonly<Record<string, Status>>, change: Partial<TraceRow> = {}) =>
  Object.entries(statuses).map(([recipient, status]) => ({
    traceId: 'trace-1',
    messageId: MESSAGE_ID,
    sender: someFacts.sender,
    recipient,
    receivedAt: NOW,
    status,
    ...change,
  }));

const failEvent = (code: string): TraceEvent => ({
  at: NOW,
  event: 'Fail',
  description: `Reason: [{LED=550 ${code} secret words of another server}]`,
  data: '',
});

describe('what became of an email is told recipient by recipient', () => {
  test('by position, with what the word means and when it was asked, and no address', async () => {
    const { ask, lists, pass } = asking();
    lists({ 'ada@fabrikam.example': 'delivered', 'bob@fabrikam.example': 'spam' });
    pass(10 * MINUTE_MS);
    const delivery = await ask();
    expect(delivery).toEqual({
      recipients: [
        {
          recipient: 1,
          status: 'delivered',
          meaning: expect.stringMatching(/mail server of the recipient accepted.*neither that it was read/),
          source: 'trace',
          at: '2026-03-02T08:10:00.000Z',
        },
        {
          recipient: 2,
          status: 'spam',
          meaning: expect.stringContaining('Junk Email'),
          remedy: expect.stringContaining('SPF'),
          source: 'trace',
          at: '2026-03-02T08:10:00.000Z',
        },
        { recipient: 3, status: 'unseen', meaning: expect.stringContaining('when it last asked') },
      ],
      askedAt: '2026-03-02T08:10:00.000Z',
      askAgainAt: '2026-03-02T08:15:00.000Z',
      mayChangeUntil: '2026-03-07T08:00:00.000Z',
    });
    expect(JSON.stringify(delivery)).not.toContain('fabrikam');
  });

  test('with addresses where the ledger keeps them', async () => {
    const { ask, lists, pass } = asking(sent(ADDRESSES, { recipientAddresses: ADDRESSES }));
    lists({ 'EVE@fabrikam.example': 'delivered' });
    pass(10 * MINUTE_MS);
    expect(
      (await ask()).recipients.map(({ recipient, address, status }) => [recipient, address, status]),
    ).toEqual([
      [1, 'ada@fabrikam.example', 'unseen'],
      [2, 'bob@fabrikam.example', 'unseen'],
      [3, 'eve@fabrikam.example', 'delivered'],
    ]);
  });

  test('an address that is in to and cc at both of its places', async () => {
    const { ask, pass, lists } = asking(sent(['a@x.example', 'A@x.example', 'b@x.example']));
    lists({ 'a@x.example': 'delivered', 'b@x.example': 'delivered' });
    pass(10 * MINUTE_MS);
    expect((await ask()).recipients.map(({ recipient, status }) => [recipient, status])).toEqual([
      [1, 'delivered'],
      [2, 'delivered'],
      [3, 'delivered'],
    ]);
  });

  test('with the code, cause and remedy of a failure, and never the words of another server', async () => {
    const { ask, lists, tells, pass, detailed, ledger } = asking(sent(['bob@fabrikam.example']));
    lists({ 'bob@fabrikam.example': 'failed' });
    tells([failEvent('5.1.10')]);
    pass(10 * MINUTE_MS);
    const delivery = await ask();
    expect(delivery.recipients).toMatchObject([
      {
        status: 'failed',
        code: '5.1.10',
        kind: 'permanent',
        cause: expect.stringContaining('does not exist'),
        remedy: expect.any(String),
      },
    ]);
    expect(detailed).toEqual(['bob@fabrikam.example']);
    expect(JSON.stringify([delivery, ledger.rows()])).not.toContain('secret words');
  });

  test('what is on its way is looked at more closely: it may be in Junk Email by now', async () => {
    const { statuses, lists, tells, pass } = asking(sent(['bob@fabrikam.example']));
    lists({ 'bob@fabrikam.example': 'pending' });
    tells([{ at: NOW, event: 'Deliver', description: 'DefaultFolderType:JunkEmail', data: '' }]);
    pass(10 * MINUTE_MS);
    expect(await statuses()).toEqual(['spam']);
  });

  test('an email of an earlier version, which has no hashes, is told without positions', async () => {
    const { recipientHashes: _, ...facts } = sent().facts;
    const { ask, lists, pass } = asking({ ...sent(), facts });
    lists({ 'ada@fabrikam.example': 'delivered' });
    pass(10 * MINUTE_MS);
    const [only] = (await ask()).recipients;
    expect(only).toMatchObject({ status: 'delivered' });
    expect(only).not.toHaveProperty('recipient');
  });
});

describe('asking costs as few requests as it can', () => {
  test('none in the first two minutes, when no trace can be there', async () => {
    const { ask, asked, pass, statuses } = asking();
    expect(await statuses()).toEqual(['not-asked', 'not-asked', 'not-asked']);
    expect(asked()).toBe(0);
    expect(await ask()).toMatchObject({
      askAgainAt: '2026-03-02T08:02:00.000Z',
      reason: { code: 'TRACE_TOO_EARLY' },
    });
    pass(2 * MINUTE_MS);
    await ask();
    expect(asked()).toBe(1);
  });

  test('one for any number of recipients that were delivered, and never one again', async () => {
    const many = Array.from({ length: 400 }, (_, number) => `r${number}@x.example`);
    const { ask, lists, asked, pass } = asking(sent(many));
    lists(Object.fromEntries(many.map((address) => [address, 'delivered'])));
    pass(10 * MINUTE_MS);
    expect((await ask()).recipients.every(({ status }) => status === 'delivered')).toBe(true);
    pass(DAY_MS);
    const later = await ask();
    expect(later).toMatchObject({ askedAt: '2026-03-02T08:10:00.000Z', mayChangeUntil: expect.any(String) });
    expect(later).not.toHaveProperty('askAgainAt');
    expect(asked()).toBe(1);
  });

  test('one more for each of three failures at most', async () => {
    const many = Array.from({ length: 10 }, (_, number) => `r${number}@x.example`);
    const { ask, lists, tells, asked, detailed, pass } = asking(sent(many));
    lists(Object.fromEntries(many.map((address) => [address, 'failed'])));
    tells([failEvent('5.7.1')]);
    pass(10 * MINUTE_MS);
    await ask();
    expect([asked(), detailed]).toEqual([4, many.slice(0, 3)]);
  });

  test('again after five minutes while it is pending, and after an hour for what is in quarantine', async () => {
    const { ask, lists, queries, pass } = asking(sent(['a@x.example', 'b@x.example']));
    lists({ 'a@x.example': 'pending', 'b@x.example': 'quarantined' });
    pass(60 * MINUTE_MS);
    await ask();
    pass(5 * MINUTE_MS - 1);
    await ask();
    expect(queries).toHaveLength(1);
    pass(1);
    lists({ 'a@x.example': 'delivered', 'b@x.example': 'quarantined' });
    expect(await ask()).toMatchObject({ askAgainAt: '2026-03-02T10:05:00.000Z' });
    expect(queries).toHaveLength(2);
  });

  test('three pages at most; what is not among them is not called missing', async () => {
    const other = rowsOf({ 'x@x.example': 'delivered' }, { messageId: '<other@x>' });
    const { ask, listsPages, queries, pass } = asking();
    listsPages([other, other, other, other]);
    pass(60 * MINUTE_MS);
    const incomplete = {
      recipients: [{ status: 'unseen' }, { status: 'unseen' }, { status: 'unseen' }],
      reason: { code: 'TRACE_INCOMPLETE' },
    };
    expect(await ask()).toMatchObject(incomplete);
    expect(await ask()).toMatchObject(incomplete);
    expect(queries.map(({ after }) => after)).toEqual([undefined, '1', '2']);
  });

  test('and the log says how many, without an address', async () => {
    const { ask, lists, logged, pass } = asking();
    lists({ 'ada@fabrikam.example': 'delivered', 'bob@fabrikam.example': 'quarantined' });
    pass(10 * MINUTE_MS);
    await ask();
    expect(logged.filter(({ event }) => event === 'MailTraced')).toEqual([
      {
        event: 'MailTraced',
        mailId,
        requests: 1,
        delivered: 1,
        pending: 0,
        failed: 0,
        quarantined: 1,
        spam: 0,
        expanded: 0,
        unseen: 1,
      },
    ]);
  });
});

describe('events tell what is new, before the ledger says it', () => {
  test('once for each recipient that was delivered or failed, however often somebody asks', async () => {
    const { ask, lists, pass, announced, effects } = asking(
      sent(['a@x.example', 'b@x.example', 'c@x.example']),
    );
    lists({ 'a@x.example': 'delivered', 'b@x.example': 'pending', 'c@x.example': 'failed' });
    pass(10 * MINUTE_MS);
    await ask();
    expect(announced).toMatchObject([
      { eventType: 'GraphMailRelay.Mail.Bounced', data: { recipients: [{ index: 2, status: 'failed' }] } },
      {
        eventType: 'GraphMailRelay.Mail.Delivered',
        data: { recipients: [{ index: 0, status: 'delivered' }] },
      },
    ]);
    expect(effects.indexOf('events.put')).toBeLessThan(effects.indexOf('ledger.replace sent'));
    pass(5 * MINUTE_MS);
    await ask();
    expect(announced).toHaveLength(2);
    lists({ 'a@x.example': 'delivered', 'b@x.example': 'delivered', 'c@x.example': 'failed' });
    pass(5 * MINUTE_MS);
    await ask();
    expect(announced.slice(2)).toMatchObject([{ data: { recipients: [{ index: 1, status: 'delivered' }] } }]);
  });

  test('again, where the event could not be put: then the ledger does not say it either', async () => {
    const { ask, lists, pass, fail, mend, announced, kept } = asking(sent(['a@x.example']));
    lists({ 'a@x.example': 'delivered' });
    pass(10 * MINUTE_MS);
    fail('events.put');
    expect(await ask()).toMatchObject({ recipients: [{ status: 'delivered' }] });
    expect(kept()?.deliveries).toBeUndefined();
    mend();
    await ask();
    expect(announced).toHaveLength(1);
  });
});

describe('an email that the trace does not list', () => {
  test('is missing only half an hour after it was sent', async () => {
    const { statuses, pass } = asking(sent(['a@x.example']));
    pass(25 * MINUTE_MS);
    expect(await statuses()).toEqual(['unseen']);
    pass(5 * MINUTE_MS);
    expect(await statuses()).toEqual(['missing']);
  });

  test('is not missing because time passed: only an answer of after that half hour says so', async () => {
    const { ask, statuses, pass } = asking(sent(['a@x.example']));
    pass(29 * MINUTE_MS);
    expect(await statuses()).toEqual(['unseen']);
    pass(4 * MINUTE_MS);
    expect(await ask()).toMatchObject({
      recipients: [{ status: 'unseen' }],
      askedAt: '2026-03-02T08:29:00.000Z',
    });
  });

  test('among more rows than the relay reads is not missing where others of the email were found', async () => {
    const found = rowsOf({ 'ada@fabrikam.example': 'delivered' });
    const { ask, listsPages, pass } = asking(sent(ADDRESSES.slice(0, 2)));
    listsPages([found, [], [], []]);
    pass(60 * MINUTE_MS);
    expect(await ask()).toMatchObject({
      recipients: [{ status: 'delivered' }, { status: 'unseen' }],
      reason: { code: 'TRACE_INCOMPLETE' },
    });
  });

  test('is then looked for by its Message-ID, in a day: its sender may be listed under another address', async () => {
    const { statuses, lists, queries, pass } = asking(sent(['a@x.example']));
    pass(31 * MINUTE_MS);
    await statuses();
    pass(60 * MINUTE_MS);
    lists({ 'a@x.example': 'delivered' }, { sender: 'main@contoso.example' });
    expect(await statuses()).toEqual(['delivered']);
    expect(queries.map(({ by }) => by)).toEqual(['sender', 'message-id']);
  });

  test('of which the Message-ID is unknown is not guessed before half an hour has passed', async () => {
    const row = sent(['a@x.example'], { leavesCopy: false });
    const { internetMessageId: _, ...fate } = row.fate;
    const { ask, lists, pass, kept } = asking({ ...row, fate });
    lists({ 'a@x.example': 'delivered' });
    pass(10 * MINUTE_MS);
    expect(await ask()).toMatchObject({
      recipients: [{ status: 'unseen' }],
      reason: { code: 'TRACE_MESSAGE_ID_UNKNOWN', remedy: expect.stringContaining('Mail.Read') },
    });
    pass(20 * MINUTE_MS);
    expect(await ask()).toMatchObject({ recipients: [{ status: 'delivered', isGuess: true }] });
    expect(kept()).not.toHaveProperty('internetMessageId');
  });

  test('older than 90 days is not asked for', async () => {
    const { ask, asked, pass } = asking();
    pass(91 * DAY_MS);
    expect((await ask()).reason?.code).toBe('TRACE_TOO_OLD');
    expect(asked()).toBe(0);
  });

  test('sent by one of several attempts is looked for since the first of them', async () => {
    const attempt = { at: '2026-03-02T07:30:00.000Z', outcome: 'unknown' } as const;
    const found = recordFound(claimNew(someFacts, true, NOW), NOW, {
      attempt,
      internetMessageId: MESSAGE_ID,
    });
    const { ask, queries, pass } = asking(found);
    pass(60 * MINUTE_MS);
    await ask();
    expect(queries).toMatchObject([
      { from: new Date('2026-03-02T07:25:00Z'), to: new Date('2026-03-02T08:30:00Z') },
    ]);
  });
});

describe('whatever keeps the relay from knowing more is a reason, and never an error', () => {
  test.each(Object.entries(rows).filter(([state]) => state !== 'sent'))(
    'an email that is %s has no trace',
    async (_state, row) => {
      const { ask, asked } = asking(row);
      expect(await ask()).toMatchObject({ recipients: [], reason: { code: 'TRACE_NOT_SENT' } });
      expect(asked()).toBe(0);
    },
  );

  test('nor one that was redirected to a test address', async () => {
    const row = sent();
    const { ask } = asking({ ...row, progress: { ...row.progress, redirected: true } });
    expect((await ask()).reason?.code).toBe('TRACE_NOT_SENT');
  });

  test('with MAIL_TRACE off, what is known by reports is told all the same', async () => {
    const bounced = recordDeliveries(sent(), [
      {
        recipient: IDENTITY.hashOfAddress('bob@fabrikam.example'),
        status: 'failed',
        source: 'report',
        at: NOW.toISOString(),
        code: '5.1.1',
      },
    ]);
    const world = inMemoryPorts();
    world.ledger.create(bounced);
    expect(await traceMail(world.needs, mailId, 'caller')).toMatchObject({
      recipients: [
        { status: 'not-asked', meaning: expect.stringContaining('no answer of the message trace') },
        { status: 'failed', source: 'report', code: '5.1.1' },
        { status: 'not-asked' },
      ],
      reason: { code: 'TRACE_OFF', remedy: expect.stringContaining('MAIL_TRACE=true') },
    });
  });

  test('a report of a failure outlasts a trace that says delivered', async () => {
    const recipient = IDENTITY.hashOfAddress('bob@fabrikam.example');
    const report = {
      recipient,
      status: 'failed',
      source: 'report',
      at: NOW.toISOString(),
      code: '5.1.1',
    } as const;
    const { statuses, lists, pass } = asking(recordDeliveries(sent(), [report]));
    lists({ 'ada@fabrikam.example': 'delivered', 'bob@fabrikam.example': 'delivered' });
    pass(10 * MINUTE_MS);
    expect(await statuses()).toEqual(['delivered', 'failed', 'unseen']);
  });

  test('over the limit, the answer says from when on to ask again, and nothing is counted as asked', async () => {
    const { ask, pass, kept, asked, needs } = asking();
    pass(10 * MINUTE_MS);
    const now = needs.clock.now().toISOString();
    await needs.traceUses.write(
      'contoso.example',
      { requests: Array.from({ length: 15 }, () => now) },
      undefined,
    );
    expect(await ask('caller')).toMatchObject({
      recipients: [{ status: 'not-asked' }, {}, {}],
      askAgainAt: '2026-03-02T08:15:30.000Z',
      reason: { code: 'TRACE_LIMIT_REACHED' },
    });
    expect([asked(), kept()?.tracedAt]).toEqual([0, undefined]);
    await ask('operator');
    expect(asked()).toBe(1);
  });

  test('a refusal of Graph is told with its remedy and id, and asked again once it may be over', async () => {
    const { ask, fails, lists, pass, asked, logged } = asking(sent(['a@x.example']));
    fails({
      kind: 'failed',
      reason: { code: 'TRACE_PRINCIPAL_MISSING', upstreamCode: 'Unauthorized', graphRequestId: 'g-1' },
    });
    pass(10 * MINUTE_MS);
    const told = {
      askAgainAt: '2026-03-02T08:15:00.000Z',
      reason: {
        code: 'TRACE_PRINCIPAL_MISSING',
        remedy: expect.stringContaining('az ad sp create --id 8bd644d1-64a1-4d4b-ae52-2e0cbf64e373'),
        graphRequestId: 'g-1',
      },
    };
    expect(await ask()).toMatchObject(told);
    expect(await ask()).toMatchObject(told);
    expect(asked()).toBe(1);
    expect(logged.at(-1)).toMatchObject({ event: 'MailTraced', code: 'TRACE_PRINCIPAL_MISSING' });
    fails(undefined);
    lists({ 'a@x.example': 'delivered' });
    pass(5 * MINUTE_MS);
    expect((await ask()).recipients).toMatchObject([{ status: 'delivered' }]);
  });

  test('a failure of which the reason could not be asked is told, and its reason asked for later', async () => {
    const { ask, lists, tells, pass, needs, detailed } = asking(sent(['a@x.example']));
    lists({ 'a@x.example': 'failed' });
    tells([failEvent('5.7.1')]);
    pass(10 * MINUTE_MS);
    const now = needs.clock.now().toISOString();
    await needs.traceUses.write(
      'contoso.example',
      { requests: Array.from({ length: 19 }, () => now) },
      undefined,
    );
    expect(await ask()).toMatchObject({
      recipients: [{ status: 'failed' }],
      reason: { code: 'TRACE_LIMIT_REACHED' },
    });
    expect(detailed).toEqual([]);
    pass(60 * MINUTE_MS);
    expect(await ask()).toMatchObject({ recipients: [{ status: 'failed', code: '5.7.1' }] });
  });

  test.each<[string, Error, string]>([
    ['storage fails', new AppError('STORAGE_UNAVAILABLE'), 'STORAGE_UNAVAILABLE'],
    ['the relay itself has a fault', new Error('secret words'), 'UNEXPECTED'],
  ])('where %s, the answer is what was known', async (_case, error, code) => {
    const traceUses = { read: () => Promise.reject(error), write: async () => true };
    const { ask, pass, asked } = asking(sent(), { traceUses });
    pass(10 * MINUTE_MS);
    const delivery = await ask();
    expect(delivery).toMatchObject({ recipients: [{ status: 'not-asked' }, {}, {}], reason: { code } });
    expect(JSON.stringify(delivery)).not.toContain('secret words');
    expect(asked()).toBe(0);
  });

  test('what cannot be written is told all the same, and asked for again', async () => {
    const { ask, lists, pass, fail, mend, queries } = asking(sent(['a@x.example']));
    lists({ 'a@x.example': 'delivered' });
    pass(10 * MINUTE_MS);
    fail('ledger.replace');
    expect(await ask()).toMatchObject({ recipients: [{ status: 'delivered' }] });
    mend();
    await ask();
    expect(queries).toHaveLength(2);
  });

  test('what another instance wrote meanwhile stays', async () => {
    const { ask, lists, pass, meanwhile, ledger } = asking(sent(['a@x.example']));
    lists({ 'a@x.example': 'delivered' });
    pass(10 * MINUTE_MS);
    // Another instance writes the row between the read and the write of this one.
    meanwhile('ledger.replace', () => {
      const entry = ledger.find(mailId);
      if (entry && isIn(entry.row, 'sent')) ledger.replace(recordMessageId(entry.row, '<new@x>'), entry.etag);
    });
    expect(await ask()).toMatchObject({ recipients: [{ status: 'delivered' }] });
    expect(ledger.find(mailId)?.row.fate).toMatchObject({
      internetMessageId: '<new@x>',
      deliveries: [{ status: 'delivered' }],
    });
  });

  test('an id of no email is MAIL_NOT_FOUND', async () => {
    const { needs } = inMemoryPorts();
    await expect(traceMail(needs, mailId, 'operator')).rejects.toMatchObject({ code: 'MAIL_NOT_FOUND' });
  });
});
