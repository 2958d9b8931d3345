import type { HttpHandler } from '@azure/functions';
import { type CancelNeeds, cancelMail } from '../lib/desk/cancel-mail.ts';
import type { Log } from '../lib/log.ts';
import type { Ports } from '../lib/ports.ts';
import { callerOf } from './caller.ts';
import { answeringProblems, logTo } from './problem.ts';

/** DELETE /api/mail/{id}: takes back an email that still waits, for the caller who sent it */
export const cancelMailHttp =
  (needs: (log: Log) => CancelNeeds & Pick<Ports, 'callers'>): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const ready = needs(logTo(context));
      const caller = await callerOf(ready, request);
      return {
        jsonBody: await cancelMail(ready, request.params.id ?? '', caller),
        headers: { 'cache-control': 'no-store' },
      };
    });
