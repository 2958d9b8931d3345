import type { HttpHandler } from '@azure/functions';
import { readMailStatus } from '../lib/desk/mail-status.ts';
import { type TraceNeeds, traceMail } from '../lib/desk/trace-mail.ts';
import type { Log } from '../lib/log.ts';
import type { Ports } from '../lib/ports.ts';
import { byFunctionKey, type Identify } from './caller.ts';
import { readDelivery } from './delivery-query.ts';
import { answeringProblems, logTo } from './problem.ts';

/** GET /api/mail/{id}[?delivery=true] and /api/v1/mail/{id}: what became of a mail, for the caller who sent it */
export const mailStatusHttp =
  (
    needs: (log: Log) => TraceNeeds & Pick<Ports, 'callers'>,
    identify: Identify = byFunctionKey(needs),
  ): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const caller = await identify(request, logTo(context));
      const withDelivery = readDelivery(request.query);
      const ready = needs(logTo(context));
      const id = request.params.id ?? '';
      // Throws where this caller may not see the email.
      const status = await readMailStatus(ready, id, caller);
      return {
        jsonBody: withDelivery ? { ...status, delivery: await traceMail(ready, id, 'caller') } : status,
      };
    });
