import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpRequest, type PreInvocationContext } from '@azure/functions';

const INVOCATION_ID = 'x-ms-invocation-id';

/**
 * Gives a streamed request the headers it came with. The host sends them beside it, among the properties of its JSON body and
 * its query, and leaves them out where one of those is called `headers`: a mail with that field would have no content type, and
 * `?Headers={...}` would choose the headers the app sees (GetRequestBindingData in HttpTriggerAttributeBindingProvider.cs of
 * azure-webjobs-sdk-extensions; createStreamRequest of @azure/functions 4.16.5). The request itself has them unchanged.
 */
export function restoreOwnHeaders(): (context: PreInvocationContext) => void {
  const streamed = new Map<string, IncomingMessage>();
  // The library keeps its HTTP server to itself: https://nodejs.org/api/diagnostics_channel.html#http
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const id = request.headers[INVOCATION_ID];
    if (typeof id !== 'string') return;
    streamed.set(id, request);
    response.once('close', () => streamed.delete(id));
  });

  return ({ inputs: [input], invocationContext }) => {
    const own = streamed.get(invocationContext.invocationId);
    if (own === undefined || !(input instanceof HttpRequest)) return;
    for (const name of [...input.headers.keys()]) input.headers.delete(name);
    for (const [name, values = []] of Object.entries(own.headersDistinct))
      for (const value of values) input.headers.append(name, value);
  };
}
