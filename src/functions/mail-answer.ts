import type { HttpRequest } from '@azure/functions';
import { defined } from '../lib/defined.ts';
import type { SendMailAnswer } from '../lib/delivery/send-mail.ts';
import { type Fate, isIn } from '../lib/ledger/ledger-row.ts';

/** The answer for one email that the relay has accepted, in a response of its own or in that of a batch. */
export type MailAnswer = { readonly status: 200 | 202; readonly body: Readonly<Record<string, unknown>> };

/** What the caller has to know; the status URL tells more. */
export const toMailAnswer = ({ row, warnings }: SendMailAnswer, statusUrl: string): MailAnswer => {
  const { mailId: id, sender, sendAt } = row.facts;
  const warned = {
    ...defined({ redirected: row.progress.redirected, captured: row.progress.captured }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
  if (isIn(row, 'captured'))
    return { status: 200, body: { id, state: 'captured', sender, statusUrl, ...warned } };
  if (!isIn(row, 'sent'))
    return {
      status: 202,
      body: { id, state: toWord(row.fate), statusUrl, ...defined({ sendAt }), ...warned },
    };
  const { graphRequestId, internetMessageId } = row.fate;
  return {
    status: 200,
    body: { id, state: 'sent', sender, ...defined({ graphRequestId, internetMessageId }), ...warned },
  };
};

const toWord = (fate: Fate): string => {
  // Held, looked for or sent once more is what the relay does about it; what the caller has to know is the same.
  if (fate.state !== 'closed' && 'reason' in fate && fate.reason.code === 'OUTCOME_UNKNOWN') return 'unknown';
  return fate.state === 'deferred' ? 'queued' : fate.state;
};

/** The URL of the emails of this relay, without the query: a key may ride in it. */
export const mailsUrl = (request: HttpRequest): string => {
  const { origin, pathname } = new URL(request.url);
  return `${origin}${pathname.replace(/(?:\/batch)?\/?$/i, '')}`;
};

/** True when the caller asks not to wait. Other preferences are ignored, as RFC 7240 has it. */
export const prefersAsync = ({ headers }: HttpRequest): boolean =>
  (headers.get('prefer') ?? '')
    .split(',')
    .some((preference) => /^\s*respond-async\s*(;|$)/i.test(preference));
