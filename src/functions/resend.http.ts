import { defined } from '../lib/defined.ts';
import { requireSameRequest } from '../lib/delivery/require-same-request.ts';
import { sendBatch } from '../lib/delivery/send-batch.ts';
import { type SendMailNeeds, sendMail } from '../lib/delivery/send-mail.ts';
import { sendTogether } from '../lib/delivery/send-together.ts';
import { cancelMail } from '../lib/desk/cancel-mail.ts';
import { readMailStatus } from '../lib/desk/mail-status.ts';
import { rescheduleMail } from '../lib/desk/reschedule-mail.ts';
import { catalogue } from '../lib/error-catalogue.ts';
import { AppError } from '../lib/errors.ts';
import type { FacadeAnswer, TranslatedMail } from '../lib/facades/facade.ts';
import { withFields } from '../lib/facades/field-rules.ts';
import { isInDoubt } from '../lib/facades/in-doubt.ts';
import { fieldOfUpdate, namesDistance, readUpdate, translateEmail } from '../lib/facades/resend-mail.ts';
import { messageOf, toRefusal } from '../lib/facades/resend-refusal.ts';
import {
  joinErrors,
  keyOfItem,
  keysOfBatch,
  readBatch,
  readIsPermissive,
  readKey,
} from '../lib/facades/resend-requests.ts';
import { toEmailObject } from '../lib/facades/resend-status.ts';
import { type Facade, type FacadeCall, unknownCall, withoutKeyPrefix } from './facade.http.ts';

/** Resend's API, at `/api/resend` and at the root: `/emails`. */
export const resendFacade: Facade = {
  presented: (_request, usual) => withoutKeyPrefix(usual, 're_'),
  answer: async (call) => {
    const [, id = ''] = call.path.split('/');
    const path = call.path.replace(/^emails\/(?!batch$)[^/]+/, 'emails/{id}');
    switch (`${call.method} ${path}`) {
      case 'POST emails':
        return sendOne(call);
      case 'POST emails/batch':
        return sendSeveral(call);
      case 'GET emails/{id}':
        return showEmail(call, id);
      case 'PATCH emails/{id}':
        return moveEmail(call, id);
      case 'POST emails/{id}/cancel':
        return cancelEmail(call, id);
      case 'GET emails':
        throw new AppError('FACADE_CALL_UNKNOWN', { detail: LISTS });
      default:
        throw unknownCall(call);
    }
  },
  refuse: ({ problem }, asked) => toRefusal(problem, asked),
};

const LISTS =
  'Lists of emails are for operators: GET /api/mail, with the master key. An application reads each of its emails by ID: GET /emails/{id}.';

const json = (body: unknown): FacadeAnswer => ({ status: 200, json: body });

const after =
  (now: Date) =>
  (milliseconds: number): Date =>
    new Date(now.getTime() + milliseconds);

/** The id of an email that may have been sent, where nothing but that is known: the relay looks into it, and nobody must send it again. */
const idInDoubt = (thrown: unknown): string | undefined =>
  thrown instanceof AppError && thrown.code === 'OUTCOME_UNKNOWN' ? thrown.facts.mailId : undefined;

/** Of a batch, all emails are queued: one that is being sent under its key was accepted before, and nothing becomes of it unseen. */
const idAccepted = (thrown: unknown): string | undefined =>
  thrown instanceof AppError && thrown.code === 'MAIL_UNDER_WAY' ? thrown.facts.mailId : idInDoubt(thrown);

const told = (thrown: unknown, { fieldOf }: TranslatedMail): unknown =>
  thrown instanceof AppError ? withFields(thrown, fieldOf) : thrown;

const sendOne = async (call: FacadeCall): Promise<FacadeAnswer> => {
  const { sending, caller } = call;
  const key = readKey(call.headers.get('idempotency-key'));
  const body = await call.readJson();
  const send = async (mail: TranslatedMail): Promise<string> => {
    const keyed = { input: mail.input, ...(key === undefined ? {} : { idempotencyKey: key }) };
    try {
      const { row } = await sendMail(sending, { ...keyed, caller, respondAsync: false });
      return row.facts.mailId;
    } catch (thrown) {
      const inDoubt = idInDoubt(thrown);
      if (inDoubt !== undefined) return inDoubt;
      throw told(thrown, mail);
    }
  };
  const first = translateEmail(body, { after: after(sending.clock.now()) });
  const id = await send(first).catch(async (thrown: unknown) => {
    const due = await firstTime(call, body, thrown);
    if (due === undefined) throw thrown;
    return send(translateEmail(body, { after: () => due }));
  });
  return json({ id });
};

/**
 * "in 1 min" is another time in each request, and a request that is repeated under its key must be the same. When the email is due that
 * has the key, where the request names a distance.
 */
const firstTime = async (
  { status, caller }: FacadeCall,
  body: unknown,
  thrown: unknown,
): Promise<Date | undefined> => {
  if (!(thrown instanceof AppError) || thrown.code !== 'IDEMPOTENCY_KEY_REUSED') return undefined;
  const { mailId } = thrown.facts;
  if (mailId === undefined || !namesDistance(body)) return undefined;
  const { sendAt } = await readMailStatus(status, mailId, caller);
  return typeof sendAt === 'string' ? new Date(sendAt) : undefined;
};

type Item = { readonly index: number } & ({ readonly mail: TranslatedMail } | { readonly error: AppError });

/** Each email of a batch as one of ours, or why it is none. */
const translateAll = (bodies: readonly unknown[], now: Date): readonly Item[] =>
  bodies.map((body, index) => {
    try {
      return { index, mail: translateEmail(body, { after: after(now), index }) };
    } catch (error) {
      if (error instanceof AppError) return { index, error };
      throw error;
    }
  });

const sendSeveral = async (call: FacadeCall): Promise<FacadeAnswer> => {
  const { sending } = call;
  const key = readKey(call.headers.get('idempotency-key'));
  const isPermissive = readIsPermissive(call.headers.get('x-batch-validation'));
  const bodies = readBatch(await call.readJson());
  const items = translateAll(bodies, sending.clock.now());
  const keyed = key === undefined ? undefined : await keyedBy(sending, key, bodies);
  return isPermissive ? sendPossible(call, sending, items, keyed) : sendAll(call, sending, items, keyed);
};

/** The key of a batch, and what stands for its content: the key is of these emails in this order and of no others. */
type KeyOfBatch = { readonly key: string; readonly whole: string };

const keyedBy = async (
  { readIdentity }: SendMailNeeds,
  key: string,
  bodies: readonly unknown[],
): Promise<KeyOfBatch> => ({ key, whole: (await readIdentity()).wholeOf(bodies) });

/** All of them or none. */
const sendAll = async (
  { caller, desk }: FacadeCall,
  sending: SendMailNeeds,
  items: readonly Item[],
  keyed: KeyOfBatch | undefined,
): Promise<FacadeAnswer> => {
  const wrong = items.flatMap((item) => ('error' in item ? [item] : []));
  if (wrong.length > 0) throw joinErrors(wrong);
  const mails = items.flatMap((item) => ('mail' in item ? [item.mail] : []));
  const cancel = (mailId: string) => cancelMail(desk, mailId, caller);
  const requests = mails.map(({ input }, index) => {
    const idempotencyKey = keyOfItem(keyed?.key, index);
    return { input, ...defined({ idempotencyKey, whole: keyed?.whole }) };
  });
  const result = await sendTogether({ ...sending, cancel }, caller, requests);
  if ('refused' in result)
    throw joinErrors(
      result.refused.map(({ index, error }) => {
        const mail = mails[index];
        return { index, error: mail === undefined ? error : withFields(error, mail.fieldOf) };
      }),
    );
  return json({ data: result.answers.map(({ row }) => ({ id: row.facts.mailId })) });
};

/** Those that can be sent, and why the others cannot. Throws where nothing could be accepted, and not for an email's own fault. */
const sendPossible = async (
  call: FacadeCall,
  sending: SendMailNeeds,
  items: readonly Item[],
  keyed: KeyOfBatch | undefined,
): Promise<FacadeAnswer> => {
  const possible = items.flatMap((item) => ('mail' in item ? [item] : []));
  const inputs = possible.map(({ index, mail }) => {
    const idempotencyKey = keyOfItem(keyed?.key, index);
    return { ...mail.input, ...defined({ idempotencyKey }) };
  });
  if (keyed !== undefined)
    await requireSameRequest(sending, call.caller, keyed.whole, keysOfBatch(keyed.key));
  const results = await sendBatch(sending, {
    inputs,
    caller: call.caller,
    respondAsync: true,
    ...defined({ whole: keyed?.whole }),
  });
  const data: { id: string }[] = [];
  const refused = items.flatMap((item) =>
    'error' in item ? [{ index: item.index, thrown: item.error as unknown }] : [],
  );
  for (const [at, result] of results.entries()) {
    const item = possible[at];
    const id = 'row' in result ? result.row.facts.mailId : idAccepted(result.thrown);
    if (id !== undefined) data.push({ id });
    else if (item !== undefined && 'thrown' in result)
      refused.push({ index: item.index, thrown: told(result.thrown, item.mail) });
  }
  const failures = refused.filter(({ thrown }) => !isOwnFault(thrown));
  // An answer for all that invites to repeat the request is none where one of them may have been sent.
  const failure = failures.find(({ thrown }) => mayBeSent(thrown)) ?? failures[0];
  if (data.length === 0 && failure !== undefined) throw failure.thrown;
  const errors = refused
    .sort((one, other) => one.index - other.index)
    .map(({ index, thrown }) => ({ index, message: messageOf(call.refusal(thrown).problem) }));
  return json({ data, errors });
};

/** Whether the email is wrong, and not the relay or its time. */
const isOwnFault = (thrown: unknown): boolean =>
  thrown instanceof AppError && catalogue[thrown.code].status < 429;

const mayBeSent = (thrown: unknown): boolean => !(thrown instanceof AppError) || isInDoubt(thrown.code);

const showEmail = async ({ status, desk, caller }: FacadeCall, id: string): Promise<FacadeAnswer> =>
  json(toEmailObject(await readMailStatus(status, id, caller), desk.clock.now()));

const moveEmail = async (call: FacadeCall, id: string): Promise<FacadeAnswer> => {
  const { desk, caller } = call;
  const sendAt = readUpdate(await call.readJson(), after(desk.clock.now()));
  const moved = await rescheduleMail(desk, id, caller, sendAt).catch((thrown: unknown) => {
    throw thrown instanceof AppError ? withFields(thrown, fieldOfUpdate) : thrown;
  });
  return json({ object: 'email', id: moved.id });
};

const cancelEmail = async ({ desk, caller }: FacadeCall, id: string): Promise<FacadeAnswer> => {
  const canceled = await cancelMail(desk, id, caller);
  return json({ object: 'email', id: canceled.id });
};
