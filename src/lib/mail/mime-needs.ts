import { fitsInJson, isListUnsubscribe } from './header-policy.ts';
import type { MailHeader } from './mail-headers.ts';

/** Graph answers InvalidInternetMessageHeaderCollection above it. */
export const MAX_IN_JSON = 5;

/** What of an email a JSON message of Graph cannot say. */
export type MimeNeed = { readonly pointer: string; readonly what: string };

type Parts = {
  readonly text?: string | undefined;
  readonly html?: string | undefined;
  readonly inReplyTo?: string | undefined;
  readonly references: readonly string[];
  readonly messageId?: string | undefined;
  readonly calendar?: unknown;
  readonly headers: readonly MailHeader[];
  readonly raw?: unknown;
};

/** Why an email goes as MIME, in the order of its fields; empty where JSON says all of it. */
export const mimeNeeds = (mail: Parts): readonly MimeNeed[] => {
  if (mail.raw !== undefined) return [{ pointer: '/mime', what: 'a whole message in `mime`' }];
  const needs: MimeNeed[] = [];
  const when = (needed: boolean, pointer: string, what: string): void => {
    if (needed) needs.push({ pointer, what });
  };
  when(mail.text !== undefined && mail.html !== undefined, '/text', '`text` and `html` together');
  when(mail.inReplyTo !== undefined, '/inReplyTo', '`inReplyTo`');
  when(mail.references.length > 0, '/references', '`references`');
  when(mail.messageId !== undefined, '/messageId', '`messageId`');
  when(mail.calendar !== undefined, '/calendar', '`calendar`');
  const own = mail.headers.filter(({ name }) => fitsInJson(name));
  when(own.length > MAX_IN_JSON, '/headers', `more than ${MAX_IN_JSON} headers that begin with x-`);
  when(
    mail.headers.some(({ name }) => !fitsInJson(name) && !isListUnsubscribe(name)),
    '/headers',
    'a header that does not begin with x-',
  );
  return needs;
};

/** The needs in words, for a reason or a problem. */
export const inWords = (needs: readonly MimeNeed[]): string =>
  `it has ${needs.map(({ what }) => what).join(', ')}`;
