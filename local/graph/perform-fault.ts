import { setTimeout as wait } from 'node:timers/promises';
import type { GraphState } from './call.ts';
import type { CallFault, FaultyCallName } from './fault-rules.ts';
import { type GraphAnswer, toErrorAnswer } from './graph-answer.ts';
import type { RequestIds } from './graph-error.ts';
import { itemNotFound } from './refusals.ts';
import type { SeenRequest } from './request-log.ts';

type FaultyCall = {
  /** Carries the call out and says what Graph would have answered. */
  readonly carryOut: () => Promise<GraphAnswer>;
  readonly clientGone: AbortSignal;
  readonly ids: RequestIds;
  readonly at: Date;
};

/**
 * Carries a call out, unless a fault rule takes it. Called last: a rule counts calls that would have been carried out,
 * whatever else arrives.
 */
export const carryOutOrFail = async (
  on: FaultyCallName,
  call: FaultyCall & { readonly mailbox: { readonly address: string }; readonly seen: SeenRequest },
  { faults }: Pick<GraphState, 'faults'>,
  mimeBytes?: number,
): Promise<GraphAnswer> => {
  const taken = faults.takeForCall({ on, mailbox: call.mailbox.address, mimeBytes });
  if (taken === undefined) return call.carryOut();
  call.seen.fault = taken.id;
  return performFault(taken.fault, call);
};

/** Does what a fault rule says, and says how the call ends. */
const performFault = async (fault: CallFault, call: FaultyCall): Promise<GraphAnswer> => {
  switch (fault.kind) {
    case 'answer':
      if (fault.accept) await call.carryOut();
      return toAnswer(fault, call);
    case 'notFound':
      return toErrorAnswer(itemNotFound(), call.ids, call.at);
    case 'reset':
      if (fault.when === 'after') await call.carryOut();
      return { kind: 'reset' };
    case 'delay':
      if (await staysFor(fault.ms, call.clientGone))
        return fault.afterwards ? performFault(fault.afterwards, call) : call.carryOut();
      if (fault.whenClientLeaves === 'accept') await call.carryOut();
      return { kind: 'client left' };
  }
};

const staysFor = (ms: number, clientGone: AbortSignal): Promise<boolean> =>
  wait(ms, true, { signal: clientGone }).catch((error: unknown) => {
    if (clientGone.aborted) return false;
    throw error;
  });

const toAnswer = (fault: Extract<CallFault, { kind: 'answer' }>, { ids, at }: FaultyCall): GraphAnswer => {
  const { status, retryAfter, body, contentType = 'application/json' } = fault;
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'Retry-After': retryAfter };
  if (body !== undefined) return { kind: 'answer', status, headers, body: { contentType, text: body } };

  const usual = USUAL_ERRORS.get(status) ?? { code: 'generalException', message: 'General exception.' };
  const isError = status >= 400 || fault.code !== undefined || fault.message !== undefined;
  if (!isError) return { kind: 'answer', status, headers };
  const { code = usual.code, message = usual.message } = fault;
  return toErrorAnswer({ status, code, message, headers }, ids, at);
};

/** What people saw Graph answer with these; 504 and its empty message included. */
const USUAL_ERRORS: ReadonlyMap<number, { readonly code: string; readonly message: string }> = new Map([
  [401, { code: 'InvalidAuthenticationToken', message: 'Lifetime validation failed, the token is expired.' }],
  [403, { code: 'ErrorAccessDenied', message: 'Access is denied. Check credentials and try again.' }],
  [404, { code: 'ResourceNotFound', message: 'Resource could not be discovered.' }],
  [429, { code: 'ApplicationThrottled', message: 'Application is over its MailboxConcurrency limit.' }],
  [
    500,
    { code: 'ErrorInternalServerError', message: 'An internal server error occurred. The operation failed.' },
  ],
  [502, { code: 'UnknownError', message: '' }],
  [
    503,
    {
      code: 'ErrorServerBusy',
      message: 'The server cannot service this request right now. Try again later.',
    },
  ],
  [504, { code: 'UnknownError', message: '' }],
]);
