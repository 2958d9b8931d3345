import { Client, GraphError, ResponseType } from '@microsoft/microsoft-graph-client';
import { expect, test } from 'vitest';
import { aMessage, type GraphForTests, graphForTests, tokenWith } from './graph-for-tests.ts';

/** As an application sets it up: its own token, and a host that is not Microsoft's. */
const clientOf = (graph: GraphForTests, roles = ['Mail.Send', 'Mail.Read']) =>
  Client.init({
    baseUrl: graph.url,
    customHosts: new Set(['127.0.0.1']),
    authProvider: (done) => void tokenWith({ roles }).then((token) => done(null, token)),
  });

const sendMail = (client: Client, body: unknown) =>
  client
    .api('/users/noreply@contoso.example/sendMail')
    .responseType(ResponseType.RAW)
    .post(body) as Promise<Response>;

test('Microsoft’s client sends a mail', async () => {
  const graph = await graphForTests();
  const response = await sendMail(clientOf(graph), { message: aMessage() });
  expect(response.status).toBe(202);
  expect(graph.captured[0]?.request.body).toEqual({ message: aMessage() });
});

test('Microsoft’s client reads a refusal as a GraphError with code, request id and date', async () => {
  const graph = await graphForTests();
  const refused = clientOf(graph).api('/users/nobody@contoso.example/sendMail').post({ message: aMessage() });
  const error = await refused.then(
    () => expect.unreachable(),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(GraphError);
  expect(error).toMatchObject({
    statusCode: 404,
    code: 'ErrorInvalidUser',
    requestId: graph.requests.list()[0]?.requestId,
  });
});

test('Microsoft’s client sends a mail again after a 504, unless its retry handler is removed', async () => {
  const graph = await graphForTests();
  graph.faults.add({
    on: 'sendMail',
    fault: { kind: 'answer', status: 504, retryAfter: '0', accept: true },
  });
  await sendMail(clientOf(graph), { message: aMessage() });
  expect(graph.captured).toHaveLength(2);
});

test('Microsoft’s client finds the copy by its extended property', async () => {
  const graph = await graphForTests();
  const id = 'String {66f5a359-4659-4830-9070-00047ec6ac6e} Name MailRelayId';
  const client = clientOf(graph);
  await sendMail(client, { message: aMessage({ singleValueExtendedProperties: [{ id, value: '42' }] }) });

  const found = await client
    .api('/users/noreply@contoso.example/mailFolders/sentitems/messages')
    .filter(`singleValueExtendedProperties/Any(ep: ep/id eq '${id}' and ep/value eq '42')`)
    .select('id,sentDateTime')
    .top(1)
    .get();
  expect(found.value).toMatchObject([
    { id: expect.stringMatching(/^AAMk.*=$/), sentDateTime: '2026-03-02T08:00:00Z' },
  ]);
});
