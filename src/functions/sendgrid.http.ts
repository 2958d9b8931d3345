import { sendMail } from '../lib/delivery/send-mail.ts';
import { refusalsOf, sendTogether } from '../lib/delivery/send-together.ts';
import { cancelMail } from '../lib/desk/cancel-mail.ts';
import { AppError } from '../lib/errors.ts';
import type { FacadeAnswer } from '../lib/facades/facade.ts';
import { withFields } from '../lib/facades/field-rules.ts';
import { accepted, refusedTogether, requestTag, toErrors } from '../lib/facades/sendgrid-answer.ts';
import {
  readSendGridRequest,
  type SendGridMail,
  type SendGridRequest,
} from '../lib/facades/sendgrid-request.ts';
import { type AskedCall, type Facade, type FacadeCall, withoutKeyPrefix } from './facade.http.ts';

/** SendGrid's API v3, at `/api/sendgrid` and at the root: `POST /v3/mail/send`. */
export const sendgridFacade: Facade = {
  // Its clients warn of a key that does not begin with `SG.`. They also send the headers of an email as those of the request
  // (sendgrid-nodejs 8.1.6), so that no other header is a credential.
  presented: (_request, usual) =>
    withoutKeyPrefix({ ...usual, apiKey: undefined, functionKey: undefined }, 'SG.'),
  answer: async (call) => {
    if (CALLS.get(nameOf(call)) !== call.method)
      throw new AppError('FACADE_CALL_UNKNOWN', {
        detail: 'Of the API of SendGrid, the relay has POST /v3/mail/send and GET /v3/scopes.',
      });
    // By it applications find out whether their key is valid.
    if (call.method === 'GET') return { status: 200, json: { scopes: ['mail.send'] } };
    requireNoSubuser(call);
    const body = await call.readJson();
    return send(call, readSendGridRequest(body), body as object);
  },
  refuse: ({ problem }, asked) => toErrors(problem, CALLS.has(nameOf(asked))),
};

const CALLS: ReadonlyMap<string, string> = new Map([
  ['v3/mail/send', 'POST'],
  ['v3/scopes', 'GET'],
]);

const nameOf = ({ path }: AskedCall): string => path.toLowerCase();

const requireNoSubuser = ({ headers }: FacadeCall): void => {
  if (headers.has('on-behalf-of'))
    throw new AppError('FACADE_FIELD_NOT_CARRIED', {
      detail: 'Expected no header On-Behalf-Of: the relay has no subusers. Use the key of another caller.',
    });
};

const send = async (call: FacadeCall, request: SendGridRequest, body: object): Promise<FacadeAnswer> => {
  const { isSandbox, made } = request;
  if (!call.room.add(made)) throw new AppError('RELAY_BUSY');
  if (isSandbox) return judge(call, request.mails);
  const mails = await withWhole(call, request.mails, body);
  const [only, ...others] = mails;
  return only !== undefined && others.length === 0 ? sendOne(call, only) : sendAll(call, mails);
};

type KeyedMail = Omit<SendGridMail, 'hasKeyOfRequest'> & { readonly whole?: string };

/** The key of a request is of all of it: with another content or another number of personalizations it is of another request. */
const withWhole = async (
  { sending }: FacadeCall,
  mails: readonly SendGridMail[],
  body: object,
): Promise<readonly KeyedMail[]> => {
  if (!mails.some((mail) => mail.hasKeyOfRequest)) return mails;
  const whole = (await sending.readIdentity()).wholeOf(body);
  return mails.map(({ hasKeyOfRequest, ...mail }) => (hasKeyOfRequest ? { ...mail, whole } : mail));
};

const judge = async (call: FacadeCall, mails: readonly SendGridMail[]): Promise<FacadeAnswer> => {
  const refused = await refusalsOf(call.sending, call.caller, mails);
  if (refused.length > 0) throw refusedTogether(refused, mails);
  return { status: 200 };
};

const sendOne = async (
  { sending, caller }: FacadeCall,
  { fieldOf, ...mail }: KeyedMail,
): Promise<FacadeAnswer> => {
  try {
    const { row } = await sendMail(sending, { ...mail, caller, respondAsync: false });
    return accepted(row.facts.mailId);
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const { mailId } = thrown.facts;
    // The relay finds out what happened to it. An error would invite the application to send it once more.
    if (thrown.code === 'OUTCOME_UNKNOWN' && mailId !== undefined) return accepted(mailId);
    throw withFields(thrown, fieldOf);
  }
};

/** The id of the first email stands for the request, and all of its emails have it in a tag. */
const sendAll = async (call: FacadeCall, mails: readonly KeyedMail[]): Promise<FacadeAnswer> => {
  const { sending, caller } = call;
  const mailId = await firstId(call, mails[0]);
  const tag = requestTag(mailId);
  const requests = mails.map(({ input, fieldOf: _, ...mail }, index) => ({
    ...mail,
    input: { ...input, tags: [...((input.tags ?? []) as readonly string[]), tag] },
    ...(index === 0 ? { mailId } : {}),
  }));
  const cancel = (one: string) => cancelMail(call.desk, one, caller);
  const result = await sendTogether({ ...sending, cancel }, caller, requests);
  if ('refused' in result) throw refusedTogether(result.refused, mails);
  return accepted(result.answers[0]?.row.facts.mailId ?? mailId);
};

/** With a key, the same at every repetition. */
const firstId = async ({ sending, caller }: FacadeCall, first?: KeyedMail): Promise<string> =>
  first?.idempotencyKey === undefined
    ? sending.newMailId()
    : (await sending.readIdentity()).mailIdOfKey(caller.name, first.idempotencyKey);
