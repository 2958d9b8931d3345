import type { HttpHandler, HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Caller } from '../lib/callers/caller.ts';
import type { Presented } from '../lib/callers/credentials.ts';
import type { Room } from '../lib/delivery/admission.ts';
import type { SendMailNeeds } from '../lib/delivery/send-mail.ts';
import type { CancelNeeds } from '../lib/desk/cancel-mail.ts';
import type { RescheduleNeeds } from '../lib/desk/reschedule-mail.ts';
import type { TraceNeeds } from '../lib/desk/trace-mail.ts';
import { AppError, problemsError } from '../lib/errors.ts';
import type { FacadeAnswer } from '../lib/facades/facade.ts';
import { isFieldLike } from '../lib/facades/field-rules.ts';
import type { Log } from '../lib/log.ts';
import type { Ports } from '../lib/ports.ts';
import { byKeyOrToken, presentedBy } from './caller.ts';
import { mailLimit, readJsonBody } from './json-body.ts';
import { FOR_WHO_ASKED, logTo, type Refusal, refusal } from './problem.ts';
import type { MailDoor } from './send-mail.http.ts';

/** What a call of a provider's API asks, and what answers it. The caller is known. */
export type FacadeCall = {
  readonly method: string;
  /** What follows the address of the façade, without slashes at its ends, such as `v3/mail/send`. */
  readonly path: string;
  readonly headers: HttpRequest['headers'];
  readonly caller: Caller;
  /** Of this call; what is held of its body counts there. */
  readonly room: Room;
  /** The body as JSON, once; throws as `POST /api/mail` does. */
  readonly readJson: () => Promise<unknown>;
  /** For sending. Throws MAIL_DISABLED. */
  readonly sending: SendMailNeeds;
  /** For what became of an email. */
  readonly status: TraceNeeds;
  readonly desk: CancelNeeds & RescheduleNeeds;
  /** What is told of one email that is refused while others of the same request are not. Logs it as a refused request. */
  readonly refusal: (thrown: unknown) => Refusal;
};

/** A call, as far as it is known even where it is refused before anything of it is read. */
export type AskedCall = Pick<FacadeCall, 'method' | 'path'>;

/** The API of one provider. */
export type Facade = {
  /** Where clients of the provider put their key. What else is a credential at an address of the relay stays one. */
  readonly presented: (request: HttpRequest, usual: Presented) => Presented;
  /** Throws AppErrors, of which `refuse` makes what the provider would answer. FACADE_CALL_UNKNOWN for what it does not have. */
  readonly answer: (call: FacadeCall) => Promise<FacadeAnswer>;
  readonly refuse: (refusal: Refusal, asked: AskedCall) => FacadeAnswer;
};

/** What façades need of the relay. */
export type FacadeNeeds = {
  readonly forIdentity: (log: Log) => Pick<Ports, 'callers' | 'appTokens'>;
  readonly forSendMail: (log: Log) => SendMailNeeds & MailDoor;
  readonly forStatus: (log: Log) => TraceNeeds;
  readonly forDesk: (log: Log) => CancelNeeds & RescheduleNeeds;
};

/** The path of a call below the address of a façade: `/api/<provider>`, or the root of the host. */
const pathOf = ({ url }: HttpRequest, at: string): string =>
  new URL(url).pathname.slice(at.length).replace(/^\/+|\/+$/g, '');

/**
 * Every call of a provider's API. `at` is the address of the façade, `/api/sendgrid` or nothing for the root of the host. Of a request
 * whose caller is not known nothing is read.
 */
export const facadeHttp =
  (
    /** At the first call: an app that has façades starts as fast as one without. */
    load: () => Promise<Facade>,
    needs: FacadeNeeds,
    at: string,
  ): HttpHandler =>
  async (request, context) => {
    const { presented, answer, refuse } = await load();
    const identify = byKeyOrToken(needs.forIdentity, (one) => presented(one, presentedBy(one)));
    const log = logTo(context);
    const asked = { method: request.method, path: pathOf(request, at) };
    let room: Room | undefined;
    try {
      const caller = await identify(request, log);
      requireNoQuery(request);
      // Not before a call asks: a relay that sends nothing can still say what became of an email.
      const sending = () => needs.forSendMail(log);
      const openRoom = () => {
        room ??= sending().admission.open();
        return room;
      };
      return toResponse(
        await answer({
          ...asked,
          headers: request.headers,
          caller,
          readJson: () =>
            readJsonBody(request, { ...mailLimit(sending().maxRequestBytes), room: openRoom() }),
          get room() {
            return openRoom();
          },
          get sending() {
            return { ...sending(), room: openRoom() };
          },
          get status() {
            return needs.forStatus(log);
          },
          get desk() {
            return needs.forDesk(log);
          },
          refusal: (thrown) => refusal(context, thrown),
        }),
      );
    } catch (thrown) {
      const refused = refusal(context, thrown);
      const { headers, ...rest } = refuse(refused, asked);
      const { retryAfter } = refused;
      return toResponse({
        ...rest,
        headers: { ...headers, ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }) },
      });
    } finally {
      room?.close();
    }
  };

/**
 * No call of these APIs by which something is sent or changed has query parameters. One of the relay's own, such as `dryRun`, would be
 * ignored, and the email sent.
 */
const requireNoQuery = ({ method, url }: HttpRequest): void => {
  if (method === 'GET') return;
  const names = [...new Set(new URL(url).searchParams.keys())];
  if (names.length === 0) return;
  throw problemsError(
    names.map((name) => ({
      code: 'FACADE_FIELD_NOT_CARRIED',
      pointer: isFieldLike(name) ? name : '',
      expected:
        'no query parameters. To check an email without sending it, use mail_settings.sandbox_mode of SendGrid, POSTMARK_API_TEST of Postmark, or POST /api/v1/mail?dryRun=true',
      received: 'a query parameter',
    })),
  );
};

const toResponse = ({ status, headers, json }: FacadeAnswer): HttpResponseInit => ({
  status,
  headers: { ...FOR_WHO_ASKED, ...headers },
  ...(json === undefined ? {} : { jsonBody: json }),
});

/** For what a façade does not have. */
export const unknownCall = ({ method, path }: AskedCall): AppError =>
  new AppError('FACADE_CALL_UNKNOWN', {
    detail: `Received ${method} of a path of ${path.split('/').filter(Boolean).length} parts.`,
  });

/** The header Authorization, with the key of the relay where it stands behind a prefix that clients of a provider expect of a key. */
export const withoutKeyPrefix = (usual: Presented, prefix: string): Presented => ({
  ...usual,
  authorization: usual.authorization?.replace(
    new RegExp(`^(bearer\\s+)${prefix.replace('.', '\\.')}(?=gmr_)`, 'i'),
    '$1',
  ),
});
