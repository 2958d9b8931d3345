import type { HttpHandler } from '@azure/functions';
import type { Admission } from '../lib/delivery/admission.ts';
import { dryRunMail } from '../lib/delivery/dry-run.ts';
import { type SendMailNeeds, sendMail } from '../lib/delivery/send-mail.ts';
import type { Log } from '../lib/log.ts';
import type { Ports } from '../lib/ports.ts';
import { byFunctionKey, type Identify } from './caller.ts';
import { readDryRun } from './dry-run-query.ts';
import { mailLimit, readJsonBody } from './json-body.ts';
import { mailsUrl, prefersAsync, toMailAnswer } from './mail-answer.ts';
import { isMime, readMimeBody } from './mime-body.ts';
import { answeringProblems, logTo } from './problem.ts';

/** What the door for emails has to know of the instance. */
export type MailDoor = Pick<Ports, 'callers'> & {
  readonly admission: Admission;
  readonly maxRequestBytes: number;
};

/** POST /api/mail and /api/v1/mail. Of a request whose caller is not known nothing is read, and its relay says nothing. */
export const sendMailHttp =
  (needs: (log: Log) => SendMailNeeds & MailDoor, identify: Identify = byFunctionKey(needs)): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const caller = await identify(request, logTo(context));
      const ready = needs(logTo(context));
      const isDryRun = readDryRun(request.query);
      const idempotencyKey = request.headers.get('idempotency-key');
      const room = ready.admission.open();
      try {
        const input = isMime(request)
          ? await readMimeBody(request, room)
          : await readJsonBody(request, { ...mailLimit(ready.maxRequestBytes), room });
        const keyed = { input, ...(idempotencyKey === null ? {} : { idempotencyKey }) };
        if (isDryRun)
          return { jsonBody: { dryRun: true, ...(await dryRunMail({ ...ready, room }, caller, keyed)) } };
        const answer = await sendMail(
          { ...ready, room },
          { ...keyed, caller, respondAsync: prefersAsync(request) },
        );
        const statusUrl = `${mailsUrl(request)}/${answer.row.facts.mailId}`;
        const { status, body } = toMailAnswer(answer, statusUrl);
        return {
          status,
          headers: {
            ...(answer.repeated ? { 'idempotent-replayed': 'true' } : {}),
            ...(status === 202 ? { location: statusUrl } : {}),
          },
          jsonBody: body,
        };
      } finally {
        room.close();
      }
    });
