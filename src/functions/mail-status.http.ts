import type { HttpHandler } from '@azure/functions';
import { readMailStatus } from '../lib/desk/mail-status.ts';
import type { MessageIdNeeds } from '../lib/desk/message-id.ts';
import type { Log } from '../lib/log.ts';
import type { Ports } from '../lib/ports.ts';
import { byFunctionKey, type Identify } from './caller.ts';
import { answeringProblems, logTo } from './problem.ts';

/** GET /api/mail/{id} and /api/v1/mail/{id}: what became of a mail, for the caller who sent it */
export const mailStatusHttp =
  (
    needs: (log: Log) => MessageIdNeeds & Pick<Ports, 'callers'>,
    identify: Identify = byFunctionKey(needs),
  ): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const caller = await identify(request, logTo(context));
      return {
        jsonBody: await readMailStatus(needs(logTo(context)), request.params.id ?? '', caller),
      };
    });
