import { createHash, randomUUID } from 'node:crypto';
import { KEY_FORM, keyFault } from '../../../../src/lib/mail/idempotency-key.ts';
import type { WrittenField } from './header-block.ts';
import { mailboxKey } from './mailbox.ts';
import { type Refusal, refuse } from './refusal.ts';

/** The field with which an application names an email itself. It is taken out before the email is sent. */
export const KEY_FIELD = 'x-idempotency-key';

type Transaction = {
  readonly account: string;
  readonly fields: readonly WrittenField[];
  /** As received. */
  readonly bytes: Buffer;
  readonly recipients: readonly string[];
};

/**
 * What makes two transactions one email: a client that saw no reply repeats the same message, with its Message-ID, for the same
 * recipients. The content counts too, because some devices write one Message-ID for ever.
 */
export const idempotencyKeyOf = ({ account, fields, bytes, recipients }: Transaction): string | Refusal => {
  const own = fields.find(({ key }) => key === KEY_FIELD)?.value;
  if (own !== undefined) {
    const fault = keyFault(own);
    return fault === undefined
      ? own
      : refuse(`Expected in the header X-Idempotency-Key ${KEY_FORM}, received ${fault}.`);
  }
  const id = fields.find(({ key }) => key === 'message-id')?.value ?? '';
  if (id === '') return `smtp-${randomUUID()}`;
  const to = [...new Set(recipients.map((address) => mailboxKey(address)))].toSorted();
  const hash = createHash('sha256')
    .update(JSON.stringify([account, id, to]))
    .update(bytes);
  return `smtp-${hash.digest('hex')}`;
};
