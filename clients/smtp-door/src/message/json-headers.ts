import { decodeWords } from 'postal-mime';
import type { Address } from '../../../../src/lib/mail/address.ts';
import { isExchangesOwn } from '../../../../src/lib/mail/header-policy.ts';
import {
  messageId as ruleOfIds,
  references as ruleOfReferences,
} from '../../../../src/lib/mail/message-ids.ts';
import type { WrittenField } from './header-block.ts';
import { readAddressField } from './mailbox.ts';

/** What JSON has a field for, what the relay writes itself, and traces of the way here, which a whole message loses too. */
const SAID_OTHERWISE =
  /^(?:from|sender|to|cc|bcc|reply-to|subject|message-id|in-reply-to|references|importance|priority|disposition-notification-to|return-receipt-to|date|mime-version|content-.*|received|return-path|delivered-to|apparently-to|received-spf|authentication-results|arc-.*|dkim-signature|domainkey-signature|x-mailrelay-id|x-sender|x-receiver|errors-to)$/;

const fieldOf = (fields: readonly WrittenField[], name: string): string | undefined =>
  fields.find(({ key }) => key === name)?.value;

const decoded = (value: string): string => decodeWords(value);

const people = (fields: readonly WrittenField[], name: string): readonly Address[] =>
  readAddressField(fieldOf(fields, name) ?? '').addresses;

/** JSON has each name once. */
const joined = (headers: readonly (readonly [name: string, value: string])[]): Record<string, string> => {
  const byKey = new Map<string, readonly [string, string]>();
  for (const [name, value] of headers) {
    const before = byKey.get(name.toLowerCase());
    byKey.set(
      name.toLowerCase(),
      before === undefined ? [name, value] : [before[0], `${before[1]}, ${value}`],
    );
  }
  return Object.fromEntries(byKey.values());
};

const IMPORTANCE: Readonly<Record<string, string>> = {
  high: 'high',
  low: 'low',
  urgent: 'high',
  'non-urgent': 'low',
};

/** The fields of a header in the JSON of the relay. */
export const jsonHeaders = (fields: readonly WrittenField[]): Record<string, unknown> => {
  const id = ruleOfIds.safeParse(fieldOf(fields, 'message-id'));
  const parent = ruleOfIds.safeParse(fieldOf(fields, 'in-reply-to'));
  const thread = ruleOfReferences.safeParse(fieldOf(fields, 'references') ?? []);
  const others = fields
    .filter(({ key, name }) => !SAID_OTHERWISE.test(key) && !isExchangesOwn(name))
    .map(({ name, value }) => [name, decoded(value)] as const);
  const importance = fieldOf(fields, 'importance') ?? fieldOf(fields, 'priority');
  return {
    from: people(fields, 'from')[0],
    to: people(fields, 'to'),
    cc: people(fields, 'cc'),
    bcc: people(fields, 'bcc'),
    replyTo: people(fields, 'reply-to'),
    subject: decoded(fieldOf(fields, 'subject') ?? ''),
    ...(id.success ? { messageId: id.data } : {}),
    ...(parent.success ? { inReplyTo: parent.data } : {}),
    ...(thread.success ? { references: thread.data } : {}),
    importance: IMPORTANCE[importance?.toLowerCase() ?? ''] ?? 'normal',
    readReceipt: fieldOf(fields, 'disposition-notification-to') !== undefined,
    deliveryReceipt: fieldOf(fields, 'return-receipt-to') !== undefined,
    headers: joined(others),
  };
};
