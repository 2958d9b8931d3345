import type { HttpHandler, HttpRequest, HttpResponseInit } from '@azure/functions';
import { AppError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { decodeUtf8, parseJson } from '../lib/mail/read-mail.ts';
import { type SendMailNeeds, sendMail } from '../lib/send-mail.ts';
import { answeringProblems, logTo } from './problem.ts';

/** Twice what Graph carries leaves room for escapes and white space in the JSON of a caller. */
const MAX_BODY_BYTES = 8_000_000;

/** POST /api/mail */
export const sendMailHttp =
  (needs: (log: Log) => SendMailNeeds): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const ready = needs(logTo(context));
      const respondAsync = prefersAsync(request.headers.get('prefer'));
      return toAnswer(await sendMail(ready, await readJsonBody(request), { respondAsync }));
    });

const toAnswer = (answer: Awaited<ReturnType<typeof sendMail>>): HttpResponseInit => ({
  status: answer.status === 'sent' ? 200 : 202,
  jsonBody: answer,
});

const readJsonBody = async (request: HttpRequest): Promise<unknown> => {
  const contentType = request.headers.get('content-type') ?? '';
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(;\s*charset="?utf-?8"?\s*)?$/i.test(contentType.trim()))
    throw new AppError('CONTENT_TYPE_UNSUPPORTED');
  const announced = Number(request.headers.get('content-length') ?? 0);
  if (announced > MAX_BODY_BYTES) throw bodyTooLarge(announced);
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > MAX_BODY_BYTES) throw bodyTooLarge(bytes.length);
  return parseJson(decodeUtf8(bytes));
};

const bodyTooLarge = (bytes: number): AppError =>
  new AppError('MAIL_TOO_LARGE', {
    detail: `A request has at most ${MAX_BODY_BYTES} bytes; this one has ${bytes}.`,
  });

/** True when the caller asks not to wait. Other preferences are ignored, as RFC 7240 has it. */
const prefersAsync = (header: string | null): boolean =>
  (header ?? '').split(',').some((preference) => /^\s*respond-async\s*(;|$)/i.test(preference));
