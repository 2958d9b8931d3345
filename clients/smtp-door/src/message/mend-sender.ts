import { type Address, isAddress } from '../../../../src/lib/mail/address.ts';
import type { Account } from '../settings.ts';
import type { Edit } from './edits.ts';
import type { WrittenField } from './header-block.ts';
import { mailboxKey, readAddressField } from './mailbox.ts';
import { type Refusal, refuse } from './refusal.ts';
import { writtenAddresses } from './written-header.ts';

/** What becomes of From and Sender. */
export type SenderEdits = {
  readonly edits: readonly Edit[];
  readonly added: string;
  /** From was missing, said no address, or was replaced. */
  readonly isReplaced: boolean;
  /** The address in From. */
  readonly from: string;
};

const NO_FROM =
  'Set a sender address (From) in this device, or `from` of the account in the configuration of this server.';

const accountFrom = ({ from }: Account): Address | undefined =>
  from === undefined ? undefined : readAddressField(from).addresses[0];

/**
 * Makes the header have one From, which is whom Graph sends as: that of the message, else that of the account, else that of MAIL FROM.
 * A Sender with another address goes: Graph sends for nobody else.
 */
export const mendSender = (
  fields: readonly WrittenField[],
  mailFrom: string | undefined,
  account: Account,
): SenderEdits | Refusal => {
  const edits: Edit[] = [];
  const written = fields.filter(({ key }) => key === 'from');
  const read = written.map(({ value }) => readAddressField(value));
  const found = read.flatMap(({ addresses }) => addresses);
  const keys = new Set(found.map(({ address }) => mailboxKey(address)));
  const own = accountFrom(account);
  const isOther =
    own !== undefined && account.replaceFrom && [...keys].some((key) => key !== mailboxKey(own.address));
  if (keys.size > 1 && !isOther)
    return refuse('The header From has several addresses. Set one sender address in this device.', '5.6.0');
  const [first] = found;
  const [{ firstName } = {}] = read;
  const envelope = mailFrom !== undefined && isAddress(mailFrom) ? { address: mailFrom } : undefined;
  const other = own ?? envelope;
  const named = other && { ...(firstName === undefined ? {} : { name: firstName }), ...other };
  const chosen = isOther ? named : (first ?? named);
  if (chosen === undefined) return refuse(`The message has no sender address. ${NO_FROM}`, '5.1.7', 553);
  const stays =
    !isOther &&
    written.length === 1 &&
    found.length === 1 &&
    read.every(({ isExact }) => isExact) &&
    written.every(({ isMalformed }) => !isMalformed);
  if (!stays)
    for (const [index, { start, end }] of written.entries())
      edits.push({ start, end, text: index === 0 ? writtenAddresses('From', [chosen]) : '' });
  for (const { start, end, value } of fields.filter(({ key }) => key === 'sender')) {
    const { addresses, isExact } = readAddressField(value);
    const isSame = addresses.every(({ address }) => mailboxKey(address) === mailboxKey(chosen.address));
    if (!isExact || addresses.length !== 1 || !isSame) edits.push({ start, end, text: '' });
  }
  return {
    edits,
    added: written.length === 0 ? writtenAddresses('From', [chosen]) : '',
    isReplaced: isOther || first === undefined,
    from: chosen.address,
  };
};
