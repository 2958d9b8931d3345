import type { HttpHandler } from '@azure/functions';
import { readMailStatus } from '../lib/desk/mail-status.ts';
import type { Log } from '../lib/log.ts';
import type { Ports } from '../lib/ports.ts';
import { callerOf } from './caller.ts';
import { answeringProblems, logTo } from './problem.ts';

/** GET /api/mail/{id}: what became of a mail, for the caller who sent it */
export const mailStatusHttp =
  (needs: (log: Log) => Pick<Ports, 'ledger'>): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => ({
      jsonBody: await readMailStatus(needs(logTo(context)), request.params.id ?? '', callerOf(request)),
      headers: { 'cache-control': 'no-store' },
    }));
