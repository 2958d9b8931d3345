import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { answerJson, readBody } from '../http.ts';
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

type ControlAnswer = { readonly status: number; readonly body: unknown };

/** Plain JSON for tests and people, without a token; no part of Graph. */
export const answerControl = async (
  request: IncomingMessage,
  response: ServerResponse,
  controlled: Controlled,
): Promise<void> => {
  const answer = await decideControl(request, controlled).catch((error: unknown): ControlAnswer => {
    if (error instanceof ControlError) return { status: error.status, body: { error: error.message } };
    if (error instanceof FaultRuleInvalidError)
      return { status: 400, body: { error: error.message, problems: error.problems } };
    throw error;
  });
  answerJson(response, answer.status, answer.body, { Connection: 'close' });
};

const decideControl = async (request: IncomingMessage, controlled: Controlled): Promise<ControlAnswer> => {
  const { faults, requests, settings } = controlled;
  const path = (request.url ?? '').split('?')[0] ?? '';
  switch (`${request.method} ${path.slice(CONTROL_PATH.length)}`) {
    case 'GET faults':
      return { status: 200, body: { faults: faults.list() } };
    case 'POST faults': {
      // Checked by add(), which takes nothing on trust.
      const added = faults.add((await readJson(request)) as FaultRuleInput);
      if (added.on === 'connect') controlled.closeIdleConnections();
      return { status: 201, body: added };
    }
    case 'DELETE faults':
      faults.clear();
      return { status: 200, body: { faults: [] } };
    case 'GET requests':
      return { status: 200, body: { requests: requests.list() } };
    case 'DELETE requests':
      requests.clear();
      return { status: 200, body: { requests: [] } };
    case 'GET settings':
      return { status: 200, body: settings.current() };
    case 'PUT settings': {
      const { data, error } = changeSchema.safeParse(await readJson(request));
      if (error) throw new ControlError(400, `The settings are not valid:\n${z.prettifyError(error)}`);
      return { status: 200, body: settings.change(data) };
    }
    default:
      throw new ControlError(
        404,
        `No control '${request.method} ${path}'; expected GET, POST or DELETE ${CONTROL_PATH}faults, GET or DELETE ${CONTROL_PATH}requests, GET or PUT ${CONTROL_PATH}settings.`,
      );
  }
};

const readJson = async (request: IncomingMessage): Promise<unknown> => {
  // A page in a browser cannot send this type to another site without asking first.
  if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new ControlError(
      415,
      `Expected content type application/json, received ${request.headers['content-type'] ?? 'none'}.`,
    );
  const text = (await readBody(request, LIMIT_BYTES)).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw new ControlError(400, 'The body is not valid JSON.');
  }
};

class ControlError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
