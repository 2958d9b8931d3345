import { describe, expect, test } from 'vitest';
import { mayTrace } from '../../../local/directory.ts';
import { aMessage, contosoForTests, errorOf, graphForTests, send, tokenWith } from './graph-for-tests.ts';

const TRACES = '/v1.0/admin/exchange/tracing/messageTraces';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const ROLES = { roles: ['Mail.Send', 'ExchangeMessageTrace.Read.All'] };

type Row = Readonly<Record<string, string>>;
type Page = { readonly value: readonly Row[]; readonly '@odata.nextLink'?: string };

const tracing = async (options = {}) => {
  const graph = await graphForTests({ directory: () => mayTrace(contosoForTests()), ...options });
  const token = await tokenWith({ ...ROLES, exp: 4_000_000_000 });
  const to = (...addresses: readonly string[]) =>
    send(graph, {
      body: {
        message: aMessage({
          subject: `To ${addresses.join(' ')}`,
          toRecipients: addresses.map((address) => ({ emailAddress: { address } })),
        }),
      },
      token,
    });
  const get = (pathOrUrl: string) =>
    fetch(pathOrUrl.startsWith('http') ? pathOrUrl : `${graph.url}${pathOrUrl}`, {
      headers: { authorization: `Bearer ${token}` },
    });
  const query = (options: Readonly<Record<string, string>>) =>
    get(`${TRACES}?${new URLSearchParams(options)}`);
  const list = async (options: Readonly<Record<string, string>> = {}) =>
    (await (await query(options)).json()) as Page;
  const recipients = async (filter: string) =>
    (await list({ $filter: filter })).value.map(({ recipientAddress }) => recipientAddress);
  return { graph, to, get, query, list, recipients };
};

describe('the stand-in for message traces', () => {
  test('lists an email only minutes after it was accepted, one row for each recipient', async () => {
    const { graph, to, list } = await tracing();
    await to('ada@fabrikam.example', 'bob@fabrikam.example');
    expect((await list()).value).toEqual([]);
    graph.pass(5 * MINUTE_MS);
    const { value } = await list();
    expect(value.map(({ recipientAddress, status }) => [recipientAddress, status])).toEqual([
      ['ada@fabrikam.example', 'Delivered'],
      ['bob@fabrikam.example', 'Delivered'],
    ]);
    expect(new Set(value.map(({ id, messageId }) => `${id} ${messageId}`)).size).toBe(1);
    expect(value[0]?.messageId).toBe(graph.captured[0]?.internetMessageId);
  });

  test('lists the newest first, in pages by a token that a URL must escape, and ignores $select and $orderby', async () => {
    const { graph, to, get, list } = await tracing();
    for (const name of ['a', 'b', 'c']) {
      await to(`${name}@fabrikam.example`);
      graph.pass(MINUTE_MS);
    }
    graph.pass(5 * MINUTE_MS);
    const first = await list({ $top: '2', $select: 'id', $orderby: 'receivedDateTime asc' });
    expect(first.value.map(({ recipientAddress }) => recipientAddress)).toEqual([
      'c@fabrikam.example',
      'b@fabrikam.example',
    ]);
    expect(new URL(first['@odata.nextLink'] ?? '').searchParams.get('$skiptoken')).toContain('=');
    const second = (await (await get(first['@odata.nextLink'] ?? '')).json()) as Page;
    expect(second.value.map(({ recipientAddress }) => recipientAddress)).toEqual(['a@fabrikam.example']);
    expect(second).not.toHaveProperty('@odata.nextLink');
  });

  test('keeps only the last of several values for one property, and ignores or, in, ne and not', async () => {
    const { graph, to, recipients } = await tracing();
    await to('a@fabrikam.example', 'b@fabrikam.example', 'bounce@fabrikam.example');
    graph.pass(5 * MINUTE_MS);
    expect(
      await recipients(
        "recipientAddress eq 'a@fabrikam.example' or recipientAddress eq 'b@fabrikam.example'",
      ),
    ).toEqual(['b@fabrikam.example']);
    expect(await recipients("recipientAddress in ('a@fabrikam.example')")).toHaveLength(3);
    expect(await recipients("status ne 'failed'")).toHaveLength(3);
    expect(await recipients("senderAddress eq '*@contoso.example' and status eq 'failed'")).toEqual([
      'bounce@fabrikam.example',
    ]);
    expect(await recipients("startswith(recipientAddress, 'a')")).toHaveLength(3);
    expect(await recipients("contains(subject, 'nothing like it')")).toEqual([]);
  });

  test('takes the last 48 hours where no time is given', async () => {
    const { graph, to, list } = await tracing();
    await to('ada@fabrikam.example');
    graph.pass(2 * DAY_MS);
    expect((await list()).value).toHaveLength(1);
    graph.pass(1);
    expect((await list()).value).toEqual([]);
  });

  test.each([
    ['a start without an end', 'receivedDateTime ge 2026-03-01T00:00:00Z', 'EndDate is required'],
    ['an end without a start', 'receivedDateTime le 2026-03-01T00:00:00Z', 'StartDate is required'],
    [
      'lt',
      'receivedDateTime ge 2026-03-01T00:00:00Z and receivedDateTime lt 2026-03-02T00:00:00Z',
      "operator 'lt' is not supported",
    ],
    [
      'more than ten days',
      'receivedDateTime ge 2026-02-19T00:00:00Z and receivedDateTime le 2026-03-01T00:00:01Z',
      "can't be longer than 10 days",
    ],
    [
      'more than 90 days ago',
      'receivedDateTime ge 2025-12-01T00:00:00Z and receivedDateTime le 2025-12-02T00:00:00Z',
      "can't be older than 90 days",
    ],
    [
      'the future',
      'receivedDateTime ge 2026-03-01T00:00:00Z and receivedDateTime le 2026-03-02T08:00:01Z',
      'in the future',
    ],
    [
      'fractions of a second',
      'receivedDateTime ge 2026-03-01T00:00:00.000Z and receivedDateTime le 2026-03-02T00:00:00Z',
      'Invalid date',
    ],
  ])('refuses %s', async (_case, filter, words) => {
    const { query } = await tracing();
    const response = await query({ $filter: filter });
    expect(response.status).toBe(400);
    expect((await errorOf(response)).message).toContain(words);
  });

  test('refuses pages of more than 5000 rows', async () => {
    const { query } = await tracing();
    expect((await errorOf(await query({ $top: '5001' }))).message).toBe('ResultSize is invalid.');
  });

  test('refuses whoever lacks the permission, and says something else where the service principal is missing', async () => {
    const withoutPrincipal = await tracing({ directory: () => contosoForTests() });
    const missing = await withoutPrincipal.query({});
    expect(missing.status).toBe(401);
    expect(await errorOf(missing)).toMatchObject({
      code: 'Unauthorized',
      message: expect.stringContaining('8bd644d1-64a1-4d4b-ae52-2e0cbf64e373 was not found'),
    });
    const { graph } = await tracing();
    const denied = await fetch(`${graph.url}${TRACES}`, {
      headers: { authorization: `Bearer ${await tokenWith()}` },
    });
    expect([denied.status, (await errorOf(denied)).code]).toEqual([403, 'Authorization_RequestDenied']);
  });

  test('takes 100 requests in five minutes, and then says how long to wait', async () => {
    const { graph, query } = await tracing();
    graph.settings.change({ tracesPerFiveMinutes: 2 });
    await query({});
    graph.pass(MINUTE_MS);
    expect((await query({})).status).toBe(200);
    const refused = await query({});
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '240']);
    expect((await errorOf(refused)).message).toContain('surpassed the permitted limit');
    graph.pass(4 * MINUTE_MS);
    expect((await query({})).status).toBe(200);
  });

  test('tells what happened on the way to one recipient, with the events of one second in any order', async () => {
    const { graph, to, get, list } = await tracing();
    await to("bounce.5.7.1.o'hara@fabrikam.example");
    graph.pass(5 * MINUTE_MS);
    const [row] = (await list()).value;
    const address = encodeURIComponent(String(row?.recipientAddress).replace("'", "''"));
    const response = await get(`${TRACES}/${row?.id}/getDetailsByRecipient(recipientAddress='${address}')`);
    const { value } = (await response.json()) as Page;
    expect(value.map(({ event }) => event)).toEqual(['Drop', 'Receive', 'Submit', 'Fail']);
    expect(value.at(-1)?.description).toContain('550 5.7.1');
  });

  test.each([
    ['bounce@x.example', ['Failed']],
    ['quarantine@x.example', ['Quarantined']],
    ['spam@x.example', ['FilteredAsSpam']],
    ['pending@x.example', ['Pending']],
    ['slow@x.example', ['Pending']],
    ['group@x.example', ['Expanded', 'Delivered', 'Delivered']],
  ])('decides by the name of the recipient: %s', async (address, expected) => {
    const { graph, to, list } = await tracing();
    await to(address);
    graph.pass(5 * MINUTE_MS);
    expect((await list()).value.map(({ status }) => status)).toEqual(expected);
  });
});
