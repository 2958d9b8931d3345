import type { RecipientDelivery } from '../ledger/ledger-row.ts';
import type { TraceEvent } from '../ports.ts';

/** What the events of one recipient say beyond the status in the list. */
export type Decided = {
  readonly status?: RecipientDelivery['status'];
  /** The enhanced status code (RFC 3463). */
  readonly code?: string;
};

/** By these names Exchange calls what decides, the first before the others; events of one second have no order among themselves. */
const KINDS = [
  ['fail', /^fail/i],
  ['deliver', /^deliver/i],
  ['defer', /^defer/i],
  ['expand', /^expand/i],
  ['drop', /^drop/i],
] as const;
type Kind = (typeof KINDS)[number][0];

/** The event that says what became of the recipient. A delay is over once the email was delivered. */
export const decisiveEvent = (
  events: readonly TraceEvent[],
): { readonly kind: Kind; readonly event: TraceEvent } | undefined => {
  const newest = events.toSorted((one, other) => other.at.getTime() - one.at.getTime());
  const found = KINDS.flatMap(([kind, name]) => {
    const event = newest.find((one) => name.test(one.event));
    return event === undefined ? [] : [{ kind, event }];
  });
  const [first] = found;
  const deferred = found.find(({ kind }) => kind === 'defer');
  // One copy of a message that was divided can have been delivered, and another one still be delayed.
  return first?.kind === 'deliver' && deferred !== undefined && deferred.event.at > first.event.at
    ? deferred
    : first;
};

/** Reads the events of a recipient. The words of Exchange and of other servers stay here: of them, the code alone is kept. */
export const decideByEvents = (events: readonly TraceEvent[]): Decided => {
  const decisive = decisiveEvent(events);
  if (decisive === undefined) return {};
  const { kind, event } = decisive;
  const text = `${event.description}\n${event.data}`;
  switch (kind) {
    case 'fail':
      return { status: 'failed', ...codeIn(text, '5') };
    case 'defer':
      return { status: 'pending', ...codeIn(text, '4') };
    case 'deliver':
      return { status: folderIn(event.description) };
    case 'expand':
      return { status: 'expanded' };
    case 'drop':
      // Exchange replaces a group by its members like this; else nobody will report it.
      return /GRP\.Expanded/i.test(text)
        ? { status: 'expanded' }
        : { status: 'failed', ...codeIn(text, '5') };
  }
};

/** In a mailbox of the organisation, Exchange says in which folder it put the email. */
const folderIn = (description: string): RecipientDelivery['status'] => {
  if (/JunkEmail/i.test(description)) return 'spam';
  return /quarantine/i.test(description) ? 'quarantined' : 'delivered';
};

/**
 * The enhanced code as servers write it: behind the code of SMTP, as in `550 5.1.10` or `550-5.1.1`, or behind `#`. Not just anywhere: an address
 * of IPv4 looks alike. Exchange gives the last error (`LED=`) first. A code of the class that fits the event is preferred.
 */
const CODES = /(?:\b[245]\d\d[ -]|#)([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)/g;

const codeIn = (text: string, expected: '4' | '5'): { readonly code?: string } => {
  const codes = [...text.matchAll(CODES)].map(([, code = '']) => code);
  const code = codes.find((one) => one.startsWith(expected)) ?? codes.find((one) => !one.startsWith('2'));
  return code === undefined ? {} : { code };
};
