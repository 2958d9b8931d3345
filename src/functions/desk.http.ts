import type { HttpHandler, HttpRequest } from '@azure/functions';
import { closeMail, type DeskNeeds, listHeld, replayMail, showMail } from '../lib/desk.ts';
import { AppError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { readJsonBody } from './json-body.ts';
import { answeringProblems, logTo } from './problem.ts';

type Needs = (log: Log) => DeskNeeds;

/** GET /api/mail?state=held[&after=...] or GET /api/mail?id=...: for those who may see every caller's mail */
export const listMailHttp =
  (needs: Needs): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const ready = needs(logTo(context));
      const { state, id, after } = Object.fromEntries(request.query);
      if (id !== undefined && state === undefined) return { jsonBody: await showMail(ready, id) };
      if (state === 'held') return { jsonBody: await listHeld(ready, after) };
      throw new AppError('QUERY_INVALID', { detail: 'Expected ?state=held or ?id=<id of an email>.' });
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

const MAX_NOTE = 500;

const readNote = async (request: HttpRequest): Promise<string> => {
  const body = await readJsonBody(request);
  const { note } = (typeof body === 'object' && body !== null ? body : {}) as { readonly note?: unknown };
  const text = typeof note === 'string' ? note.trim() : '';
  if (text === '' || text.length > MAX_NOTE || !text.isWellFormed()) throw new AppError('NOTE_MISSING');
  return text;
};
