import { AppError, problemsError } from '../errors.ts';

/** What a call of Postmark is here. */
export type PostmarkCall =
  | { readonly kind: 'send' | 'batch' | 'server' }
  | { readonly kind: 'details'; readonly mailId: string };

const NO_TEMPLATES =
  'Subject, HtmlBody and TextBody that the application has rendered, with POST /email or /email/batch: the relay stores no templates';

/** Calls that the relay does not have, by how their path begins, and what to do instead. */
const ABSENT: readonly (readonly [begin: string, instead: string])[] = [
  ['templates', 'The relay stores no templates. Render the email in the application.'],
  [
    'bounces',
    'The relay has no list of bounces. Read the status of an email with GET /api/v1/mail/{id}, or receive events (docs/events.md).',
  ],
  ['deliverystats', 'The relay has no such counts. An administrator finds them in its metrics.'],
  ['stats', 'The relay has no such counts. An administrator finds them in its metrics.'],
  ['messages/outbound/opens', 'The relay does not track.'],
  ['messages/outbound/clicks', 'The relay does not track.'],
  [
    'messages/outbound',
    'The relay answers GET /messages/outbound/{MessageID}/details. A caller cannot list emails, and their content is not kept; an operator finds emails on the operator page.',
  ],
  ['messages/inbound', 'The relay receives no emails.'],
  ['triggers', 'The relay receives no emails.'],
  ['webhooks', 'An administrator sets up webhooks of the relay (docs/events.md).'],
  ['message-streams', 'The relay has neither streams nor lists of suppressed recipients.'],
  ['server', 'The relay answers GET /server. An administrator changes what a caller may do.'],
  ['domains', 'The relay has no account API. An administrator sets up senders and callers.'],
  ['senders', 'The relay has no account API. An administrator sets up senders and callers.'],
  ['data-removals', 'The relay has no account API. An operator removes emails.'],
];

/**
 * Which call this is. Postmark's clients write the same path in several cases, and one with a slash at its end. Throws
 * FACADE_FIELD_NOT_CARRIED for sending by a template, FACADE_CALL_UNKNOWN for the rest.
 */
export const readCall = (method: string, path: string): PostmarkCall => {
  const lower = path.toLowerCase();
  const call = `${method} ${lower}`;
  if (call === 'POST email') return { kind: 'send' };
  if (call === 'POST email/batch') return { kind: 'batch' };
  if (call === 'GET server') return { kind: 'server' };
  const [, mailId] = /^GET messages\/outbound\/([^/]+)\/details$/.exec(call) ?? [];
  if (mailId !== undefined) return { kind: 'details', mailId };
  if (/^POST email\/(?:withtemplate|batchwithtemplates|bulk)$/.test(call))
    throw problemsError([
      {
        code: 'FACADE_FIELD_NOT_CARRIED',
        pointer: '',
        expected: NO_TEMPLATES,
        received: 'a call for templates or bulk emails',
      },
    ]);
  const instead = ABSENT.find(([begin]) => lower === begin || lower.startsWith(`${begin}/`))?.[1];
  throw new AppError('FACADE_CALL_UNKNOWN', {
    detail:
      instead ??
      'The relay answers POST /email, POST /email/batch, GET /messages/outbound/{MessageID}/details and GET /server.',
  });
};
