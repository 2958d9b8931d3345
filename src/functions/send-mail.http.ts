import type { HttpHandler, HttpRequest, HttpResponseInit } from '@azure/functions';
import { defined } from '../lib/defined.ts';
import type { Admission } from '../lib/delivery/admission.ts';
import { type SendMailAnswer, type SendMailNeeds, sendMail } from '../lib/delivery/send-mail.ts';
import { type Fate, isIn } from '../lib/ledger/ledger-row.ts';
import type { Log } from '../lib/log.ts';
import { callerOf } from './caller.ts';
import { mailLimit, readJsonBody } from './json-body.ts';
import { answeringProblems, logTo } from './problem.ts';

/** What the door for emails has to know of the instance. */
export type MailDoor = { readonly admission: Admission; readonly maxRequestBytes: number };

/** POST /api/mail */
export const sendMailHttp =
  (needs: (log: Log) => SendMailNeeds & MailDoor): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const ready = needs(logTo(context));
      const idempotencyKey = request.headers.get('idempotency-key');
      const room = ready.admission.open();
      try {
        const answer = await sendMail(
          { ...ready, room },
          {
            input: await readJsonBody(request, { ...mailLimit(ready.maxRequestBytes), room }),
            caller: callerOf(request),
            ...(idempotencyKey === null ? {} : { idempotencyKey }),
            respondAsync: prefersAsync(request.headers.get('prefer')),
          },
        );
        return toAnswer(answer, statusUrl(request, answer.row.facts.mailId));
      } finally {
        room.close();
      }
    });

/** What the caller has to know; the status URL tells more. */
const toAnswer = ({ row, repeated }: SendMailAnswer, status: string): HttpResponseInit => {
  const headers = repeated ? { 'idempotent-replayed': 'true' } : {};
  const { mailId: id, sender } = row.facts;
  if (isIn(row, 'sent')) {
    const { graphRequestId } = row.fate;
    return { status: 200, headers, jsonBody: { id, state: 'sent', sender, ...defined({ graphRequestId }) } };
  }
  return {
    status: 202,
    headers: { ...headers, location: status },
    jsonBody: { id, state: toWord(row.fate), statusUrl: status },
  };
};

const toWord = (fate: Fate): string => {
  // Held, looked for or sent once more is what the relay does about it; what the caller has to know is the same.
  if (fate.state !== 'closed' && 'reason' in fate && fate.reason.code === 'OUTCOME_UNKNOWN') return 'unknown';
  return fate.state === 'deferred' ? 'queued' : fate.state;
};

/** Without the query: a key may ride in it. */
const statusUrl = (request: HttpRequest, mailId: string): string => {
  const { origin, pathname } = new URL(request.url);
  return `${origin}${pathname.replace(/\/$/, '')}/${mailId}`;
};

/** True when the caller asks not to wait. Other preferences are ignored, as RFC 7240 has it. */
const prefersAsync = (header: string | null): boolean =>
  (header ?? '').split(',').some((preference) => /^\s*respond-async\s*(;|$)/i.test(preference));
