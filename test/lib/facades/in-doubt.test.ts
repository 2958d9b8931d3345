import { describe, expect, test } from 'vitest';
import { catalogue, type ErrorCode } from '../../../src/lib/error-catalogue.ts';
import { toPostmarkError } from '../../../src/lib/facades/postmark-error.ts';
import { toRefusal } from '../../../src/lib/facades/resend-refusal.ts';
import { toErrors } from '../../../src/lib/facades/sendgrid-answer.ts';

const CODES = Object.keys(catalogue) as readonly ErrorCode[];
const statusesOf = (code: ErrorCode): Readonly<Record<string, number>> => {
  const { status, title, remedy } = catalogue[code];
  const problem = { status, code, title, remedy };
  return {
    sendgrid: toErrors(problem).status,
    resend: toRefusal(problem, { method: 'POST', path: 'emails' }).status,
    postmark: toPostmarkError(problem).status,
  };
};
/** SendGrid for .NET repeats after 500 and 503, SendGrid for Java after 429, and proxies and code around others after either. */
const invitesToRepeat = (status: number): boolean => status === 429 || status >= 500;
const codesIn = (text: string): readonly string[] => text.split(' ');

/** An email of the request may have been sent. */
const IN_DOUBT: readonly ErrorCode[] = [
  'OUTCOME_UNKNOWN',
  'PARTLY_ACCEPTED',
  'UNEXPECTED',
  'GRAPH_ANSWER_UNEXPECTED',
  'ATTEMPT_LOST',
  'HOST_GAVE_UP',
];

/** Nothing of the request was accepted: it was refused before, Graph refused it, or the attempt ended before Graph had the email. */
const NOTHING_SENT =
  'REQUEST_TOO_SLOW ENTRA_KEYS_UNREACHABLE CALLER_LIMIT_REACHED MAIL_DISABLED SETTINGS_INVALID CONNECTION_INVALID SECRET_NOT_FOUND SECRET_DISABLED SECRET_NOT_YET_VALID SECRET_EXPIRED_IN_VAULT VAULT_ACCESS_DENIED VAULT_FIREWALL VAULT_PRIVATE VAULT_NAME_UNKNOWN VAULT_UNREACHABLE IDENTITY_UNAVAILABLE IDENTITY_UNREACHABLE CLIENT_SECRET_WRONG CLIENT_SECRET_IS_ID CLIENT_SECRET_TOO_NEW CLIENT_SECRET_EXPIRED CERTIFICATE_UNUSABLE CERTIFICATE_NOT_REGISTERED CERTIFICATE_EXPIRED CERTIFICATE_CHAIN_REFUSED ASSERTION_TIME_REFUSED FEDERATED_CREDENTIAL_MISSING FEDERATED_ISSUER_WRONG FEDERATED_SUBJECT_WRONG FEDERATED_AUDIENCE_WRONG TENANT_UNKNOWN APP_UNKNOWN APP_DISABLED ENTERPRISE_APP_MISSING CLOUDS_MIXED CONDITIONAL_ACCESS_BLOCKED ENTRA_THROTTLED TOKEN_REFUSED ENTRA_UNREACHABLE PROXY_REFUSED GRAPH_TOKEN_NOT_ACCEPTED MAILBOX_OUT_OF_SCOPE PERMISSION_NOT_GRANTED SEND_AS_DENIED MAILBOX_FULL MAILBOX_QUOTA_REACHED MAILBOX_BLOCKED GRAPH_REFUSED GRAPH_THROTTLED RELAY_BUSY MAILBOX_BOOKED_UP ONMICROSOFT_RECIPIENTS_REACHED EXTERNAL_RECIPIENTS_REACHED START_MISSED MAILBOX_DAY_REACHED GRAPH_UNAVAILABLE GRAPH_UNREACHABLE DRAFT_UNFINISHED DRAFTS_NOT_ALLOWED UPLOAD_HOST_UNEXPECTED CALLER_UNREADABLE MAIL_NOT_STORED';
/** After an acceptance, only a repetition under the idempotency key of the email has them: it sends nothing twice. */
const SAFE_BY_KEY = 'MAIL_UNDER_WAY STORAGE_UNAVAILABLE';
/** Reasons of emails that the relay holds, and of what no application asks for: no request to send ends with them. */
const NO_ANSWER =
  'GIVEN_UP MAIL_LOST PAYLOAD_MISSING VAULT_NOT_SET WEBHOOK_SECRET_INVALID REGISTRATION_ACCESS_DENIED REGISTRATION_NOT_FOUND CLIENT_SECRETS_NOT_ALLOWED CLIENT_SECRET_LIFETIME_LIMITED CLIENT_SECRETS_TOO_MANY REGISTRATION_CHANGE_REFUSED REGISTRATION_ANSWER_UNEXPECTED VAULT_WRITE_DENIED TRACE_OFF TRACE_INCOMPLETE TRACE_LIMIT_REACHED TRACE_THROTTLED TRACE_PRINCIPAL_MISSING TRACE_NOT_PERMITTED TRACE_CLOUD_UNSUPPORTED TRACE_CONNECTION_MISSING TRACE_UNAVAILABLE TRACE_REFUSED';

describe('an application that repeats a request by itself sends nothing twice', () => {
  test.each(IN_DOUBT)('because no provider answers %s with 429 or 5xx', (code) => {
    expect(Object.values(statusesOf(code)).filter(invitesToRepeat)).toEqual([]);
  });

  test('because every error with such a status is one after which nothing was sent', () => {
    const repeated = CODES.filter((code) => Object.values(statusesOf(code)).some(invitesToRepeat));
    const known = [NOTHING_SENT, SAFE_BY_KEY, NO_ANSWER].flatMap(codesIn);
    expect(repeated.toSorted()).toEqual(known.toSorted());
  });
});
