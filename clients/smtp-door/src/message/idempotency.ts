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
};

/** The idempotency key of an email; where it is random, also the hash that a repetition of the email has too. */
export type Keys = { readonly idempotencyKey: string; readonly contentKey?: string };

/**
 * What makes two transactions one email: a client that saw no reply repeats the same message, with its Message-ID, for the same
 * recipients. The content counts too, because some devices write one Message-ID for ever. Without one, content alone does not tell
 * whether a client repeats an email or means another: the key is random.
 */
export const keysOfContent = ({ account, fields, recipients, body }: Transaction): Keys => {
  const id = fields.find(({ key }) => key === 'message-id')?.value ?? '';
  const to = [...new Set(recipients.map((address) => mailboxKey(address)))].toSorted();
  const hash = createHash('sha256')
    .update(JSON.stringify([account, id, to]))
    .update(body)
    .digest('hex');
  return id === ''
    ? { idempotencyKey: `smtp-${randomUUID()}`, contentKey: hash }
    : { idempotencyKey: `smtp-${hash}` };
};
