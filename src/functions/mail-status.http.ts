import type { HttpHandler } from '@azure/functions';
import { readMailStatus } from '../lib/desk/mail-status.ts';
import type { MessageIdNeeds } from '../lib/desk/message-id.ts';
import type { Log } from '../lib/log.ts';
import type { Ports } from '../lib/ports.ts';
import { callerOf } from './caller.ts';
import { answeringProblems, logTo } from './problem.ts';

/** GET /api/mail/{id}: what became of a mail, for the caller who sent it */
export const mailStatusHttp =
  (needs: (log: Log) => MessageIdNeeds & Pick<Ports, 'callers'>): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const ready = needs(logTo(context));
      const caller = await callerOf(ready, request);
      return {
        jsonBody: await readMailStatus(ready, request.params.id ?? '', caller),
        headers: { 'cache-control': 'no-store' },
      };
    });
