import { isBase64Text } from './mail/base64-text.ts';

/**
 * Says what a value is without showing it, for the `received` of a problem: mail content and addresses never
 * appear in an error text. Reads after "received".
 */
export const describe = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 1 ? 'list of 1 item' : `list of ${value.length} items`;
  if (isBase64Text(value))
    return value.length === 0
      ? 'empty text'
      : `text of ${value.length} character${value.length === 1 ? '' : 's'}`;
  if (typeof value === 'object') return 'object';
  return typeof value;
};
