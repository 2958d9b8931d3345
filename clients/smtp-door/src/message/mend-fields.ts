import type { Edit } from './edits.ts';
import type { WrittenField } from './header-block.ts';
import { KEY_FIELD } from './idempotency.ts';
import { readAddressField } from './mailbox.ts';
import { type Refusal, refuse } from './refusal.ts';
import { writtenAddresses, writtenField } from './written-header.ts';

/** Handled by themselves: who an email is from and for. */
const PEOPLE = /^(?:from|sender|to|cc|bcc)$/;
/** The envelope, in a header: where there is a true one, it counts. */
const ENVELOPE = /^x-(?:sender|receiver)$/;
/** RFC 5322, 3.6: once at most. The first counts, as it does for most mail programs. */
const ONCE = /^(?:reply-to|message-id|in-reply-to|references|subject|date|mime-version|content-.*)$/;
/** Other addresses, which are written as such. */
const ADDRESSES = /^(?:reply-to|disposition-notification-to|return-receipt-to)$/;
/** Without them the relay writes its own, or the email says the same. */
const DISPENSABLE =
  /^(?:message-id|date|mime-version|reply-to|disposition-notification-to|return-receipt-to)$/;

/** Appliances ask for silence with these words, which also stop the reports that say that an email did not arrive. */
const SILENT = /(?:^|[,;\s])(?:ndr|all)(?=$|[,;\s])/i;
const QUIET = 'DR, RN, NRN, OOF, AutoReply';

const rewritten = ({ name, key, value }: WrittenField): string | undefined => {
  if (!ADDRESSES.test(key)) return writtenField(name, value) ?? (DISPENSABLE.test(key) ? '' : undefined);
  return writtenAddresses(name, readAddressField(value).addresses);
};

/** Puts right what fields say in a way that mail programs read differently, each by itself. */
export const mendFields = (
  fields: readonly WrittenField[],
  hasEnvelope: boolean,
): readonly Edit[] | Refusal => {
  const edits: Edit[] = [];
  const seen = new Map<string, string>();
  for (const field of fields) {
    const { name, key, value, start, end, isMalformed } = field;
    if (PEOPLE.test(key)) continue;
    const before = seen.get(key);
    seen.set(key, before ?? value);
    if (key === KEY_FIELD || (hasEnvelope && ENVELOPE.test(key))) edits.push({ start, end, text: '' });
    else if (ONCE.test(key) && before !== undefined) {
      if (key.startsWith('content-') && before !== value)
        return refuse(`The header ${key} is there twice with different values. Send it once.`);
      edits.push({ start, end, text: '' });
    } else if (key === 'x-auto-response-suppress' && SILENT.test(value))
      edits.push({ start, end, text: `${name}: ${QUIET}\r\n` });
    else if (isMalformed || (ADDRESSES.test(key) && !readAddressField(value).isExact)) {
      const text = rewritten(field);
      if (text === undefined)
        return refuse(
          `The header ${key} has characters beyond ASCII, which it cannot have. Write it in ASCII.`,
        );
      edits.push({ start, end, text });
    }
  }
  return edits;
};
