import type { ErrorCode } from '../error-catalogue.ts';
import { isSafeHeaderName } from '../mail/field-names.ts';
import { fitsInJson } from '../mail/header-policy.ts';
import { losesItsType } from './compose-mime.ts';
import type { OutgoingMail } from './outgoing-mail.ts';

/** What recipients may not get as asked: Graph or Exchange removes it, or has been reported to. */
export type PlanWarning = { readonly code: ErrorCode; readonly pointer: string; readonly detail: string };

/** Exchange Online limits: 35 MB by default, up to 150 MB. Files count with what base64 adds to them. */
const DEFAULT_MAILBOX_LIMIT = 35 * 1024 * 1024;

/**
 * sendMail with larger MIME has been reported to be answered 200 without anything being sent
 * (github.com/microsoftgraph/microsoft-graph-docs/issues/13979). The relay takes 200 for a refusal, so nothing is lost.
 */
export const SAFE_MIME_BYTES = 2_240_000;

/** Of more headers or files the rest is not named: an answer is not larger than its request. */
const MOST_NAMED = 20;

const lost = (pointer: string, detail: string): PlanWarning => ({
  code: 'HEADER_MAY_BE_LOST',
  pointer,
  detail,
});

/** How the email goes: whether its message is MIME, and of one request that is MIME its bytes. */
type Way = { readonly isMime: boolean; readonly mimeBytes?: number | undefined };

/** What can be said before sending of what may not arrive. */
export const planWarnings = (mail: OutgoingMail, { isMime, mimeBytes }: Way): readonly PlanWarning[] => [
  ...(isMime ? warningsOfMime(mail) : []),
  ...(mimeBytes === undefined ? [] : warningsOfOneRequest(mail, mimeBytes)),
  ...warningsOfSize(mail),
];

function* warningsOfOneRequest({ files, raw }: OutgoingMail, bytes: number): Generator<PlanWarning> {
  const changed = files.flatMap(({ contentType }, index) => (losesItsType(contentType) ? [index] : []));
  for (const index of changed.slice(0, MOST_NAMED))
    yield {
      code: 'ATTACHMENT_TYPE_CHANGED',
      pointer: `/attachments/${index}/contentType`,
      detail:
        'The attachment arrives with the type application/octet-stream, and with its name and content unchanged.',
    };
  if (bytes > SAFE_MIME_BYTES)
    yield {
      code: 'MIME_SIZE_MAY_BE_REJECTED',
      pointer: raw !== undefined ? '/mime' : files.length > 0 ? '/attachments' : '',
      detail: `The email goes as MIME and has ${bytes} bytes in base64. Users report that Graph does not send more than ${SAFE_MIME_BYTES} bytes of MIME in one request.`,
    };
}

function* warningsOfMime({ headers, messageId, raw }: OutgoingMail): Generator<PlanWarning> {
  if (messageId !== undefined)
    yield {
      code: 'MESSAGE_ID_MAY_CHANGE',
      pointer: '/messageId',
      detail: 'Exchange does not document that it keeps the message id of a sender.',
    };
  for (const { name } of headers)
    yield lost(isSafeHeaderName(name) ? `/headers/${name}` : '/headers', whyLost(name));
  const { removed = [], uncertain = [] } = raw ?? {};
  const named = (names: readonly string[]) => names.slice(0, MOST_NAMED).join(', ');
  if (removed.length > 0)
    yield {
      code: 'HEADER_REMOVED',
      pointer: '/mime',
      detail: `The relay removed these headers: ${named(removed)}.`,
    };
  if (uncertain.length > 0)
    yield lost('/mime', `Exchange may not pass on these headers: ${named(uncertain)}.`);
}

const whyLost = (name: string): string => {
  if (name.toLowerCase() === 'auto-submitted') return 'Exchange removes Auto-Submitted.';
  return fitsInJson(name)
    ? 'A header that has never gone as JSON from this mailbox may not arrive when it goes as MIME.'
    : 'Exchange may not pass on a header that does not begin with x-.';
};

function* warningsOfSize({ files }: OutgoingMail): Generator<PlanWarning> {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if ((bytes * 4) / 3 <= DEFAULT_MAILBOX_LIMIT) return;
  yield {
    code: 'MAILBOX_LIMIT_MAY_BE_LOWER',
    pointer: '/attachments',
    detail: `The files have ${bytes} bytes, a third more when encoded. By default a mailbox sends emails of at most ${DEFAULT_MAILBOX_LIMIT} bytes.`,
  };
}
