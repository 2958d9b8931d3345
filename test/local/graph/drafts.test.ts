import { describe, expect, test } from 'vitest';
import {
  aMessage,
  ask,
  contosoForTests,
  DRAFTER,
  draft,
  errorOf,
  type GraphForTests,
  graphForTests,
  IMMUTABLE,
  type Message,
  pathOf,
  refusalOf,
  send,
  tokenWith,
} from './graph-for-tests.ts';

const PROPERTY = 'String {66f5a359-4659-4830-9070-00047ec6ac6e} Name MailRelayId';
const PDF = {
  '@odata.type': '#microsoft.graph.fileAttachment',
  name: 'a.pdf',
  contentType: 'application/pdf',
  contentBytes: 'JVBERg==',
};
const MIME = ['From: noreply@contoso.example', 'To: a@b.example', 'X-MailRelay-Id: 1', '', 'Hi', ''].join(
  '\r\n',
);

const sendIt = (graph: GraphForTests, one: Pick<Message, 'id'>, headers: Record<string, string> = {}) =>
  ask(graph, 'POST', `${pathOf(one)}/send`, { headers });

const get = async (graph: GraphForTests, one: Pick<Message, 'id'>, headers: Record<string, string> = {}) => {
  const response = await ask(graph, 'GET', pathOf(one), { headers });
  return response.status === 200 ? ((await response.json()) as Message) : response.status;
};

async function list(graph: GraphForTests, $filter?: string, folder = ''): Promise<Message[]> {
  const query = $filter === undefined ? '' : `?${new URLSearchParams({ $filter })}`;
  const response = await ask(graph, 'GET', `${folder}/messages${query}`);
  if (response.status !== 200) throw new Error(await response.text());
  return ((await response.json()) as { value: Message[] }).value;
}

describe('a new draft', () => {
  test('is answered with 201 and the message, and is in Drafts', async () => {
    const graph = await graphForTests();
    const one = await draft(graph);
    expect(one).toMatchObject({
      '@odata.context': expect.stringContaining('/$entity'),
      '@odata.etag': `W/"${one.changeKey}"`,
      isDraft: true,
      parentFolderId: 'local-drafts',
      internetMessageId: expect.stringMatching(/^<.+@contoso\.example>$/),
      subject: 'Pay slip',
    });
    expect(one.id).toMatch(/^[\w=-]{100,}$/);
    for (const character of ['-', '_', '=']) expect(one.id).toContain(character);
    expect((await list(graph, undefined, '/mailFolders/drafts')).map(({ id }) => id)).toEqual([one.id]);
    expect(await list(graph, undefined, '/mailFolders/sentitems')).toEqual([]);
    expect(graph.captured).toEqual([]);
  });

  test('may be without recipients and from anybody until it is sent', async () => {
    const graph = await graphForTests();
    expect(await refusalOf(await sendIt(graph, await draft(graph, {})))).toEqual([
      400,
      'ErrorInvalidRecipients',
    ]);
    const from = { emailAddress: { address: 'hr@contoso.example' } };
    const other = await draft(graph, aMessage({ from }));
    expect(await refusalOf(await sendIt(graph, other))).toEqual([403, 'ErrorSendAsDenied']);
    expect((await list(graph)).length).toBe(2);
  });

  test('can be made from MIME, and is sent as such', async () => {
    const graph = await graphForTests();
    const raw = Buffer.from(MIME).toString('base64');
    const response = await ask(graph, 'POST', '/messages', {
      raw,
      headers: { 'content-type': 'text/plain' },
    });
    expect(response.status).toBe(201);
    const one = (await response.json()) as Message;
    expect((await sendIt(graph, one)).status).toBe(202);
    expect(graph.captured).toMatchObject([
      { via: 'draft', mime: raw, headers: expect.any(Array), internetMessageId: one.internetMessageId },
    ]);
    const id = 'String {00020386-0000-0000-C000-000000000046} Name x-mailrelay-id';
    expect(
      await list(graph, `singleValueExtendedProperties/Any(ep: ep/id eq '${id}' and ep/value eq '1')`),
    ).toHaveLength(1);
  });

  const refused: [what: string, json: unknown, status: number, code: string][] = [
    ['with the wrapper of sendMail', { message: aMessage() }, 400, 'RequestBodyRead'],
    [
      'with a header that is not x-',
      aMessage({ internetMessageHeaders: [{ name: 'List-Id', value: '1' }] }),
      400,
      'InvalidInternetMessageHeader',
    ],
    [
      'with a bad property',
      aMessage({ singleValueExtendedProperties: [{ id: 'x', value: '1' }] }),
      400,
      'ErrorInvalidExtendedProperty',
    ],
  ];
  test.each(refused)('is refused %s', async (_what, json, status, code) => {
    const graph = await graphForTests();
    expect(await refusalOf(await ask(graph, 'POST', '/messages', { json }))).toEqual([status, code]);
    expect(await list(graph)).toEqual([]);
  });

  test('is refused over 4 MB', async () => {
    const response = await ask(await graphForTests(), 'POST', '/messages', {
      raw: ' '.repeat(4_000_001),
      headers: { 'content-type': 'application/json' },
    });
    expect((await errorOf(response)).message).toMatch(/Maximum request length exceeded/);
  });
});

describe('a draft that is sent', () => {
  test('is answered with 202 and no body, captured with everything it has, and is in Sent Items', async () => {
    const graph = await graphForTests();
    const one = await draft(graph, aMessage({ attachments: [PDF] }));
    await ask(graph, 'POST', `${pathOf(one)}/attachments`, { json: { ...PDF, name: 'b.pdf' } });
    const response = await sendIt(graph, one);
    expect([response.status, await response.text()]).toEqual([202, '']);
    expect(graph.captured).toMatchObject([
      {
        via: 'draft',
        graphRequestId: response.headers.get('request-id'),
        internetMessageId: one.internetMessageId,
        request: {
          path: expect.stringMatching(/\/send$/),
          body: { message: { ...aMessage(), attachments: [PDF, { ...PDF, name: 'b.pdf' }] } },
        },
      },
    ]);
    expect(await list(graph)).toMatchObject([
      {
        isDraft: false,
        parentFolderId: 'local-sentitems',
        internetMessageId: one.internetMessageId,
        hasAttachments: true,
      },
    ]);
  });

  test('has another id then', async () => {
    const graph = await graphForTests();
    const one = await draft(graph);
    await sendIt(graph, one);
    expect(await get(graph, one)).toBe(404);
    const [copy] = await list(graph);
    expect(copy?.id).not.toBe(one.id);
    expect(await get(graph, copy!)).toMatchObject({ isDraft: false });
  });

  test('keeps an immutable id, where each request prefers it', async () => {
    const graph = await graphForTests();
    const response = await ask(graph, 'POST', '/messages', { json: aMessage(), headers: IMMUTABLE });
    expect(response.headers.get('preference-applied')).toBe('IdType="ImmutableId"');
    const one = (await response.json()) as Message;
    expect(await refusalOf(await sendIt(graph, one))).toEqual([404, 'ErrorItemNotFound']);
    expect((await sendIt(graph, one, IMMUTABLE)).status).toBe(202);
    expect(await get(graph, one, IMMUTABLE)).toMatchObject({ id: one.id, isDraft: false });
    expect(await get(graph, one)).toBe(404);
  });

  test('is a draft until transport has taken it, and then nowhere until its copy appears', async () => {
    const graph = await graphForTests({ sentItemsDelayMs: 5000 });
    graph.settings.change({ transportDelayMs: 2000 });
    const one = await draft(graph, aMessage(), IMMUTABLE);
    await sendIt(graph, one, IMMUTABLE);
    expect(await get(graph, one, IMMUTABLE)).toMatchObject({ isDraft: true });
    graph.pass(2000);
    expect(await get(graph, one, IMMUTABLE)).toBe(404);
    graph.pass(3000);
    expect(await get(graph, one, IMMUTABLE)).toMatchObject({ isDraft: false });
  });

  test('cannot be sent again, by whichever id, nor by two at the same time', async () => {
    const graph = await graphForTests();
    const one = await draft(graph, aMessage(), IMMUTABLE);
    const both = await Promise.all([sendIt(graph, one, IMMUTABLE), sendIt(graph, one, IMMUTABLE)]);
    expect(both.map(({ status }) => status).sort()).toEqual([202, 404]);
    expect(await refusalOf(await sendIt(graph, one, IMMUTABLE))).toEqual([404, 'ErrorItemNotFound']);
    expect(graph.captured).toHaveLength(1);
  });

  test('is found by its immutable id after a restart', async () => {
    const before = await graphForTests();
    const one = await draft(before, aMessage(), IMMUTABLE);
    await sendIt(before, one, IMMUTABLE);
    const after = await graphForTests({ earlierMails: before.captured });
    expect(await get(after, one, IMMUTABLE)).toMatchObject({ internetMessageId: one.internetMessageId });
  });

  test('stays a draft when it could not be stored', async () => {
    const graph = await graphForTests({ capture: () => Promise.reject(new Error('disk full')) });
    const one = await draft(graph);
    expect((await sendIt(graph, one)).status).toBe(500);
    expect(await get(graph, one)).toMatchObject({ isDraft: true });
  });

  test('counts towards the 30 emails of a minute', async () => {
    const graph = await graphForTests({ limits: { on: true, messagesPerMinute: 1 } });
    expect((await sendIt(graph, await draft(graph))).status).toBe(202);
    expect((await sendIt(graph, await draft(graph))).status).toBe(429);
    expect((await send(graph)).status).toBe(429);
  });

  test('needs a request without a body', async () => {
    const graph = await graphForTests();
    const one = await draft(graph);
    const response = await ask(graph, 'POST', `${pathOf(one)}/send`, { json: {} });
    expect(await refusalOf(response)).toEqual([400, 'RequestBodyRead']);
    expect(graph.captured).toEqual([]);
  });
});

describe('a single message', () => {
  test('is found by its id in exactly its case', async () => {
    const graph = await graphForTests();
    const one = await draft(graph);
    expect(await get(graph, one)).toEqual(one);
    const response = await ask(graph, 'GET', pathOf({ id: one.id.toLowerCase() }));
    expect(await refusalOf(response)).toEqual([404, 'ErrorItemNotFound']);
  });

  test('shows what is selected, and refuses what it does not know', async () => {
    const graph = await graphForTests();
    const one = await draft(graph);
    const response = await ask(graph, 'GET', `${pathOf(one)}?$select=isDraft,internetMessageId`);
    expect(await response.json()).toEqual({
      '@odata.context': expect.any(String),
      '@odata.etag': one['@odata.etag'],
      id: one.id,
      isDraft: true,
      internetMessageId: one.internetMessageId,
    });
    for (const query of ['$select=colour', '$expand=attachments'])
      expect((await ask(graph, 'GET', `${pathOf(one)}?${query}`)).status).toBe(400);
  });

  test('of another mailbox is not found', async () => {
    const graph = await graphForTests();
    const { id } = await draft(graph);
    const response = await send(graph, {
      method: 'GET',
      path: `/v1.0/users/hr@contoso.example/messages/${encodeURIComponent(id)}`,
      token: await tokenWith(DRAFTER),
    });
    expect(response.status).toBe(404);
  });
});

describe('a change', () => {
  test('of a draft is what is sent, and gives it a new change key', async () => {
    const graph = await graphForTests();
    const one = await draft(graph);
    const response = await ask(graph, 'PATCH', pathOf(one), { json: { subject: 'New' } });
    expect(response.status).toBe(200);
    const changed = (await response.json()) as Message;
    expect(changed).toMatchObject({ id: one.id, subject: 'New' });
    expect(changed.changeKey).not.toBe(one.changeKey);
    await sendIt(graph, one);
    expect(graph.captured[0]?.request.body.message).toEqual({ ...aMessage(), subject: 'New' });
  });

  test('of a property leaves the others as they are', async () => {
    const graph = await graphForTests();
    const property = (name: string, value: string) => ({
      id: `String {00020329-0000-0000-c000-000000000046} Name ${name}`,
      value,
    });
    const before = [property('a', '1'), property('b', '2')];
    const one = await draft(graph, aMessage({ singleValueExtendedProperties: before }));
    const json = { singleValueExtendedProperties: [property('b', '3'), property('c', '4')] };
    expect((await ask(graph, 'PATCH', pathOf(one), { json })).status).toBe(200);
    await sendIt(graph, one);
    expect(graph.captured[0]?.request.body.message.singleValueExtendedProperties).toEqual([
      property('a', '1'),
      ...json.singleValueExtendedProperties,
    ]);
  });

  test('of a draft that was made from MIME is taken of properties, and of nothing else', async () => {
    const graph = await graphForTests();
    const mime = 'From: noreply@contoso.example\r\nTo: a@b.cc\r\nSubject: Pay slip\r\n\r\nAttached.\r\n';
    const made = await ask(graph, 'POST', '/messages', {
      raw: Buffer.from(mime).toString('base64'),
      headers: { 'content-type': 'text/plain' },
    });
    const one = (await made.json()) as Message;
    const change = (json: unknown) => ask(graph, 'PATCH', pathOf(one), { json });
    const marked = { id: 'String {00020329-0000-0000-c000-000000000046} Name a', value: '1' };
    expect((await change({ singleValueExtendedProperties: [marked] })).status).toBe(200);
    expect(await refusalOf(await change({ subject: 'New' }))).toEqual([400, 'RequestBodyRead']);
    await sendIt(graph, one);
    expect(graph.captured[0]?.request.body.message).toMatchObject({
      subject: 'Pay slip',
      singleValueExtendedProperties: [marked],
    });
  });

  test('of the Message-ID counts where a caller keeps its own', async () => {
    const graph = await graphForTests();
    const one = await draft(graph);
    const change = { json: { internetMessageId: '<own@contoso.example>' } };
    await ask(graph, 'PATCH', pathOf(one), change);
    expect(await get(graph, one)).toMatchObject({ internetMessageId: one.internetMessageId });
    graph.settings.change({ callerMessageId: 'keep' });
    await ask(graph, 'PATCH', pathOf(one), change);
    expect(await get(graph, one)).toMatchObject({ internetMessageId: '<own@contoso.example>' });
  });

  test('of what was sent is refused: that needs Mail-Advanced.ReadWrite', async () => {
    const graph = await graphForTests();
    const one = await draft(graph, aMessage(), IMMUTABLE);
    await sendIt(graph, one, IMMUTABLE);
    const response = await ask(graph, 'PATCH', pathOf(one), { json: { subject: 'New' }, headers: IMMUTABLE });
    expect(await refusalOf(response)).toEqual([403, 'ErrorAccessDenied']);
  });

  test.each(['attachments', 'internetMessageHeaders'])('of %s is refused', async (name) => {
    const graph = await graphForTests();
    const response = await ask(graph, 'PATCH', pathOf(await draft(graph)), { json: { [name]: [] } });
    expect(await refusalOf(response)).toEqual([400, 'RequestBodyRead']);
  });
});

describe('a deletion', () => {
  test('is answered with 204, and then with 404', async () => {
    const graph = await graphForTests();
    const one = await draft(graph);
    expect((await ask(graph, 'DELETE', pathOf(one))).status).toBe(204);
    expect(await refusalOf(await ask(graph, 'DELETE', pathOf(one)))).toEqual([404, 'ErrorItemNotFound']);
    expect(await refusalOf(await sendIt(graph, one))).toEqual([404, 'ErrorItemNotFound']);
  });

  test('of the copy of what was sent does not take back what recipients have', async () => {
    const graph = await graphForTests();
    await sendIt(graph, await draft(graph));
    const [copy] = await list(graph);
    expect((await ask(graph, 'DELETE', pathOf(copy!))).status).toBe(204);
    expect(await list(graph)).toEqual([]);
    expect(graph.captured).toHaveLength(1);
  });
});

describe('a small attachment', () => {
  test('is answered with 201 and listed with its size', async () => {
    const graph = await graphForTests();
    const one = await draft(graph);
    const json = { ...PDF, isInline: true, contentId: 'a' };
    const response = await ask(graph, 'POST', `${pathOf(one)}/attachments`, { json });
    expect(response.status).toBe(201);
    const added = (await response.json()) as Message;
    expect(added).toMatchObject({ ...json, size: 4, id: expect.any(String) });
    const { contentBytes, ...shown } = added;
    const listed = await (await ask(graph, 'GET', `${pathOf(one)}/attachments`)).json();
    expect(listed).toMatchObject({ value: [shown] });
    expect(await get(graph, one)).toMatchObject({ hasAttachments: false });
  });

  const refused: [what: string, json: unknown, status: number, code: string][] = [
    ['without a type', { name: 'a', contentBytes: '' }, 400, 'RequestBodyRead'],
    ['without a name', { ...PDF, name: '' }, 400, 'ErrorInvalidRequest'],
    ['with bytes that are no base64', { ...PDF, contentBytes: '###' }, 400, 'RequestBodyRead'],
    [
      'of 3 MB',
      { ...PDF, contentBytes: Buffer.alloc(3_000_000).toString('base64') },
      400,
      'ErrorAttachmentSizeLimitExceeded',
    ],
    ['whose JSON has more than 4 MiB', { ...PDF, name: 'a'.repeat(4 * 1024 ** 2) }, 400, 'BadRequest'],
  ];
  test.each(refused)('is refused %s', async (_what, json, status, code) => {
    const graph = await graphForTests();
    const one = await draft(graph);
    expect(await refusalOf(await ask(graph, 'POST', `${pathOf(one)}/attachments`, { json }))).toEqual([
      status,
      code,
    ]);
  });

  test('of 2,999,999 bytes is taken, with JSON of a little more than 4,000,000', async () => {
    const graph = await graphForTests();
    const one = await draft(graph);
    const json = { ...PDF, contentBytes: Buffer.alloc(2_999_999).toString('base64') };
    expect(JSON.stringify(json).length).toBeGreaterThan(4_000_000);
    expect((await ask(graph, 'POST', `${pathOf(one)}/attachments`, { json })).status).toBe(201);
  });

  test('is refused for what was sent', async () => {
    const graph = await graphForTests();
    const one = await draft(graph, aMessage(), IMMUTABLE);
    await sendIt(graph, one, IMMUTABLE);
    const response = await ask(graph, 'POST', `${pathOf(one)}/attachments`, {
      json: PDF,
      headers: IMMUTABLE,
    });
    expect(await refusalOf(response)).toEqual([404, 'ErrorItemNotFound']);
  });

  test('that makes the message larger than its mailbox takes is refused', async () => {
    const graph = await graphForTests({ limits: { on: true, messageBytes: 7 } });
    const one = await draft(graph, aMessage({ attachments: [PDF] }));
    const response = await ask(graph, 'POST', `${pathOf(one)}/attachments`, { json: PDF });
    expect(await refusalOf(response)).toEqual([400, 'ErrorMessageSizeExceeded']);
  });
});

describe('permissions', () => {
  const calls: [
    call: string,
    method: string,
    path: (one: Message) => string,
    json: unknown,
    needs: string,
  ][] = [
    ['createDraft', 'POST', () => '/messages', aMessage(), 'Mail.ReadWrite'],
    ['updateDraft', 'PATCH', pathOf, { subject: 'New' }, 'Mail.ReadWrite'],
    ['addAttachment', 'POST', (one) => `${pathOf(one)}/attachments`, PDF, 'Mail.ReadWrite'],
    [
      'createUploadSession',
      'POST',
      (one) => `${pathOf(one)}/attachments/createUploadSession`,
      { AttachmentItem: { attachmentType: 'file', name: 'a', size: 3_000_000 } },
      'Mail.ReadWrite',
    ],
    ['listAttachments', 'GET', (one) => `${pathOf(one)}/attachments`, undefined, 'Mail.Read'],
    ['getMessage', 'GET', pathOf, undefined, 'Mail.Read'],
    ['deleteMessage', 'DELETE', pathOf, undefined, 'Mail.ReadWrite'],
    ['sendDraft', 'POST', (one) => `${pathOf(one)}/send`, undefined, 'Mail.Send'],
  ];
  test.each(calls)('%s: %s needs no more than its own', async (_call, method, path, json, needs) => {
    const graph = await graphForTests();
    const one = await draft(graph);
    const others = ['Mail.Send', 'Mail.Read', 'Mail.ReadWrite'].filter(
      (role) => role !== needs && !(needs === 'Mail.Read' && role === 'Mail.ReadWrite'),
    );
    const asked = (roles: string[]) => ask(graph, method, path(one), { json, claims: { roles } });
    expect(await refusalOf(await asked(others))).toEqual([403, 'ErrorAccessDenied']);
    expect((await asked([needs])).ok).toBe(true);
  });

  const exchangeRoles: [role: string, status: number][] = [
    ['Application Mail.ReadWrite', 201],
    ['Application Mail Full Access', 201],
    ['Application Mail.Read', 403],
    ['Application Mail.Send', 403],
  ];
  test.each(exchangeRoles)('a draft with the Exchange role %s: %i', async (role, status) => {
    const graph = await graphForTests({
      directory: () => contosoForTests({ exchangeRoles: [{ role, mailboxes: ['noreply@contoso.example'] }] }),
    });
    const response = await ask(graph, 'POST', '/messages', { json: aMessage(), claims: { roles: [] } });
    expect(response.status).toBe(status);
  });
});

describe('abandoned drafts', () => {
  const marked = (value: string) =>
    aMessage({ subject: value, singleValueExtendedProperties: [{ id: PROPERTY, value }] });
  const ours = `singleValueExtendedProperties/Any(ep: ep/id eq '${PROPERTY}' and ep/value ne null)`;

  test('are found by their age and a property that they have, whatever its value, in either order', async () => {
    const graph = await graphForTests();
    await draft(graph, marked('old'));
    await draft(graph, aMessage({ subject: 'of another app' }));
    graph.pass(60_000);
    await draft(graph, marked('new'));
    const before = 'createdDateTime lt 2026-03-02T08:01:00Z';
    for (const filter of [`${before} and ${ours}`, `${ours} and ${before}`])
      expect((await list(graph, filter, '/mailFolders/drafts')).map(({ subject }) => subject)).toEqual([
        'old',
      ]);
    expect((await list(graph, ours)).map(({ subject }) => subject)).toEqual(['new', 'old']);
  });

  const refused = [
    `${ours} or createdDateTime lt 2026-03-02T08:01:00Z`,
    `${ours} and ${ours}`,
    `${ours} and`,
    `${ours} and subject eq 'x'`,
    'createdDateTime lt yesterday',
    'createdDateTime lt 2026-13-41T08:01:00Z',
    "createdDateTime lt '2026-03-02T08:01:00Z'",
    'internetMessageId eq <a@b>',
  ];
  test.each(refused)('are not looked for by %s', async (filter) => {
    const response = await ask(
      await graphForTests(),
      'GET',
      `/messages?${new URLSearchParams({ $filter: filter })}`,
    );
    expect(await refusalOf(response)).toEqual([400, 'ErrorInvalidUrlQueryFilter']);
  });
});

describe('a fault', () => {
  test('of a 504 after accepting leaves a draft that was sent', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'sendDraft', fault: { kind: 'answer', status: 504, accept: true } });
    const one = await draft(graph, aMessage(), IMMUTABLE);
    expect((await sendIt(graph, one, IMMUTABLE)).status).toBe(504);
    expect(await get(graph, one, IMMUTABLE)).toMatchObject({ isDraft: false });
    expect(graph.captured).toHaveLength(1);
  });

  test('of a reset before and after tells nothing, and does nothing or everything', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'createDraft', fault: { kind: 'reset', when: 'before' } });
    await expect(draft(graph)).rejects.toThrow(/fetch failed/);
    expect(await list(graph)).toEqual([]);
    graph.faults.add({ on: 'createDraft', fault: { kind: 'reset', when: 'after' } });
    await expect(draft(graph)).rejects.toThrow(/fetch failed/);
    expect(await list(graph)).toHaveLength(1);
  });

  test('can answer 404 right after the draft was made, as often as planned', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'createUploadSession', times: 2, fault: { kind: 'notFound' } });
    const one = await draft(graph);
    const open = () =>
      ask(graph, 'POST', `${pathOf(one)}/attachments/createUploadSession`, {
        json: { AttachmentItem: { attachmentType: 'file', name: 'a', size: 3_000_000 } },
      });
    expect(await refusalOf(await open())).toEqual([404, 'ErrorItemNotFound']);
    expect((await open()).status).toBe(404);
    expect((await open()).status).toBe(201);
  });

  const calls: [
    on: 'getMessage' | 'deleteMessage' | 'addAttachment' | 'updateDraft' | 'listAttachments',
    method: string,
    rest: string,
    json: unknown,
  ][] = [
    ['getMessage', 'GET', '', undefined],
    ['deleteMessage', 'DELETE', '', undefined],
    ['updateDraft', 'PATCH', '', { subject: 'New' }],
    ['addAttachment', 'POST', '/attachments', PDF],
    ['listAttachments', 'GET', '/attachments', undefined],
  ];
  test.each(calls)('hits %s once', async (on, method, rest, json) => {
    const graph = await graphForTests();
    graph.faults.add({ on, fault: { kind: 'answer', status: 429, retryAfter: '7' } });
    const one = await draft(graph);
    const refused = await ask(graph, method, `${pathOf(one)}${rest}`, { json });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '7']);
    expect((await ask(graph, method, `${pathOf(one)}${rest}`, { json })).ok).toBe(true);
  });
});
