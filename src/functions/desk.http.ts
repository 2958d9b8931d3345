import type { HttpHandler, HttpRequest } from '@azure/functions';
import { describe } from '../lib/describe.ts';
import { type CloseNeeds, closeMail } from '../lib/desk/close-mail.ts';
import { noNote, requireNote } from '../lib/desk/closing-note.ts';
import { type ForgetNeeds, forgetMail } from '../lib/desk/forget-mail.ts';
import { type MailSearch, readSearch, toSearchToken } from '../lib/desk/read-search.ts';
import { type ReplayNeeds, replayMail } from '../lib/desk/replay-mail.ts';
import { type SearchNeeds, searchMail } from '../lib/desk/search-mail.ts';
import { type ShowNeeds, showMail } from '../lib/desk/show-mail.ts';
import { type TraceNeeds, traceMail } from '../lib/desk/trace-mail.ts';
import { AppError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { readChangedBy } from './changed-by.ts';
import { readDeskQuery, withoutHostParameters } from './desk-query.ts';
import { readJsonBody } from './json-body.ts';
import { answeringProblems, logTo } from './problem.ts';

type Needs = (log: Log) => ReplayNeeds & CloseNeeds;
type FindNeeds = (log: Log) => SearchNeeds & ShowNeeds & TraceNeeds;

const answerSearch = async (needs: SearchNeeds, { query, ...page }: MailSearch) => {
  const { next, ...found } = await searchMail(needs, query, { after: undefined, ...page });
  return { jsonBody: { ...found, ...(next === undefined ? {} : { next: toSearchToken(next) }) } };
};

/** GET /api/mail[?state=...&sender=...] or GET /api/mail?id=...[&content=true][&delivery=true]: for those who may see every caller's mail */
export const listMailHttp =
  (needs: FindNeeds): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const ready = needs(logTo(context));
      const asked = readDeskQuery(request.query, ready.clock.now());
      if (asked.kind === 'search') return answerSearch(ready, asked);
      const status = await showMail(ready, asked.id, asked.withContent);
      return {
        jsonBody: asked.withDelivery
          ? { ...status, delivery: await traceMail(ready, asked.id, 'operator') }
          : status,
      };
    });

/** Many times what a search has. */
const MAX_SEARCH_BYTES = 16_000;

/** POST /api/mail/search: the same search with its terms in the body, because the log of the platform has the address of every request */
export const searchMailHttp =
  (needs: FindNeeds): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const ready = needs(logTo(context));
      if (withoutHostParameters(request.query).length > 0)
        throw new AppError('QUERY_INVALID', {
          detail: 'Expected the search in the body, received parameters in the address.',
        });
      const body = await readJsonBody(request, { code: 'REQUEST_TOO_LARGE', maxBytes: MAX_SEARCH_BYTES });
      if (typeof body !== 'object' || body === null || Array.isArray(body))
        throw new AppError('QUERY_INVALID', {
          detail: `Expected an object with the parameters of a search, received ${describe(body)}.`,
        });
      return answerSearch(ready, readSearch(body as Readonly<Record<string, unknown>>, ready.clock.now()));
    });

/** POST /api/mail/{id}/replay */
export const replayMailHttp =
  (needs: Needs): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => ({
      status: 202,
      jsonBody: await replayMail(needs(logTo(context)), request.params.id ?? ''),
    }));

/** POST /api/mail/{id}/close */
export const closeMailHttp =
  (needs: Needs): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => ({
      jsonBody: await closeMail(needs(logTo(context)), request.params.id ?? '', await readNote(request)),
    }));

/** Where nobody says who they are, the master key is all that is known. */
const UNNAMED = '-';

/** POST /api/mail/{id}/forget */
export const forgetMailHttp =
  (needs: (log: Log) => ForgetNeeds): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const { by: name = UNNAMED } = readChangedBy(request);
      const operator = { name, with: 'master key' } as const;
      return { jsonBody: await forgetMail(needs(logTo(context)), operator, request.params.id ?? '') };
    });

/** Room for a note in which every character is escaped, and white space around it. */
const MAX_NOTE_BYTES = 16_000;
const NOTE_LIMIT = { code: 'REQUEST_TOO_LARGE', maxBytes: MAX_NOTE_BYTES } as const;

const readNote = async (request: HttpRequest): Promise<string> => {
  const body = await readJsonBody(request, NOTE_LIMIT);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw noNote(`Expected an object with a field \`note\`, received ${describe(body)}.`);
  const { note, ...unknown } = body as { readonly note?: unknown };
  if (Object.keys(unknown).length > 0) throw noNote('Expected no field but `note`, received others.');
  return requireNote(note);
};
