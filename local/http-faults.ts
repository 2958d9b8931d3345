import type http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { makeRouter } from '../src/lib/inbox/routes.ts';
import { answerJson, cutConnection, type JsonAnswer, pathOf, readBody } from './http.ts';

const CONTROL_BODY_BYTES = 64 * 1024;
const LONGEST_DELAY_MS = 600_000;

const faultSchema = z
  .strictObject({
    /** Only requests whose path contains this. */
    path: z.string().optional(),
    /** Answer this instead of the truth. Without it (and without `reset`) the true answer follows the delay. */
    status: z.int().min(200).max(599).optional(),
    retryAfter: z.union([z.string(), z.number()]).optional(),
    body: z.json().optional(),
    /** Of the answer, such as the date by another clock. */
    headers: z.record(z.string(), z.string()).optional(),
    delayMs: z.int().min(0).max(LONGEST_DELAY_MS).optional(),
    /** Cut the connection instead of answering. */
    reset: z.boolean().optional(),
    times: z.int().min(1).default(1),
  })
  .refine((fault) => fault.status !== undefined || fault.reset || fault.delayMs !== undefined, {
    error: 'Expected at least one of status, reset and delayMs.',
  });

type HttpFault = z.input<typeof faultSchema>;
type PlannedFault = z.output<typeof faultSchema>;

/** Troubles that a stand-in was told to have, in the order they will happen. */
export type HttpFaults = {
  readonly add: (fault: HttpFault) => void;
  readonly clear: () => void;
  readonly waiting: () => readonly PlannedFault[];
  /** Has the trouble that is due, if any; true when the request is dealt with. */
  readonly strike: (request: http.IncomingMessage, response: http.ServerResponse) => Promise<boolean>;
};

/** No trouble is planned at first. */
export const makeHttpFaults = (): HttpFaults => {
  let planned: PlannedFault[] = [];

  const take = (path: string): PlannedFault | undefined => {
    const due = planned.find((fault) => fault.path === undefined || path.includes(fault.path));
    if (due === undefined) return undefined;
    planned = planned.flatMap((fault) => {
      if (fault !== due) return [fault];
      return fault.times > 1 ? [{ ...fault, times: fault.times - 1 }] : [];
    });
    return due;
  };

  return {
    add: (fault) => {
      planned = [...planned, faultSchema.parse(fault)];
    },
    clear: () => {
      planned = [];
    },
    waiting: () => planned,
    strike: async (request, response) => {
      const fault = take(request.url ?? '/');
      if (fault === undefined) return false;
      if (fault.delayMs !== undefined) await waitWhileConnected(fault.delayMs, response);
      if (fault.reset) {
        cutConnection(request);
        return true;
      }
      if (fault.status === undefined) return response.destroyed;
      request.resume();
      const headers = {
        ...(fault.retryAfter === undefined ? {} : { 'Retry-After': String(fault.retryAfter) }),
        ...fault.headers,
      };
      if (fault.body === undefined) response.writeHead(fault.status, headers).end();
      else answerJson(response, fault.status, fault.body, headers);
      return true;
    },
  };
};

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => Promise<void>;

/**
 * A stand-in that can be told to have troubles. `/_control/faults` shows, plans and forgets them, and beside it are the
 * `lists` of what was seen; everything else goes to `answer` unless a trouble is due.
 */
export const withFaults = (
  faults: HttpFaults,
  lists: Readonly<Record<string, () => object>>,
  answer: Handler,
): Handler => {
  const show = () => ({ status: 200, body: { faults: faults.waiting() } });
  const plan = async (request: http.IncomingMessage): Promise<JsonAnswer> => {
    const parsed = faultSchema.safeParse(parseJson(await readBody(request, CONTROL_BODY_BYTES)));
    if (!parsed.success) return { status: 400, body: { error: z.prettifyError(parsed.error) } };
    faults.add(parsed.data);
    return show();
  };
  const forget = () => {
    faults.clear();
    return show();
  };
  const findControl = makeRouter<(request: http.IncomingMessage) => JsonAnswer | Promise<JsonAnswer>>([
    ['GET', '/_control/faults', show],
    ['POST', '/_control/faults', plan],
    ['DELETE', '/_control/faults', forget],
    ...Object.entries(lists).map(
      ([name, list]) => ['GET', `/_control/${name}`, () => ({ status: 200, body: list() })] as const,
    ),
  ]);

  return async (request, response) => {
    const { method = '' } = request;
    const found = findControl(method, pathOf(request));
    if (found.target !== undefined) {
      const { status, body } = await found.target(request);
      return answerJson(response, status, body);
    }
    if (found.allowed.length > 0)
      return answerJson(response, 405, {
        error: `Expected ${found.allowed.join(', ')}, received ${method}.`,
      });
    if (!(await faults.strike(request, response))) await answer(request, response);
  };
};

const waitWhileConnected = async (delayMs: number, response: http.ServerResponse): Promise<void> => {
  const gone = new AbortController();
  const onClose = () => gone.abort();
  response.once('close', onClose);
  await wait(delayMs, undefined, { signal: gone.signal }).catch(() => {});
  response.removeListener('close', onClose);
};

const parseJson = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
};
