import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * Ids as Exchange makes them: long, opaque, case-sensitive, with characters that a URL must escape. The default id belongs
 * to a place, so that of a draft is gone when it is sent; an immutable one stays while the item is in the mailbox.
 * https://learn.microsoft.com/graph/outlook-immutable-id
 */
export type IdForm = 'draft' | 'sent' | 'received' | 'immutable' | 'attachment';

const BEGINNINGS: Record<IdForm, string> = {
  draft: 'AAMkADkwZGEx',
  sent: 'AAMkADkwZGEy',
  received: 'AAMkADkwZGE0',
  immutable: 'AAkALgAAAAAA',
  attachment: 'AAMkADkwZGEzBASkAD',
};

/** Always the same for the same item, so that ids outlive a restart. */
export const idOf = (form: IdForm, key: string): string => {
  const text = createHash('sha512').update(`${form} ${key}`).digest('base64url');
  return `${BEGINNINGS[form]}-${text.slice(0, 43)}_${text.slice(43)}AAA=`;
};

const IMMUTABLE = /(^|,)\s*IdType\s*=\s*"?ImmutableId"?\s*(;|,|$)/i;

/** Whether ids in this request and its answer are immutable ones. */
export const wantsImmutableIds = ({ headers }: IncomingMessage): boolean =>
  IMMUTABLE.test([headers.prefer ?? []].flat().join(','));

/** What Graph says when it did as the client prefers. */
export const preferenceApplied = (immutable: boolean): Readonly<Record<string, string>> =>
  immutable ? { 'Preference-Applied': 'IdType="ImmutableId"' } : {};
