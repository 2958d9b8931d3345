import type { HttpHandler } from '@azure/functions';
import { readMailStatus } from '../lib/desk/mail-status.ts';
import type { MessageIdNeeds } from '../lib/desk/message-id.ts';
import type { Log } from '../lib/log.ts';
import { callerOf } from './caller.ts';
import { answeringProblems, logTo } from './problem.ts';

/** GET /api/mail/{id}: what became of a mail, for the caller who sent it */
export const mailStatusHttp =
  (needs: (log: Log) => MessageIdNeeds): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => ({
      jsonBody: await readMailStatus(needs(logTo(context)), request.params.id ?? '', callerOf(request)),
      headers: { 'cache-control': 'no-store' },
    }));
