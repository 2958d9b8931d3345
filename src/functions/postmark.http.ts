import type { HttpRequest } from '@azure/functions';
import type { Presented } from '../lib/callers/credentials.ts';
import { type BatchResult, sendBatch } from '../lib/delivery/send-batch.ts';
import { type SendMailNeeds, sendMail } from '../lib/delivery/send-mail.ts';
import { refusalsOf } from '../lib/delivery/send-together.ts';
import { describe } from '../lib/describe.ts';
import { readMailStatus } from '../lib/desk/mail-status.ts';
import { AppError, problemsError } from '../lib/errors.ts';
import type { FacadeAnswer, TranslatedMail } from '../lib/facades/facade.ts';
import { CHECKED, NO_MESSAGE_ID, toAccepted } from '../lib/facades/postmark-answer.ts';
import { readCall } from '../lib/facades/postmark-calls.ts';
import { toPostmarkError } from '../lib/facades/postmark-error.ts';
import { asTheirs, toMail } from '../lib/facades/postmark-mail.ts';
import { toMessageDetails, toServer } from '../lib/facades/postmark-message.ts';
import { handlingOfAll } from '../lib/sending/safety.ts';
import type { Facade, FacadeCall } from './facade.http.ts';

/** Postmark's API, at `/api/postmark`: `POST /email` and `/email/batch`, and what was sent. */
export const postmarkFacade: Facade = {
  presented: (request, usual) => presentedToPostmark(request, usual),
  answer: async (call) => {
    const asked = readCall(call.method, call.path);
    switch (asked.kind) {
      case 'send':
        return sendOne(call);
      case 'batch':
        return sendMany(call);
      case 'details':
        return ok(toMessageDetails(await readMailStatus(call.status, asked.mailId, call.caller)));
      case 'server': {
        const kind = handlingOfAll(call.sending.accept.safety)?.kind;
        return ok(toServer(call.caller.name, kind === 'capture'));
      }
    }
  },
  refuse: ({ problem }) => {
    const { status, error } = toPostmarkError(problem);
    return { status, json: error };
  },
};

/** Clients for .NET and PHP accept no other status for a success. */
const ok = (json: unknown): FacadeAnswer => ({ status: 200, json });

const TOKEN = 'x-postmark-server-token';
/** Postmark's token for requests that are only checked. By itself it says nothing of who calls, so a key follows it. */
const TEST_TOKEN = 'POSTMARK_API_TEST';
const TEST_PREFIX = new RegExp(`^${TEST_TOKEN}[.:](?=gmr_)`, 'i');

const isTest = ({ headers }: Pick<HttpRequest, 'headers'>): boolean =>
  TEST_PREFIX.test(headers.get(TOKEN)?.trim() ?? '');

/** The key, where clients of Postmark have their server token; another credential beside it is one too many. */
const presentedToPostmark = ({ headers }: HttpRequest, usual: Presented): Presented => {
  const token = headers.get(TOKEN)?.trim();
  if (token === undefined || token === '') {
    if (headers.has('x-postmark-account-token'))
      throw unknown(
        'The relay has no account API, and the header X-Postmark-Account-Token is no credential.',
      );
    if (usual.authorization === undefined && usual.apiKey === undefined && usual.functionKey === undefined)
      throw unknown('Expected a key of the relay in the header X-Postmark-Server-Token, received none.');
    return usual;
  }
  if (token.toUpperCase() === TEST_TOKEN)
    throw unknown(
      `${TEST_TOKEN} does not say who calls. To check emails without sending them, put it before the key: ${TEST_TOKEN}.gmr_...`,
    );
  const key = token.replace(TEST_PREFIX, '');
  if (!key.includes(',') && !key.startsWith('gmr_'))
    throw unknown(
      'Expected a key of the relay (gmr_...) in the header X-Postmark-Server-Token, received something else, such as a token of Postmark.',
    );
  return { ...usual, apiKey: usual.apiKey === undefined ? key : `${key}, ${usual.apiKey}` };
};

const unknown = (detail: string): AppError => new AppError('CALLER_UNKNOWN', { detail });

const sendOne = async (call: FacadeCall): Promise<FacadeAnswer> => {
  const written = await call.readJson();
  const mail = toMail(written);
  const needs = call.sending;
  const [result] = isTest(call) ? await checkAll(needs, call, [mail]) : [await sendAlone(needs, call, mail)];
  return ok(accepted(call, needs, written, mail, result));
};

/** With the header that the API of the relay has for the key, where a caller writes its own requests. */
const sendAlone = async (
  needs: SendMailNeeds,
  { caller, headers }: FacadeCall,
  { input }: TranslatedMail,
): Promise<BatchResult> => {
  const idempotencyKey = headers.get('idempotency-key');
  try {
    return await sendMail(needs, {
      input,
      caller,
      respondAsync: false,
      ...(idempotencyKey === null ? {} : { idempotencyKey }),
    });
  } catch (thrown) {
    return { thrown };
  }
};

type Checked = BatchResult | 'checked';

const checkAll = async (
  needs: SendMailNeeds,
  { caller }: FacadeCall,
  mails: readonly TranslatedMail[],
): Promise<readonly Checked[]> => {
  const refused = await refusalsOf(
    needs,
    caller,
    mails.map(({ input }) => ({ input })),
  );
  const errors = new Map(refused.map(({ index, error }) => [index, error]));
  return mails.map((_, index) => {
    const error = errors.get(index);
    return error === undefined ? 'checked' : { thrown: error };
  });
};

/** The answer for an accepted email. Throws why it was not, at the fields of Postmark. */
const accepted = (
  call: FacadeCall,
  { clock }: SendMailNeeds,
  written: unknown,
  { fieldOf }: TranslatedMail,
  result: Checked | undefined,
) => {
  const now = clock.now().toISOString();
  if (result === undefined) throw new Error('an email has no result');
  if (result === 'checked') return toAccepted(written, { mailId: NO_MESSAGE_ID, at: now, message: CHECKED });
  if ('row' in result) {
    const { mailId, acceptedAt } = result.row.facts;
    return toAccepted(written, { mailId, at: acceptedAt });
  }
  const { thrown } = result;
  if (!(thrown instanceof AppError)) throw thrown;
  // The ledger has it, and the relay finds out what became of it. A client that is told of an error sends it again.
  if (thrown.code === 'OUTCOME_UNKNOWN' && thrown.facts.mailId !== undefined) {
    call.refusal(thrown);
    return toAccepted(written, { mailId: thrown.facts.mailId, at: now });
  }
  throw asTheirs(thrown, fieldOf);
};

/** Postmark's own limit. */
const MAX_BATCH = 500;
/**
 * A larger batch is queued, which is what Postmark does with every email. Four at a time wait for Graph, and clients for .NET give up
 * after 30 seconds, Ruby's after 15: they would send all of it again.
 */
const MOST_AWAITED = 20;

const sendMany = async (call: FacadeCall): Promise<FacadeAnswer> => {
  if (call.headers.has('idempotency-key'))
    throw new AppError('IDEMPOTENCY_KEY_INVALID', {
      detail: 'A batch does not take the header Idempotency-Key, because each email needs a key of its own.',
    });
  const emails = requireBatch(await call.readJson());
  const translated = emails.map(tryTranslate);
  const mails = translated.filter((one) => 'input' in one);
  const needs = call.sending;
  const results: readonly Checked[] = isTest(call)
    ? await checkAll(needs, call, mails)
    : await sendBatch(needs, {
        inputs: mails.map(({ input }) => input),
        caller: call.caller,
        respondAsync: mails.length > MOST_AWAITED,
      });
  const rest = results.values();
  return ok(
    translated.map((mail, index) => {
      try {
        if ('thrown' in mail) throw mail.thrown;
        return accepted(call, needs, emails[index], mail, rest.next().value);
      } catch (thrown) {
        return toPostmarkError(call.refusal(thrown).problem).error;
      }
    }),
  );
};

const tryTranslate = (written: unknown): TranslatedMail | { readonly thrown: unknown } => {
  try {
    return toMail(written);
  } catch (thrown) {
    return { thrown };
  }
};

const requireBatch = (written: unknown): readonly unknown[] => {
  if (!Array.isArray(written))
    throw problemsError([
      { code: 'FIELD_INVALID', pointer: '', expected: 'a list of emails', received: describe(written) },
    ]);
  if (written.length > MAX_BATCH)
    throw new AppError('BATCH_INVALID', {
      detail: `Expected at most ${MAX_BATCH} emails, received ${written.length}.`,
    });
  return written;
};
