import type { HttpHandler } from '@azure/functions';
import { type OwnCallerNeeds, showOwnCaller } from '../lib/desk/own-caller.ts';
import type { Log } from '../lib/log.ts';
import type { Identify } from './caller.ts';
import { answeringProblems, logTo } from './problem.ts';

/** GET /api/v1/caller: what the caller may do */
export const ownCallerHttp =
  (needs: (log: Log) => OwnCallerNeeds, identify: Identify): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const caller = await identify(request, logTo(context));
      return { jsonBody: await showOwnCaller(needs(logTo(context)), caller) };
    });
