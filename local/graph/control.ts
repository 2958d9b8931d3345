import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { makeRouter } from '../../src/lib/inbox/routes.ts';
import { answerJson, type JsonAnswer, pathOf, readBody } from '../http.ts';
import type { FaultRuleInput } from './fault-rules.ts';
import { FaultRuleInvalidError, type InstalledFaults } from './installed-faults.ts';
import type { RequestLog } from './request-log.ts';
import { type ChangeableSettings, changeSchema } from './settings.ts';

const LIMIT_BYTES = 1_000_000;

export const CONTROL_PATH = '/_control/';

export type Controlled = {
  readonly faults: InstalledFaults;
  readonly requests: RequestLog;
  readonly settings: ChangeableSettings;
  /** A rule for new connections is of no use while old ones are open. */
  readonly closeIdleConnections: () => void;
};

type Control = (controlled: Controlled, request: IncomingMessage) => JsonAnswer | Promise<JsonAnswer>;

const ok = (body: unknown): JsonAnswer => ({ status: 200, body });

const refusal = (status: number, error: string): JsonAnswer => ({ status, body: { error } });

const withJson =
  (answer: (controlled: Controlled, body: unknown) => JsonAnswer): Control =>
  async (controlled, request) => {
    const { 'content-type': contentType = 'none' } = request.headers;
    // A page in a browser cannot send this type to another site without asking first.
    if (!/^application\/json *(;|$)/i.test(contentType))
      return refusal(415, `Expected content type application/json, received ${contentType}.`);
    const text = (await readBody(request, LIMIT_BYTES)).toString('utf8');
    try {
      return answer(controlled, JSON.parse(text));
    } catch (error) {
      if (error instanceof SyntaxError) return refusal(400, 'The body is not valid JSON.');
      if (error instanceof FaultRuleInvalidError)
        return { status: 400, body: { error: error.message, problems: error.problems } };
      throw error;
    }
  };

const addFault = withJson(({ faults, closeIdleConnections }, rule) => {
  // Checked by add(), which takes nothing on trust.
  const added = faults.add(rule as FaultRuleInput);
  if (added.on === 'connect') closeIdleConnections();
  return { status: 201, body: added };
});

const clearFaults: Control = ({ faults }) => {
  faults.clear();
  return ok({ faults: [] });
};

const clearRequests: Control = ({ requests }) => {
  requests.clear();
  return ok({ requests: [] });
};

const changeSettings = withJson(({ settings }, change) => {
  const { data, error } = changeSchema.safeParse(change);
  if (error) return refusal(400, `The settings are not valid:\n${z.prettifyError(error)}`);
  return ok(settings.change(data));
});

const findControl = makeRouter<Control>([
  ['GET', `${CONTROL_PATH}faults`, ({ faults }) => ok({ faults: faults.list() })],
  ['POST', `${CONTROL_PATH}faults`, addFault],
  ['DELETE', `${CONTROL_PATH}faults`, clearFaults],
  ['GET', `${CONTROL_PATH}requests`, ({ requests }) => ok({ requests: requests.list() })],
  ['DELETE', `${CONTROL_PATH}requests`, clearRequests],
  ['GET', `${CONTROL_PATH}settings`, ({ settings }) => ok(settings.current())],
  ['PUT', `${CONTROL_PATH}settings`, changeSettings],
]);

const noSuchControl = (asked: string): JsonAnswer =>
  refusal(
    404,
    `No control '${asked}'; expected GET, POST or DELETE ${CONTROL_PATH}faults, GET or DELETE ${CONTROL_PATH}requests, GET or PUT ${CONTROL_PATH}settings.`,
  );

/** Plain JSON for tests and people, without a token; no part of Graph. */
export const answerControl = async (
  request: IncomingMessage,
  response: ServerResponse,
  controlled: Controlled,
): Promise<void> => {
  const { method = '' } = request;
  const path = pathOf(request);
  const { target = () => noSuchControl(`${method} ${path}`) } = findControl(method, path);
  const { status, body } = await target(controlled, request);
  answerJson(response, status, body, { Connection: 'close' });
};
