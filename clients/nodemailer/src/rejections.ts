import type { GraphMailRelayError, RelayProblem } from '../index.d.ts';
import { relayError } from './relay-error.ts';
import { isAtTheDoor, type Verdict } from './verdict.ts';

type Of<Kind extends Verdict['kind']> = Extract<Verdict, { readonly kind: Kind }>;
export type NotAccepted = Exclude<Verdict, Of<'accepted'>>;

/** Codes of problems with the sender or a recipient. */
const OF_THE_ENVELOPE =
  /^(?:ADDRESS_INVALID|RECIPIENT_\w+|RECIPIENTS_\w+|SENDER_\w+|SEND_AS_DENIED|MAILBOX_NOT_FOUND|MAILBOX_OUT_OF_SCOPE)$/;
const SHOWN_PROBLEMS = 3;

/** What a person reads of a problem. The relay never quotes a value of an email in it. */
const told = ({ code, title, detail, remedy, problems = [] }: RelayProblem): string => {
  const shown = problems
    .slice(0, SHOWN_PROBLEMS)
    .map(({ pointer = '', expected, received }) =>
      [pointer, expected && `expected ${expected}`, received && `received ${received}`]
        .filter(Boolean)
        .join(' '),
    );
  const more = problems.length > SHOWN_PROBLEMS ? [`${problems.length - SHOWN_PROBLEMS} more`] : [];
  const sentences = [title, detail, shown.concat(more).join('; '), remedy].filter(Boolean);
  return `${code}: ${sentences.map((text) => String(text).replace(/\.?$/, '.')).join(' ')}`;
};

/** As an SMTP server would reply: applications decide by it whether they send an email again. */
const replyCode = (status: number, problem: RelayProblem | undefined): number => {
  if (isAtTheDoor(status, problem)) return 535;
  if (status === 413) return 552;
  // An administrator must act first; then the same email is accepted.
  if (status >= 500) return 451;
  return problem !== undefined && OF_THE_ENVELOPE.test(problem.code) ? 550 : 554;
};

const refused = ({ status, problem }: Of<'refused'>): GraphMailRelayError => {
  const responseCode = replyCode(status, problem);
  if (problem !== undefined) {
    const code = isAtTheDoor(status, problem)
      ? 'EAUTH'
      : OF_THE_ENVELOPE.test(problem.code)
        ? 'EENVELOPE'
        : 'EMESSAGE';
    const what = code === 'EAUTH' ? 'key or token' : 'email';
    return relayError(`The relay did not accept the ${what}. ${told(problem)}`, {
      code,
      responseCode,
      response: `${responseCode} ${problem.code} ${problem.title}`,
      status,
      problem,
    });
  }
  if (status === 401)
    return relayError(
      'The relay did not accept the key: 401 without a reason. Expected the function key of the application in the option key. Correct it; nothing was sent.',
      { code: 'EAUTH', responseCode, response: '535 401', status },
    );
  return relayError(
    `Expected a response of the relay, received a ${status} of something else. Check that the option url is the address of the relay and ends in /api, and that no proxy or firewall responds in its place.`,
    { code: 'EPROTOCOL', responseCode, response: `${responseCode} ${status}`, status },
  );
};

const later = ({ status, problem, afterMs, cause }: Of<'again'>): GraphMailRelayError => {
  const retryAfter = afterMs === undefined ? {} : { retryAfter: Math.ceil(afterMs / 1000) };
  if (status === undefined)
    return relayError(
      'Could not connect to the relay. Nothing was sent. Check the option url and the network, and send the email again later.',
      { code: 'ECONNECTION' },
      cause,
    );
  const what = problem === undefined ? `It responded with ${status}.` : told(problem);
  return relayError(
    `The relay cannot take the email now, and accepted nothing. ${what} Send the email again later.`,
    {
      code: 'ECONNECTION',
      responseCode: 421,
      response: `421 ${problem?.code ?? status}`,
      status,
      ...(problem === undefined ? {} : { problem }),
      ...retryAfter,
    },
  );
};

/** Its code alone: what it says of this request, such as that nothing was sent, is not true of the earlier one. */
const lastProblem = (last: NotAccepted): string =>
  'problem' in last && last.problem !== undefined ? ` The last response was ${last.problem.code}.` : '';

/** Of an email that may have been sent: nothing here looks like an invitation to send it in another way. */
const unknown = (last: NotAccepted, idempotencyKey: string): GraphMailRelayError =>
  relayError(
    `It is not known whether the email was sent. Do not send it in another way: call sendMail again later with the same email and with the idempotencyKey of this error, and the relay says what happened to it.${lastProblem(last)}`,
    {
      code: 'EOUTCOMEUNKNOWN',
      idempotencyKey,
      ...('status' in last && last.status !== undefined ? { status: last.status } : {}),
      ...('problem' in last && last.problem !== undefined ? { problem: last.problem } : {}),
    },
    'cause' in last ? last.cause : undefined,
  );

/** The error of an email that was not accepted. `isUncertain`: an earlier request may have been carried out. */
export const rejectionOf = (
  verdict: NotAccepted,
  isUncertain: boolean,
  idempotencyKey: string,
): GraphMailRelayError => {
  switch (verdict.kind) {
    case 'unknown':
      return unknown(verdict, idempotencyKey);
    case 'refused':
      return isUncertain && !verdict.settles
        ? unknown(verdict, idempotencyKey)
        : Object.assign(refused(verdict), { idempotencyKey });
    case 'again':
      return isUncertain || verdict.isUncertain
        ? unknown(verdict, idempotencyKey)
        : Object.assign(later(verdict), { idempotencyKey });
    case 'untrusted':
      return isUncertain
        ? unknown(verdict, idempotencyKey)
        : relayError(
            'The certificate of the relay is not trusted, so nothing was sent. Check the option url; behind a proxy that opens TLS, give its certificate to Node.js with NODE_EXTRA_CA_CERTS.',
            { code: 'ETLS', idempotencyKey },
            verdict.cause,
          );
  }
};
