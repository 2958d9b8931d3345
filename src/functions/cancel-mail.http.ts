import type { HttpHandler } from '@azure/functions';
import { type CancelNeeds, cancelMail } from '../lib/desk/cancel-mail.ts';
import type { Log } from '../lib/log.ts';
import { callerOf } from './caller.ts';
import { answeringProblems, logTo } from './problem.ts';

/** DELETE /api/mail/{id}: takes back an email that still waits, for the caller who sent it */
export const cancelMailHttp =
  (needs: (log: Log) => CancelNeeds): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => ({
      jsonBody: await cancelMail(needs(logTo(context)), request.params.id ?? '', callerOf(request)),
      headers: { 'cache-control': 'no-store' },
    }));
