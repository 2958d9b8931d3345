import type { HttpHandler, HttpRequest, InvocationContext } from '@azure/functions';
import { addCaller } from '../lib/desk/add-caller.ts';
import { makeCallerKey, revokeCallerKey } from '../lib/desk/caller-keys.ts';
import type { RegisterNeeds } from '../lib/desk/caller-register.ts';
import { changeCaller, revisionOf } from '../lib/desk/change-caller.ts';
import { removeCaller } from '../lib/desk/remove-caller.ts';
import { type CallerView, listCallers, readAudit, showCaller } from '../lib/desk/show-callers.ts';
import type { Log } from '../lib/log.ts';
import { readAuditQuery, toAuditToken } from './audit-query.ts';
import { readChangedBy } from './changed-by.ts';
import { readJsonBody } from './json-body.ts';
import { type Answer, answeringProblems, logTo } from './problem.ts';

type Needs = (log: Log) => RegisterNeeds;

/** Room for the longest definition, with every character escaped. */
const DEFINITION_LIMIT = { code: 'REQUEST_TOO_LARGE', maxBytes: 400_000 } as const;

/** For the master key. */
const handling =
  (needs: Needs, answer: (ready: RegisterNeeds, request: HttpRequest) => Promise<Answer>): HttpHandler =>
  (request: HttpRequest, context: InvocationContext) =>
    answeringProblems(context, () => answer(needs(logTo(context)), request));

const shown = (jsonBody: CallerView): Answer => ({
  jsonBody,
  headers: { etag: revisionOf(jsonBody) },
});

const nameIn = ({ params }: HttpRequest): string => params.name ?? '';

/** GET /api/callers */
export const listCallersHttp = (needs: Needs): HttpHandler =>
  handling(needs, async (ready) => ({ jsonBody: await listCallers(ready) }));

/** GET /api/callers/{name} */
export const showCallerHttp = (needs: Needs): HttpHandler =>
  handling(needs, async (ready, request) => shown(await showCaller(ready, nameIn(request))));

/** POST /api/callers */
export const addCallerHttp = (needs: Needs): HttpHandler =>
  handling(needs, async (ready, request) => {
    const by = readChangedBy(request);
    const jsonBody = await addCaller(ready, await readJsonBody(request, DEFINITION_LIMIT), by);
    return { status: 201, jsonBody, headers: { etag: revisionOf(jsonBody.caller) } };
  });

/** PATCH /api/callers/{name} */
export const changeCallerHttp = (needs: Needs): HttpHandler =>
  handling(needs, async (ready, request) => {
    const by = readChangedBy(request);
    const revision = request.headers.get('if-match');
    const change = await readJsonBody(request, DEFINITION_LIMIT);
    const given = revision === null || revision === '' || revision === '*' ? {} : { revision };
    return shown(await changeCaller(ready, nameIn(request), change, { by, ...given }));
  });

/** DELETE /api/callers/{name} */
export const removeCallerHttp = (needs: Needs): HttpHandler =>
  handling(needs, async (ready, request) => ({
    jsonBody: await removeCaller(ready, nameIn(request), readChangedBy(request)),
  }));

/** POST /api/callers/{name}/keys */
export const makeCallerKeyHttp = (needs: Needs): HttpHandler =>
  handling(needs, async (ready, request) => ({
    status: 201,
    jsonBody: await makeCallerKey(ready, nameIn(request), readChangedBy(request)),
  }));

/** DELETE /api/callers/{name}/keys/{id} */
export const revokeCallerKeyHttp = (needs: Needs): HttpHandler =>
  handling(needs, async (ready, request) =>
    shown(await revokeCallerKey(ready, nameIn(request), request.params.id ?? '', readChangedBy(request))),
  );

/** GET /api/audit[?caller=NAME][&after=...] */
export const listAuditHttp = (needs: Needs): HttpHandler =>
  handling(needs, async (ready, request) => {
    const { caller, after } = readAuditQuery(request.query);
    const { entries, next } = await readAudit(ready, caller, after);
    return { jsonBody: { entries, ...(next === undefined ? {} : { next: toAuditToken(next) }) } };
  });
