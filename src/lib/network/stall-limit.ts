import type { Agent } from 'node:http';
import type { Duplex } from 'node:stream';

/** Under which the retry policies of the Azure SDKs know that it is worth another try. */
const CODE = 'ETIMEDOUT';

const endWhenSilent = (socket: Duplex): void => {
  socket.once('timeout', () =>
    socket.destroy(Object.assign(new Error('Expected an answer, received nothing in time.'), { code: CODE })),
  );
};

/**
 * The same agent, of which a connection ends when nothing has passed on it for so long. The SDKs of storage have no such limit: what
 * the SDKs of blobs and queues take as one is for the server alone (`timeout` in the URL), and that of tables has none. It is for
 * silence, so that a large blob can take as long as it moves.
 */
export const limitStalls = <Limited extends Agent>(agent: Limited, ms: number): Limited => {
  const connect = agent.createConnection.bind(agent);
  // Sockets are made with it, and Node sets it again when a connection is kept (https://nodejs.org/api/http.html#new-agentoptions).
  Object.assign((agent as Limited & { readonly options: object }).options, { timeout: ms });
  agent.createConnection = (options, callback) => {
    const socket = connect(options, (error, made) => {
      if (made) endWhenSilent(made);
      callback?.(error, made);
    });
    if (socket) endWhenSilent(socket);
    return socket;
  };
  return agent;
};
