import {
  HttpRequest,
  type HttpRequestInit,
  type HttpResponseInit,
  InvocationContext,
  type TriggerMetadata,
} from '@azure/functions';
import type { LogEvent } from '../../src/lib/log.ts';

export const INVOCATION_ID = '0f8e7d6c-1b2a-4c3d-9e8f-a7b6c5d4e3f2';

/** An invocation as the library makes it, and what was logged in it. */
export const invocation = (triggerMetadata: TriggerMetadata = {}) => {
  const logged: { readonly level: string; readonly event: LogEvent }[] = [];
  const context = new InvocationContext({
    invocationId: INVOCATION_ID,
    functionName: 'test',
    triggerMetadata,
    logHandler: (level, ...args) => logged.push({ level, event: JSON.parse(String(args[0])) }),
  });
  return { context, logged, events: () => logged.map(({ event }) => event.event) };
};

export const MAIL_URL = 'https://relay.contoso.example/api/mail';

/** A request to POST /api/mail with a key, unless told otherwise. */
export const mailRequest = (body: unknown, init: HttpRequestInit = {}): HttpRequest =>
  new HttpRequest({
    method: 'POST',
    url: MAIL_URL,
    ...init,
    body:
      body instanceof Uint8Array
        ? { bytes: body }
        : { string: typeof body === 'string' ? body : JSON.stringify(body) },
    headers: { 'content-type': 'application/json', 'x-functions-key': 'a-key', ...init.headers },
  });

/** The body of an answer, whichever way it was given. */
export const bodyOf = ({ body, jsonBody }: HttpResponseInit): Record<string, unknown> =>
  jsonBody ?? JSON.parse(String(body));
