import type { GraphMessage } from './captured-mail.ts';

/**
 * PidTagListUnsubscribe, from which Exchange writes the header:
 * https://learn.microsoft.com/office/client-developer/outlook/mapi/pidtaglistunsubscribe-canonical-property
 */
const LIST_UNSUBSCRIBE = /^String 0x1045$/i;

/** The headers that the sender of a Graph message added, those that are properties of it among them. */
export const addedHeaders = ({
  internetMessageHeaders = [],
  singleValueExtendedProperties = [],
}: GraphMessage): NonNullable<GraphMessage['internetMessageHeaders']> => [
  ...internetMessageHeaders,
  ...singleValueExtendedProperties
    .filter(({ id }) => LIST_UNSUBSCRIBE.test(id))
    .map(({ value }) => ({ name: 'List-Unsubscribe', value })),
];
