import type { HttpHandler, HttpRequest } from '@azure/functions';
import { describe } from '../lib/describe.ts';
import { type CloseNeeds, closeMail } from '../lib/desk/close-mail.ts';
import { listHeld, showMail } from '../lib/desk/list-held.ts';
import { type ReplayNeeds, replayMail } from '../lib/desk/replay-mail.ts';
import { type TraceNeeds, traceMail } from '../lib/desk/trace-mail.ts';
import { AppError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { readDeskQuery, toPageToken } from './desk-query.ts';
import { readJsonBody } from './json-body.ts';
import { answeringProblems, logTo } from './problem.ts';

type Needs = (log: Log) => ReplayNeeds & CloseNeeds;
type ListNeeds = (log: Log) => ReplayNeeds & CloseNeeds & TraceNeeds;

/** GET /api/mail?state=held[&after=...] or GET /api/mail?id=...[&delivery=true]: for those who may see every caller's mail */
export const listMailHttp =
  (needs: ListNeeds): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const ready = needs(logTo(context));
      const query = readDeskQuery(request.query);
      if (query.kind === 'mail') {
        const status = await showMail(ready, query.id);
        return {
          jsonBody: query.withDelivery
            ? { ...status, delivery: await traceMail(ready, query.id, 'operator') }
            : status,
        };
      }
      const { next, ...page } = await listHeld(ready, query.after);
      return { jsonBody: { ...page, ...(next === undefined ? {} : { next: toPageToken(next) }) } };
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
/** Room for a note in which every character is escaped, and white space around it. */
const MAX_NOTE_BYTES = 16_000;
const NOTE_LIMIT = { code: 'REQUEST_TOO_LARGE', maxBytes: MAX_NOTE_BYTES } as const;

const readNote = async (request: HttpRequest): Promise<string> => {
  const body = await readJsonBody(request, NOTE_LIMIT);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw noNote(`Expected an object with a field \`note\`, received ${describe(body)}.`);
  const { note, ...unknown } = body as { readonly note?: unknown };
  if (Object.keys(unknown).length > 0) throw noNote('Expected no field but `note`, received others.');
  const fault = noteFault(note);
  if (fault !== undefined)
    throw noNote(`Expected in \`note\` a text of 1 to ${MAX_NOTE} characters, received ${fault}.`);
  return String(note).trim();
};

const noteFault = (note: unknown): string | undefined => {
  if (typeof note !== 'string' || note === '') return describe(note);
  if (note.trim() === '') return 'only blanks';
  if (note.trim().length > MAX_NOTE) return `${note.trim().length} characters`;
  if (/\p{Cc}/u.test(note.trim())) return 'text with a line break or control character';
  return note.isWellFormed() ? undefined : 'text in which a character is cut in half';
};

const noNote = (detail: string): AppError => new AppError('NOTE_MISSING', { detail });
