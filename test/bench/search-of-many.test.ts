import { createHash } from 'node:crypto';
import http from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '../../local/http.ts';
import { prefixOf, type SearchTerm, searchKeyOf } from '../../src/lib/ledger/search-index.ts';
import { openMailIndexTable } from '../../src/lib/storage/mail-index-table.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const MINUTE_MS = 60_000;

/** What a search can ask for, and every how many emails it fits one. */
const TERMS = {
  'any email': [{ by: 'any' }, 1],
  'the state of most': [{ by: 'state', state: 'sent' }, 1],
  'a state of few': [{ by: 'state', state: 'held' }, 5000],
  'a busy sender': [{ by: 'sender', address: 'noreply@contoso.example' }, 2],
  'a caller': [{ by: 'caller', caller: 'payroll' }, 10],
  'a tag': [{ by: 'tag', tag: 'payslip' }, 20],
  'a recipient': [{ by: 'recipient', addressHash: 'hash-of-ann-' }, 25_000],
  'an idempotency key': [{ by: 'key', keyHash: 'k1.0123456789abcdef' }, 100_000],
  'a Graph request ID': [{ by: 'graph-request', id: '57d24975-56f0-4107-a4a2-03fa579b05df' }, 100_000],
  'a Message-ID': [{ by: 'message-id', internetMessageId: '<one@contoso.example>' }, 100_000],
  'what no email has': [{ by: 'caller', caller: 'nobody' }, Number.POSITIVE_INFINITY],
} as const satisfies Record<string, readonly [SearchTerm, number]>;

/**
 * A table service with an index by partition and row key, as Azure's, that answers the queries of a search. Azurite reads all of
 * its entities for each query, which takes minutes with so many.
 */
const startTable = async (emails: number) => {
  const keys = new Map<string, string[]>();
  for (let number = 0; number < emails; number += 1) {
    const mailId = createHash('sha256').update(String(number)).digest('hex').slice(0, 36);
    const partition = mailId.slice(-2);
    const own = keys.get(partition) ?? [];
    keys.set(partition, own);
    for (const [term, every] of Object.values(TERMS))
      if ((number + 1) % every === 0)
        own.push(searchKeyOf(prefixOf(term), { acceptedAt: new Date(START + number * MINUTE_MS), mailId }));
  }
  for (const own of keys.values()) own.sort();
  let requests = 0;
  const server = http.createServer((request, response) => {
    requests += 1;
    const query = new URL(request.url ?? '', 'http://table').searchParams;
    const [, partition = '', above = '', below = ''] =
      /^PartitionKey eq '(.*)' and RowKey gt '(.*)' and RowKey lt '(.*)'$/.exec(query.get('$filter') ?? '') ??
      [];
    const top = Number(query.get('$top'));
    const found = (keys.get(partition) ?? []).filter((key) => key > above && key < below);
    const value = found.slice(0, top).map((RowKey) => ({ RowKey }));
    response
      .writeHead(200, {
        'content-type': 'application/json',
        ...(found.length > top
          ? {
              'x-ms-continuation-nextpartitionkey': partition,
              'x-ms-continuation-nextrowkey': found[top] ?? '',
            }
          : {}),
      })
      .end(JSON.stringify({ value }));
  });
  const { url, close } = await listen(server, { name: 'A table service', port: 0, portSetting: 'none' });
  onTestFinished(close);
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${Buffer.from('k').toString('base64')};TableEndpoint=${url}/a;`;
  const index = openMailIndexTable({ kind: 'connection-string', connectionString });
  return async (term: SearchTerm) => {
    requests = 0;
    const places = await index.list(term, {}, 50);
    return { found: places.length, requests };
  };
};

test('a page of a hundred thousand emails costs 256 requests, whatever it is searched by', async () => {
  const search = await startTable(100_000);
  const costs: Record<string, unknown> = {};
  for (const [name, [term]] of Object.entries(TERMS)) costs[name] = await search(term);
  expect(costs).toEqual(
    Object.fromEntries(
      Object.entries(TERMS).map(([name, [, every]]) => [
        name,
        { found: Math.min(50, Math.floor(100_000 / every)), requests: 256 },
      ]),
    ),
  );
});
