import type { Address } from '../mail/address.ts';
import type { RawMime } from '../mail/raw-mime.ts';
import { dateOf, messageIdOf, RELAY_ID_HEADER } from './compose-mime.ts';

/** A whole message of a caller with what the relay adds to its header. */
export const toRawMessage = (
  id: string,
  sender: Address,
  { bytes, missing }: RawMime,
  date: Date,
): Buffer => {
  const values = { Date: dateOf(date), 'Message-ID': messageIdOf(id, sender), 'MIME-Version': '1.0' };
  const lines = [`${RELAY_ID_HEADER}: ${id}`, ...missing.map((name) => `${name}: ${values[name]}`)];
  return Buffer.concat([Buffer.from(lines.map((line) => `${line}\r\n`).join('')), bytes]);
};
