import type { HttpHandler } from '@azure/functions';
import { type CancelNeeds, cancelMail } from '../lib/desk/cancel-mail.ts';
import type { Log } from '../lib/log.ts';
import type { Ports } from '../lib/ports.ts';
import { byFunctionKey, type Identify } from './caller.ts';
import { answeringProblems, logTo } from './problem.ts';

/** DELETE /api/mail/{id} and /api/v1/mail/{id}: takes back an email that still waits, for the caller who sent it */
export const cancelMailHttp =
  (
    needs: (log: Log) => CancelNeeds & Pick<Ports, 'callers'>,
    identify: Identify = byFunctionKey(needs),
  ): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const caller = await identify(request, logTo(context));
      return {
        jsonBody: await cancelMail(needs(logTo(context)), request.params.id ?? '', caller),
      };
    });
