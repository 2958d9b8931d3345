import { canonicalPropertyId } from '../graph/extended-property.ts';
import type { GraphMessage } from './captured-mail.ts';

/**
 * PidTagListUnsubscribe, from which Exchange writes the header:
 * https://learn.microsoft.com/office/client-developer/outlook/mapi/pidtaglistunsubscribe-canonical-property
 */
const LIST_UNSUBSCRIBE = canonicalPropertyId('String 0x1045');

/** The headers that the sender of a Graph message added, those that are properties of it among them. */
export const addedHeaders = ({
  internetMessageHeaders = [],
  singleValueExtendedProperties = [],
}: GraphMessage): NonNullable<GraphMessage['internetMessageHeaders']> => [
  ...internetMessageHeaders,
  ...singleValueExtendedProperties
    .filter(({ id }) => canonicalPropertyId(id) === LIST_UNSUBSCRIBE)
    .map(({ value }) => ({ name: 'List-Unsubscribe', value })),
];
