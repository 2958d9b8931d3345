/** A header as a provider's request has it, and where. */
export type GivenHeader = { readonly name: string; readonly value: unknown; readonly place: string };

/** What headers say for which an email has a field, and the others. */
export type SortedHeaders = {
  /** By the fields of our email. */
  readonly fields: ReadonlyMap<string, GivenHeader>;
  readonly others: readonly GivenHeader[];
  /** Those that say something else of the same field than an earlier one. */
  readonly contradicting: readonly GivenHeader[];
};

const FIELDS: ReadonlyMap<string, string> = new Map([
  ['reply-to', 'replyTo'],
  ['message-id', 'messageId'],
  ['in-reply-to', 'inReplyTo'],
  ['references', 'references'],
  ['importance', 'importance'],
  // Of the façades, where a client cannot set a header of the request; recipients do not get it. Resend has the last, over SMTP.
  ['x-idempotency-key', 'idempotencyKey'],
  ['idempotency-key', 'idempotencyKey'],
  ['resend-idempotency-key', 'idempotencyKey'],
]);

/** Whether a header of an email is its idempotency key. */
export const isKeyHeader = (name: string): boolean => FIELDS.get(name.toLowerCase()) === 'idempotencyKey';

/** Other ways to say how important an email is (RFC 2156, 5.3.6; MS-OXCMAIL, 2.2.3.2.5): mailers write several of them. */
const IMPORTANCE: ReadonlyMap<string, readonly (readonly [RegExp, string])[]> = new Map([
  [
    'x-priority',
    [
      [/^[12](?!\d)/, 'high'],
      [/^3(?!\d)/, 'normal'],
      [/^[45](?!\d)/, 'low'],
    ],
  ],
  [
    'x-msmail-priority',
    [
      [/^high$/i, 'high'],
      [/^normal$/i, 'normal'],
      [/^low$/i, 'low'],
    ],
  ],
  [
    'priority',
    [
      [/^urgent$/i, 'high'],
      [/^normal$/i, 'normal'],
      [/^non-urgent$/i, 'low'],
    ],
  ],
]);

const importanceOf = ({ name, value }: GivenHeader): string | undefined =>
  typeof value === 'string'
    ? IMPORTANCE.get(name.toLowerCase())?.find(([form]) => form.test(value.trim()))?.[1]
    : undefined;

const isSaid = (value: unknown): boolean => value !== null && value !== undefined && value !== '';

const sameText = (one: unknown, other: unknown): boolean =>
  one === other ||
  (typeof one === 'string' && typeof other === 'string' && one.toLowerCase() === other.toLowerCase());

/** Sorts the headers of a request. Those that say nothing are left out. */
export const sortHeaders = (given: Iterable<GivenHeader>): SortedHeaders => {
  const fields = new Map<string, GivenHeader>();
  const others: GivenHeader[] = [];
  const contradicting: GivenHeader[] = [];
  for (const header of given) {
    if (!isSaid(header.value)) continue;
    const importance = importanceOf(header);
    const field = importance === undefined ? FIELDS.get(header.name.toLowerCase()) : 'importance';
    if (field === undefined) {
      others.push(header);
      continue;
    }
    const said = importance === undefined ? header : { ...header, value: importance };
    const before = fields.get(field);
    if (before === undefined) fields.set(field, said);
    else if (field === 'idempotencyKey' ? before.value !== said.value : !sameText(before.value, said.value))
      contradicting.push(header);
  }
  return { fields, others, contradicting };
};
