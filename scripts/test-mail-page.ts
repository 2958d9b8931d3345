import type { TestMailReport } from '../src/lib/desk/send-test-mail.ts';

const line = (name: string, text: string): string => `${name.padEnd(13)}${text}`;

/** What came of a test email, formatted for a terminal. */
export const toTestMailText = (to: string, report: TestMailReport): string => {
  const { id, from, connection, credential, graph, steps, reason } = report;
  return [
    headline(to, report),
    '',
    line('Email', id),
    line('From', `${from.address} (${from.seenIn === 'sent-items' ? 'as in Sent Items' : 'as requested'})`),
    line('Connection', connection),
    line('Credential', credentialOf(credential)),
    ...(graph === undefined ? [] : [line('Graph', graphOf(graph))]),
    line(
      'Steps',
      `token ${steps.tokenMs} ms, ledger ${steps.ledgerMs} ms, Graph ${steps.graphMs} ms, together ${steps.totalMs} ms`,
    ),
    ...(reason === undefined
      ? []
      : [line('Reason', `${reason.code}: ${reason.title}`), line('What to do', reason.remedy)]),
    '',
    advice(to, report),
  ].join('\n');
};

const headline = (to: string, { state, repeated, captured, redirected }: TestMailReport): string => {
  const again = repeated ? ' That was an earlier request with the same key.' : '';
  if (captured) return `Captured: a setting of this test environment keeps the email from ${to}.${again}`;
  if (state !== 'sent') return `Not sent yet: the email to ${to} is ${state}.${again}`;
  return redirected
    ? `Sent, but not to ${to}: MAIL_REDIRECT_TO redirects every email.${again}`
    : `Sent to ${to}.${again}`;
};

const credentialOf = ({ kind, name, version, expiresOn }: TestMailReport['credential']): string =>
  [
    kind,
    ...(name === undefined ? [] : [name]),
    ...(version === undefined ? [] : [`version ${version.slice(0, 8)}`]),
    ...(expiresOn === undefined ? [] : [`expires ${expiresOn.slice(0, 10)}`]),
  ].join(', ');

const graphOf = ({ status, requestId }: NonNullable<TestMailReport['graph']>): string =>
  status === undefined
    ? 'no response'
    : `${status}${requestId === undefined ? '' : `, request id ${requestId}`}`;

const advice = (to: string, { id, state, captured }: TestMailReport): string => {
  if (captured) return 'To see it: the inbox page, /api/inbox/.';
  return state === 'sent'
    ? `Now look in the mailbox of ${to}, also in Junk, and check From.`
    : `To follow it: npm run mail -- show ${id}`;
};
