import { describe, expect, test } from 'vitest';
import {
  aMessage,
  contosoForTests,
  errorOf,
  type GraphForTests,
  graphForTests,
  send,
  tokenWith,
} from './graph-for-tests.ts';

const PROPERTY = 'String {66f5a359-4659-4830-9070-00047ec6ac6e} Name MailRelayId';
const READER = { roles: ['Mail.Send', 'Mail.Read'] };

type Found = {
  readonly value: readonly (Record<string, unknown> & { readonly id: string; readonly subject: string })[];
  readonly '@odata.nextLink'?: string;
};

const filterBy = (value: string, id = PROPERTY) =>
  `singleValueExtendedProperties/Any(ep: ep/id eq '${id}' and ep/value eq '${value.replaceAll("'", "''")}')`;

const ask = async (
  graph: { readonly url: string },
  options: Record<string, string> = {},
  { claims = READER, folder = 'messages', mailbox = 'noreply@contoso.example' } = {},
) =>
  send(graph, {
    method: 'GET',
    path: `/v1.0/users/${mailbox}/${folder}?${new URLSearchParams(options)}`,
    token: await tokenWith(claims),
  });

async function find(...asked: Parameters<typeof ask>): Promise<Found> {
  const response = await ask(...asked);
  expect(response.status).toBe(200);
  return (await response.json()) as Found;
}

const sendMarked = (graph: GraphForTests, value: string, rest: Record<string, unknown> = {}) =>
  send(graph, {
    body: {
      message: aMessage({ subject: value, singleValueExtendedProperties: [{ id: PROPERTY, value }] }),
      ...rest,
    },
  });

const subjects = ({ value }: Found) => value.map(({ subject }) => subject);

describe('the copy in Sent Items', () => {
  test('appears after the delay, in the mailbox and in its folder', async () => {
    const graph = await graphForTests({ sentItemsDelayMs: 5000 });
    await sendMarked(graph, 'one');
    graph.pass(4999);
    expect(subjects(await find(graph, { $filter: filterBy('one') }))).toEqual([]);
    graph.pass(1);
    for (const folder of ['messages', 'mailFolders/sentitems/messages', 'mailFolders/SentItems/messages']) {
      expect(subjects(await find(graph, { $filter: filterBy('one') }, { folder }))).toEqual(['one']);
    }
  });

  test('is in Drafts until transport has taken the mail, and then in Sent Items or nowhere', async () => {
    const graph = await graphForTests({ sentItemsDelayMs: 5000 });
    graph.settings.change({ transportDelayMs: 2000 });
    await sendMarked(graph, 'one');
    await sendMarked(graph, 'other', { saveToSentItems: false });
    const shown = async () =>
      Promise.all(
        ['drafts', 'outbox', 'sentitems'].map(async (name) =>
          subjects(await find(graph, {}, { folder: `mailFolders/${name}/messages` })),
        ),
      );
    expect(await shown()).toEqual([['one', 'other'], [], []]);
    expect((await find(graph, { $select: 'isDraft' })).value).toMatchObject([
      { isDraft: true },
      { isDraft: true },
    ]);
    graph.pass(2000);
    expect(await shown()).toEqual([[], [], []]);
    graph.pass(3000);
    expect(await shown()).toEqual([[], [], ['one']]);
  });

  test('is in the mailbox that sent, by any of its addresses', async () => {
    const graph = await graphForTests();
    await send(graph, { mailbox: 'payslips@contoso.example' });
    expect(subjects(await find(graph, {}, { mailbox: 'payroll@contoso.example' }))).toEqual(['Pay slip']);
    expect(subjects(await find(graph, {}, { mailbox: 'hr@contoso.example' }))).toEqual([]);
  });

  test('is not kept when the mail says so', async () => {
    const graph = await graphForTests();
    await sendMarked(graph, 'one', { saveToSentItems: false });
    expect(graph.captured).toHaveLength(1);
    expect(subjects(await find(graph))).toEqual([]);
  });

  test('is there for a mail whose answer was a 504, and not for one that was lost', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 504, accept: true } });
    graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 504 } });
    expect((await sendMarked(graph, 'accepted')).status).toBe(504);
    expect((await sendMarked(graph, 'lost')).status).toBe(504);
    expect(subjects(await find(graph, { $filter: filterBy('accepted') }))).toEqual(['accepted']);
    expect(subjects(await find(graph, { $filter: filterBy('lost') }))).toEqual([]);
  });

  test('hides the internet message headers, even when asked for them', async () => {
    const graph = await graphForTests();
    const message = aMessage({ internetMessageHeaders: [{ name: 'x-id', value: '1' }] });
    await send(graph, { body: { message } });
    const [copy] = (await find(graph, { $select: 'subject,internetMessageHeaders' })).value;
    expect(Object.keys(copy ?? {})).toEqual(['@odata.etag', 'id', 'subject']);
  });

  test('survives a restart by the mails captured before', async () => {
    const before = await graphForTests();
    await sendMarked(before, 'one');
    const after = await graphForTests({ earlierMails: before.captured });
    expect(subjects(await find(after, { $filter: filterBy('one') }))).toEqual(['one']);
  });

  test('shows what was sent', async () => {
    const graph = await graphForTests();
    const body = { contentType: 'html', content: '<p>Your  <b>pay slip</b></p>' };
    const logo = {
      '@odata.type': '#microsoft.graph.fileAttachment',
      name: 'logo.png',
      contentBytes: '',
      isInline: true,
    };
    await send(graph, { body: { message: aMessage({ body, attachments: [logo] }) } });
    const [copy] = (await find(graph)).value;
    expect(copy).toMatchObject({
      isDraft: false,
      sentDateTime: '2026-03-02T08:00:00Z',
      bodyPreview: 'Your pay slip',
      hasAttachments: false,
      body,
      from: { emailAddress: { address: 'noreply@contoso.example', name: 'Contoso' } },
      toRecipients: [{ emailAddress: { address: 'ada@fabrikam.example', name: 'Ada' } }],
      ccRecipients: [],
    });
    expect(copy).not.toHaveProperty('attachments');
    expect(copy).not.toHaveProperty('singleValueExtendedProperties');
  });
});

describe('a look-up by extended property', () => {
  test('minds the case of the name and not that of the value', async () => {
    const graph = await graphForTests();
    await sendMarked(graph, 'Abc');
    expect(subjects(await find(graph, { $filter: filterBy('aBC') }))).toEqual(['Abc']);
    const otherName = PROPERTY.replace('MailRelayId', 'mailrelayid');
    expect(subjects(await find(graph, { $filter: filterBy('Abc', otherName) }))).toEqual([]);
  });

  test('finds a value with single quotes, which are doubled', async () => {
    const graph = await graphForTests();
    await sendMarked(graph, "O'Brien's");
    expect(subjects(await find(graph, { $filter: filterBy("O'Brien's") }))).toEqual(["O'Brien's"]);
  });

  test.each([
    "singleValueExtendedProperties/any(p:p/id eq 'String 0x1045' and p/value eq 'x')",
    "  singleValueExtendedProperties/Any( ep : ep/id  eq 'String 0x1045'  and ep/value eq 'x' ) ",
  ])('is understood as %s', async (filter) => {
    expect(subjects(await find(await graphForTests(), { $filter: filter }))).toEqual([]);
  });

  const refused: [what: string, options: Record<string, string>, code: string][] = [
    ['another property', { $filter: "subject eq 'x'" }, 'ErrorInvalidUrlQueryFilter'],
    [
      'the headers',
      { $filter: "internetMessageHeaders/any(h:h/name eq 'x-id')" },
      'ErrorInvalidUrlQueryFilter',
    ],
    [
      'a quote that is not doubled',
      { $filter: filterBy('x').replace("'x'", "'O'Brien'") },
      'ErrorInvalidUrlQueryFilter',
    ],
    [
      'two range variables',
      { $filter: filterBy('x').replace('ep/value', 'e/value') },
      'ErrorInvalidUrlQueryFilter',
    ],
    [
      'more than the property',
      { $filter: `${filterBy('x')} or isDraft eq true` },
      'ErrorInvalidUrlQueryFilter',
    ],
    ['an empty filter', { $filter: '' }, 'ErrorInvalidUrlQueryFilter'],
    ['an id of no known form', { $filter: filterBy('x', 'MailRelayId') }, 'ErrorInvalidExtendedProperty'],
    ['an unknown property to select', { $select: 'subject,colour' }, 'BadRequest'],
    ['a $top of 0', { $top: '0' }, 'BadRequest'],
    ['a $top over 1000', { $top: '1001' }, 'BadRequest'],
    ['a $top that is no number', { $top: 'many' }, 'BadRequest'],
    ['an option the stand-in lacks', { $orderby: 'subject' }, 'BadRequest'],
  ];
  test.each(refused)('refuses %s', async (_what, options, code) => {
    const response = await ask(await graphForTests(), options);
    expect(response.status).toBe(400);
    expect((await errorOf(response)).code).toBe(code);
  });

  test('refuses a folder that the relay reads nothing of', async () => {
    const response = await ask(await graphForTests(), {}, { folder: 'mailFolders/junkemail/messages' });
    expect([response.status, (await errorOf(response)).code]).toEqual([400, 'ErrorInvalidIdMalformed']);
  });

  test('can be made to fail', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'listMessages', fault: { kind: 'answer', status: 503, retryAfter: '3' } });
    expect((await ask(graph)).status).toBe(503);
    expect((await ask(graph)).status).toBe(200);
  });
});

test('a long list comes newest first, in pages that link to the next', async () => {
  const graph = await graphForTests();
  for (const subject of ['1', '2', '3', '4', '5']) {
    await sendMarked(graph, subject);
    graph.pass(1000);
  }
  const seen: string[][] = [];
  let page = await find(graph, { $top: '2', $select: 'subject' });
  for (;;) {
    seen.push(subjects(page));
    const next = page['@odata.nextLink'];
    if (next === undefined) break;
    const response = await fetch(next, { headers: { authorization: `Bearer ${await tokenWith(READER)}` } });
    page = (await response.json()) as Found;
  }
  expect(seen).toEqual([['5', '4'], ['3', '2'], ['1']]);
});

describe('permission to read', () => {
  const roles: [roles: string[], status: number][] = [
    [['Mail.Read'], 200],
    [['Mail.ReadWrite'], 200],
    [['Mail.Send'], 403],
    [['Mail.ReadBasic'], 403],
    [['Mail.ReadBasic.All'], 403],
    [[], 403],
  ];
  test.each(roles)('with %j in the token: %i', async (granted, status) => {
    const response = await ask(await graphForTests(), {}, { claims: { roles: granted } });
    expect(response.status).toBe(status);
    if (status === 403) expect((await errorOf(response)).code).toBe('ErrorAccessDenied');
  });

  const exchangeRoles: [role: string, status: number][] = [
    ['Application Mail.Read', 200],
    ['Application Mail.ReadWrite', 200],
    ['Application Mail Full Access', 200],
    ['Application Mail.ReadBasic', 403],
    ['Application Mail.Send', 403],
  ];
  test.each(exchangeRoles)('with the Exchange role %s for this mailbox: %i', async (role, status) => {
    const graph = await graphForTests({
      directory: () => contosoForTests({ exchangeRoles: [{ role, mailboxes: ['noreply@contoso.example'] }] }),
    });
    const claims = { roles: [] };
    expect((await ask(graph, {}, { claims })).status).toBe(status);
    expect((await ask(graph, {}, { claims, mailbox: 'hr@contoso.example' })).status).toBe(403);
  });
});
