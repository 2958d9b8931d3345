import { requireAccess } from './access.ts';
import type { GraphState, MailboxCall } from './call.ts';
import { findItem } from './find-item.ts';
import type { GraphAnswer } from './graph-answer.ts';
import { GraphError } from './graph-error.ts';
import { preferenceApplied, wantsImmutableIds } from './item-ids.ts';
import { carryOutOrFail } from './perform-fault.ts';

/** GET /users/{user}/messages/{id}/$value: the MIME of what was received. */
export const getMime = async (call: MailboxCall, graph: GraphState, id: string): Promise<GraphAnswer> => {
  requireAccess('read', call.caller, call.mailbox);
  const { received } = findItem(call, graph, id);
  if (received === undefined)
    throw new GraphError(
      501,
      'NotImplemented',
      'This stand-in has the MIME of what was received, and of nothing else.',
    );
  return carryOutOrFail(
    'getMessage',
    {
      ...call,
      carryOut: async () => ({
        kind: 'answer',
        status: 200,
        headers: preferenceApplied(wantsImmutableIds(call.request)),
        body: { contentType: 'text/plain', text: received.mime },
      }),
    },
    graph,
  );
};

/** Below a folder, Graph refuses it (github.com/microsoftgraph/microsoft-graph-docs-contrib issues 2755 and 5546). */
export const mimeInFolder = async (): Promise<GraphAnswer> => {
  throw new GraphError(405, 'ErrorInvalidRequest', 'The OData request is not supported.');
};
