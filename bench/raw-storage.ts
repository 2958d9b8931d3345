import { createHmac } from 'node:crypto';
import { openClient, type RawAnswer } from './keep-alive-client.ts';

export type RawEntity = Readonly<Record<string, string>> & {
  readonly PartitionKey: string;
  readonly RowKey: string;
};
export type RawMessage = { readonly id: string; readonly popReceipt: string; readonly text: string };

/** The requests to Table and Queue storage that an email needs, as plain REST with a shared key, without an SDK. */
export type RawStorage = {
  createTable(table: string): Promise<void>;
  /** Gives the ETag. */
  insertEntity(table: string, entity: RawEntity): Promise<string>;
  replaceEntity(table: string, entity: RawEntity, etag: string): Promise<void>;
  /** All or none; at most 100, all of one partition. */
  insertEntities(table: string, entities: readonly RawEntity[]): Promise<void>;
  listEntities(table: string, filter: string): Promise<readonly RawEntity[]>;
  createQueue(queue: string): Promise<void>;
  putMessage(queue: string, text: string, visibleInSeconds: number): Promise<void>;
  receiveMessages(queue: string, count: number, leaseSeconds: number): Promise<readonly RawMessage[]>;
  deleteMessage(queue: string, message: RawMessage): Promise<void>;
  clearQueue(queue: string): Promise<void>;
  close(): void;
};

const VERSION = '2021-12-02';
const JSON_TYPE = 'application/json;odata=nometadata';

/** https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
export const openRawStorage = (connectionString: string): RawStorage => {
  const part = (name: string): string => {
    const value = new RegExp(`(?:^|;)${name}=([^;]+)`).exec(connectionString)?.[1];
    if (value === undefined) throw new Error(`Expected ${name} in the connection string of the storage.`);
    return value;
  };
  const account = part('AccountName');
  const key = Buffer.from(part('AccountKey'), 'base64');
  const sign = (text: string): string =>
    `SharedKey ${account}:${createHmac('sha256', key).update(text).digest('base64')}`;
  const table = openService(part('TableEndpoint'));
  const queue = openService(part('QueueEndpoint'));

  const callTable = async (
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body = '',
    more: Readonly<Record<string, string>> = {},
    type = method === 'GET' ? '' : JSON_TYPE,
  ): Promise<RawAnswer> => {
    const date = new Date().toUTCString();
    const resource = `/${account}${table.basePath}${path.split('?')[0]}`;
    const answer = await table.client.send(
      method,
      `${table.basePath}${path}`,
      {
        accept: JSON_TYPE,
        dataserviceversion: '3.0',
        'x-ms-date': date,
        'x-ms-version': VERSION,
        ...(type === '' ? {} : { 'content-type': type }),
        authorization: sign([method, '', type, date, resource].join('\n')),
        ...more,
      },
      body,
    );
    return requireSuccess(`${method} ${path}`, answer);
  };

  const callQueue = async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    query: Readonly<Record<string, string>> = {},
    body = '',
  ): Promise<RawAnswer> => {
    const date = new Date().toUTCString();
    const type = body === '' ? '' : 'application/xml';
    const length = body === '' ? '' : String(Buffer.byteLength(body));
    const names = Object.keys(query).sort();
    const resource = `/${account}${queue.basePath}${path}${names.map((name) => `\n${name}:${query[name]}`).join('')}`;
    const signed = [method, '', '', length, '', type, '', '', '', '', '', ''];
    const headers = `x-ms-date:${date}\nx-ms-version:${VERSION}`;
    const answer = await queue.client.send(
      method,
      `${queue.basePath}${path}${names.length === 0 ? '' : `?${new URLSearchParams(query)}`}`,
      {
        'x-ms-date': date,
        'x-ms-version': VERSION,
        ...(type === '' ? {} : { 'content-type': type }),
        authorization: sign([...signed, headers, resource].join('\n')),
      },
      body,
    );
    return requireSuccess(`${method} ${path}`, answer);
  };

  const noContent = { prefer: 'return-no-content' };
  return {
    createTable: async (name) => {
      await callTable('POST', '/Tables', JSON.stringify({ TableName: name }), noContent);
    },
    insertEntity: async (name, entity) => {
      const { headers } = await callTable('POST', `/${name}`, JSON.stringify(entity), noContent);
      if (headers.etag === undefined) throw new Error('Expected an ETag for the inserted entity.');
      return headers.etag;
    },
    replaceEntity: async (name, entity, etag) => {
      const path = `/${name}(PartitionKey='${entity.PartitionKey}',RowKey='${entity.RowKey}')`;
      await callTable('PUT', path, JSON.stringify(entity), { 'if-match': etag });
    },
    insertEntities: async (name, entities) => {
      const { text } = await callTable(
        'POST',
        '/$batch',
        toBatch(`${table.origin}${table.basePath}/${name}`, entities),
        {},
        `multipart/mixed; boundary=${BATCH}`,
      );
      const inserted = text.match(/HTTP\/1\.1 204/g)?.length ?? 0;
      if (inserted !== entities.length)
        throw new Error(
          `Expected ${entities.length} inserted entities, received ${inserted}: ${text.slice(0, 800)}`,
        );
    },
    listEntities: async (name, filter) => {
      const { text } = await callTable('GET', `/${name}()?$filter=${encodeURIComponent(filter)}`);
      return (JSON.parse(text) as { value: RawEntity[] }).value;
    },
    createQueue: async (name) => {
      await callQueue('PUT', `/${name}`);
    },
    putMessage: async (name, text, visibleInSeconds) => {
      const base64 = Buffer.from(text).toString('base64');
      const body = `<QueueMessage><MessageText>${base64}</MessageText></QueueMessage>`;
      const query = { messagettl: '-1', visibilitytimeout: String(visibleInSeconds) };
      await callQueue('POST', `/${name}/messages`, query, body);
    },
    receiveMessages: async (name, count, leaseSeconds) => {
      const query = { numofmessages: String(count), visibilitytimeout: String(leaseSeconds) };
      const { text } = await callQueue('GET', `/${name}/messages`, query);
      return [...text.matchAll(/<QueueMessage>(.*?)<\/QueueMessage>/gs)].map(([, xml = '']) => ({
        id: elementOf(xml, 'MessageId'),
        popReceipt: elementOf(xml, 'PopReceipt'),
        text: Buffer.from(elementOf(xml, 'MessageText'), 'base64').toString(),
      }));
    },
    deleteMessage: async (name, { id, popReceipt }) => {
      await callQueue('DELETE', `/${name}/messages/${id}`, { popreceipt: popReceipt });
    },
    clearQueue: async (name) => {
      await callQueue('DELETE', `/${name}/messages`);
    },
    close: () => {
      table.client.close();
      queue.client.close();
    },
  };
};

/** An emulator has the account in the path of its endpoints, and then it is signed twice. */
const openService = (endpoint: string) => {
  const { origin, pathname } = new URL(endpoint);
  return { origin, basePath: pathname.replace(/\/$/, ''), client: openClient(origin) };
};

const requireSuccess = (request: string, answer: RawAnswer): RawAnswer => {
  if (answer.status >= 300)
    throw new Error(`${request} returned ${answer.status} instead of success: ${answer.text.slice(0, 800)}`);
  return answer;
};

const BATCH = 'batch_bench';
const CHANGES = 'changeset_bench';

/** https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions */
const toBatch = (url: string, entities: readonly RawEntity[]): string =>
  [
    `--${BATCH}`,
    `Content-Type: multipart/mixed; boundary=${CHANGES}`,
    '',
    ...entities.flatMap((entity) => [
      `--${CHANGES}`,
      'Content-Type: application/http',
      'Content-Transfer-Encoding: binary',
      '',
      `POST ${url} HTTP/1.1`,
      `Accept: ${JSON_TYPE}`,
      'Content-Type: application/json',
      'Prefer: return-no-content',
      'DataServiceVersion: 3.0',
      '',
      JSON.stringify(entity),
    ]),
    `--${CHANGES}--`,
    `--${BATCH}--`,
    '',
  ].join('\r\n');

/** Of ids, receipts and base64, none of which has a character that XML escapes. */
const elementOf = (xml: string, name: string): string => {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  if (found === undefined) throw new Error(`Expected ${name} in a queue message.`);
  return found;
};
