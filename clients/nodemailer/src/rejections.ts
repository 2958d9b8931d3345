import type { GraphMailRelayError, RelayProblem } from '../index.d.ts';
import { relayError } from './relay-error.ts';
import { isAtTheDoor, type Verdict } from './verdict.ts';

type Of<Kind extends Verdict['kind']> = Extract<Verdict, { readonly kind: Kind }>;
export type NotAccepted = Exclude<Verdict, Of<'accepted' | 'known'>>;

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

/** The text of the cause can have the token in it, or another secret. */
const noToken = (
  { isWrong, cause }: Of<'no-token'>,
  idempotencyKey: string | undefined,
): GraphMailRelayError =>
  isWrong
    ? relayError(
        'The option token gave something that is not a token. The cause of this error says what. Correct the function; nothing was sent.',
        { code: 'EAUTH', responseCode: 535, idempotencyKey },
        cause,
      )
    : relayError(
        'The option token failed, or gave no token in time. Nothing was sent. The cause of this error says why. Send the email again later.',
        // RFC 4954, 6: temporary authentication failure.
        { code: 'EOAUTH2', responseCode: 454, idempotencyKey },
        cause,
      );

/** Its code alone: what it says of this request, such as that nothing was sent, is not true of the earlier one. */
const lastProblem = (last: NotAccepted): string =>
  'problem' in last && last.problem !== undefined ? ` The last response was ${last.problem.code}.` : '';

/** Of an email that may have been sent: nothing here looks like an invitation to send it in another way. */
const unknown = (last: NotAccepted, idempotencyKey: string | undefined): GraphMailRelayError =>
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

/** States in which the relay has sent nothing, and with this key never sends another email than the first. */
const NOT_SENT = /^(?:rejected|canceled)$/;

/**
 * The error of an email whose key the relay knows with other content. It has no reply code, and says nothing of another key, unless
 * the first email was certainly not sent: as a rule it is the same email, which was composed anew after an unknown outcome.
 */
export const alreadyAccepted = (
  { status, problem }: Of<'known'>,
  relay: GraphMailRelayError['relay'],
  idempotencyKey: string,
): GraphMailRelayError => {
  // Its remedy is for who chose the key anew: to use another one. Here that would be a second email.
  const { remedy: _, ...rest } = problem;
  const facts = { status, problem: rest, idempotencyKey, ...(relay === undefined ? {} : { relay }) };
  const which = relay === undefined ? '' : ` Its id is ${relay.id}.`;
  if (NOT_SENT.test(relay?.state ?? ''))
    return relayError(
      `An earlier email with this idempotencyKey and other content is ${relay?.state}: nothing was sent with this key.${which} If this email is to be sent, give it an idempotencyKey of its own.`,
      { ...facts, code: 'EMESSAGE', responseCode: 554, response: `554 ${problem.code}` },
    );
  const state = relay?.state === undefined ? '' : ` Its state is ${relay.state}.`;
  return relayError(
    `The relay already has an email with this idempotencyKey, and did not send this one too, whose content is different.${which}${state} Do not send it in another way: if it is the same email with another time or file in it, it is done. Look at its status at the relay.`,
    { ...facts, code: 'EALREADYACCEPTED' },
  );
};

/** The error of an email that was not accepted. `isUncertain`: an earlier request may have been carried out. */
export const rejectionOf = (
  verdict: NotAccepted,
  isUncertain: boolean,
  idempotencyKey: string | undefined,
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
    case 'no-token':
      return isUncertain ? unknown(verdict, idempotencyKey) : noToken(verdict, idempotencyKey);
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

/**
 * What is said of this call is not said of an earlier one with the same key, whose outcome may be unknown: only a problem about the email
 * itself is.
 */
export const ofThisCallOnly = (error: GraphMailRelayError, verdict: NotAccepted): GraphMailRelayError => {
  const isOfTheEmail = verdict.kind === 'refused' && verdict.settles;
  if (isOfTheEmail || error.code === 'EOUTCOMEUNKNOWN') return error;
  error.message += ' This says nothing of an earlier sendMail with the same idempotencyKey.';
  return error;
};
