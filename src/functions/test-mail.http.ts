import type { HttpHandler, HttpRequest } from '@azure/functions';
import { defined } from '../lib/defined.ts';
import type { Admission } from '../lib/delivery/admission.ts';
import { describe } from '../lib/describe.ts';
import { sendTestMail, type TestMailNeeds, type TestMailRequest } from '../lib/desk/send-test-mail.ts';
import { type Problem, problemsError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { isAddress } from '../lib/mail/address.ts';
import { readJsonBody } from './json-body.ts';
import { answeringProblems, logTo } from './problem.ts';

/** Room for two addresses of the longest kind, with every character escaped. */
const LIMIT = { code: 'REQUEST_TOO_LARGE', maxBytes: 8000 } as const;

type Needs = (log: Log) => Omit<TestMailNeeds, 'room'> & { readonly admission: Admission };

/** POST /api/mail/test: for operators */
export const testMailHttp =
  (needs: Needs): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const asked = await readTestMail(request);
      const { admission, ...ready } = needs(logTo(context));
      const room = admission.open();
      try {
        const report = await sendTestMail({ ...ready, room }, asked);
        return {
          status: report.state === 'sent' || report.state === 'captured' ? 200 : 202,
          jsonBody: report,
        };
      } finally {
        room.close();
      }
    });

const readTestMail = async (request: HttpRequest): Promise<TestMailRequest> => {
  const body = await readJsonBody(request, LIMIT);
  const fault = (pointer: string, expected: string, value: unknown): Problem => ({
    code: 'FIELD_INVALID',
    pointer,
    expected,
    received: describe(value),
  });
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw problemsError([fault('', 'an object with `to`, one address', body)]);
  const { to, from, ...others } = body as { readonly to?: unknown; readonly from?: unknown };
  const problems = [
    ...(typeof to === 'string' && isAddress(to) ? [] : [fault('/to', 'one address', to)]),
    ...(from === undefined || (typeof from === 'string' && isAddress(from))
      ? []
      : [fault('/from', 'one address, or nothing for the default sender', from)]),
    ...(Object.keys(others).length === 0 ? [] : [fault('', 'no fields other than `to` and `from`', body)]),
  ];
  if (problems.length > 0 || typeof to !== 'string') throw problemsError(problems);
  const idempotencyKey = request.headers.get('idempotency-key') ?? undefined;
  return { to, ...defined({ from: from as string | undefined, idempotencyKey }) };
};
