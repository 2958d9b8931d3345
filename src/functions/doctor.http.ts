import type { HttpHandler } from '@azure/functions';
import { toDoctorText } from '../lib/desk/doctor-text.ts';
import type { DoctorReport } from '../lib/desk/run-doctor.ts';
import type { Log } from '../lib/log.ts';
import { answeringProblems, logTo } from './problem.ts';

/**
 * GET /api/doctor: for operators. The status is 200 whatever the doctor finds: it says that the doctor ran. A monitor that wants to
 * know whether the relay is well reads `state`.
 */
export const doctorHttp =
  (run: (log: Log) => Promise<DoctorReport>): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const report = await run(logTo(context));
      return wantsText(request.headers.get('accept'))
        ? { body: toDoctorText(report), headers: { 'content-type': 'text/plain; charset=utf-8' } }
        : { jsonBody: report };
    });

/** Text where it is asked for and JSON is not: a client that says that it takes anything gets JSON. */
const wantsText = (accept: string | null): boolean =>
  accept !== null && /\btext\/plain\b/i.test(accept) && !/\bapplication\/(?:json|\*)/i.test(accept);
