import { createHash, randomUUID } from 'node:crypto';
import { KEY_FORM, keyFault } from '../../../../src/lib/mail/idempotency-key.ts';
import type { WrittenField } from './header-block.ts';
import { mailboxKey } from './mailbox.ts';
import { type Refusal, refuse } from './refusal.ts';

/** The field with which an application names an email itself. It is taken out before the email is sent. */
export const KEY_FIELD = 'x-idempotency-key';

/** The key that the application gave the email; undefined where it gave none. */
export const ownKeyOf = (fields: readonly WrittenField[]): string | undefined | Refusal => {
  const own = fields.find(({ key }) => key === KEY_FIELD)?.value;
  const fault = own === undefined ? undefined : keyFault(own);
  return fault === undefined
    ? own
    : refuse(`Expected in the header X-Idempotency-Key ${KEY_FORM}, received ${fault}.`);
};

type Transaction = {
  readonly account: string;
  readonly fields: readonly WrittenField[];
  readonly recipients: readonly string[];
  /** As it is sent: what differs there is another email for the relay. */
  readonly body: Buffer;
  readonly receivedAt: Date | undefined;
};

/**
 * The idempotency key of an email; where another email can have the same content, also the hash of that, which a repetition of the
 * email has too.
 */
export type Keys = { readonly idempotencyKey: string; readonly contentKey?: string };

const DAY_MS = 24 * 60 * 60_000;
/** Mail servers repeat an email for some days. A clock that was never set is years away. */
const OLDEST_MS = 7 * DAY_MS;

/** RFC 5322, 3.6.4 wants two sides of an @. Devices write `<>`, `<@>` and `(none)`, which are no ids. */
const ID = /^<?[^<>\s]+@[^<>\s]+>?$/;

const valueIn = (fields: readonly WrittenField[], name: string): string =>
  fields.find(({ key }) => key === name)?.value ?? '';

const hasDate = (fields: readonly WrittenField[], receivedAt: Date): boolean => {
  const age = receivedAt.getTime() - Date.parse(valueIn(fields, 'date'));
  return age > -DAY_MS && age < OLDEST_MS;
};

/**
 * What makes two transactions one email: a client that saw no reply repeats the same message, with its Message-ID and its Date, for the
 * same recipients. The content counts too, because some devices write one Message-ID for ever. Without a Date, such a device can mean
 * another email with all of this, and the key is that of a day. Without an id, the key is random.
 */
export const keysOfContent = ({ account, fields, recipients, body, receivedAt }: Transaction): Keys => {
  const written = valueIn(fields, 'message-id');
  const id = ID.test(written) ? written : '';
  const to = [...new Set(recipients.map((address) => mailboxKey(address)))].toSorted();
  const hash = createHash('sha256')
    .update(JSON.stringify([account, id, to]))
    .update(body)
    .digest('hex');
  if (id === '') return { idempotencyKey: `smtp-${randomUUID()}`, contentKey: hash };
  return receivedAt === undefined || hasDate(fields, receivedAt)
    ? { idempotencyKey: `smtp-${hash}` }
    : { idempotencyKey: `smtp-${hash}-${receivedAt.toISOString().slice(0, 10)}`, contentKey: hash };
};
