import type { Address } from '../../../../src/lib/mail/address.ts';
import type { Edit } from './edits.ts';
import type { WrittenField } from './header-block.ts';
import { mailboxKey, readAddressField } from './mailbox.ts';
import { type Refusal, refuse } from './refusal.ts';
import { writtenAddresses } from './written-header.ts';

/** What becomes of the fields that say for whom an email is. */
export type RecipientEdits = {
  readonly edits: readonly Edit[];
  /** To be written as a new field. */
  readonly added: string;
  /** How many addresses of the header were not those of the envelope. */
  readonly removed: number;
};

const sameKeys = (one: readonly Address[], other: ReadonlySet<string>): boolean => {
  const keys = new Set(one.map(({ address }) => mailboxKey(address)));
  return keys.size === other.size && [...keys].every((key) => other.has(key));
};

/**
 * Makes the header say what the envelope says: Graph sends to To, Cc and Bcc, and SMTP to RCPT alone. A field stays byte for byte
 * where it already does.
 */
export const mendRecipients = (
  fields: readonly WrittenField[],
  envelope: readonly string[],
  others: 'remove' | 'refuse',
): RecipientEdits | Refusal => {
  const edits: Edit[] = [];
  const left = new Map(envelope.map((address) => [mailboxKey(address), address]));
  const wanted = new Set(left.keys());
  let removed = 0;
  for (const key of ['to', 'cc']) {
    const written = fields.filter((field) => field.key === key);
    const read = written.map(({ value }) => readAddressField(value));
    const all = read.flatMap(({ addresses }) => addresses);
    const kept = all.filter(({ address }) => wanted.has(mailboxKey(address)));
    removed += all.length - kept.length;
    for (const { address } of kept) left.delete(mailboxKey(address));
    const staysAsItIs =
      written.length === 1 &&
      kept.length === all.length &&
      read.every(({ isExact }) => isExact) &&
      written.every(({ isMalformed }) => !isMalformed);
    if (staysAsItIs) continue;
    for (const [index, { name, start, end }] of written.entries())
      edits.push({ start, end, text: index === 0 ? writtenAddresses(name, kept) : '' });
  }
  if (removed > 0 && others === 'refuse')
    return refuse(
      `To and Cc name ${removed} recipients more than RCPT does. Send to all of them, or take them out of the header.`,
      '5.7.1',
    );
  const hidden = fields.filter(({ key }) => key === 'bcc');
  const [only] = hidden;
  const isSaid =
    hidden.length === 1 &&
    only !== undefined &&
    !only.isMalformed &&
    readAddressField(only.value).isExact &&
    sameKeys(readAddressField(only.value).addresses, new Set(left.keys()));
  if (isSaid) return { edits, added: '', removed };
  for (const { start, end } of hidden) edits.push({ start, end, text: '' });
  // In one order, so that an email whose recipients come in another one is the same email.
  const bcc = [...left.values()].toSorted().map((address) => ({ address }));
  return { edits, added: writtenAddresses('Bcc', bcc), removed };
};
