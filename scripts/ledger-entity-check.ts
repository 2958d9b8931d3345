import type { TableEntity } from '@azure/data-tables';
import * as z from 'zod';
import { readRow } from '../src/lib/ledger/earlier-row.ts';
import { FINAL_STATES, OPEN_STATES } from '../src/lib/ledger/ledger-row.ts';
import { isMailId } from '../src/lib/ledger/mail-id.ts';
import { fromColumns } from '../src/lib/storage/json-columns.ts';
import { partitionOf } from '../src/lib/storage/ledger-entity.ts';
import { KEY_PLACE } from '../src/lib/storage/relay-key.ts';

const [RELAY, KEY] = KEY_PLACE;

/** Partitions of emails have names of two hexadecimal digits; what the relay keeps of itself begins with `relay`. */
export const isOfEmail = ({ partitionKey }: Pick<TableEntity, 'partitionKey'>): boolean =>
  partitionKey.length === 2;

/** What is as the relay writes it can be read again; more fields than these are from a version that has them. */
const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'expected a time');
const count = z.int().min(0);
const reason = z.looseObject({ code: z.string().min(1) });

const value = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.strictObject({ type: z.literal('DateTime'), value: time }),
  z.strictObject({ type: z.literal('Int64'), value: z.string().regex(/^-?\d{1,19}$/) }),
]);
const entitySchema = z
  .object({ partitionKey: z.string().regex(/^([0-9a-f]{2}|relay.*)$/), rowKey: z.string().min(1) })
  .catchall(value);

const keySchema = z.looseObject({ key: z.base64().length(44), hasEarlierRows: z.boolean() });

/** What each state alone has, as far as the relay cannot do without it. */
const OF_STATE: Readonly<Record<string, z.ZodType>> = {
  deferred: z.looseObject({ reason, until: time }),
  unknown: z.looseObject({ reason }),
  rejected: z.looseObject({ reason }),
  held: z.looseObject({ reason, record: z.string().min(1) }),
  closed: z.looseObject({ reason, note: z.string() }),
  queued: z.looseObject({ limited: z.looseObject({ reason, until: time }).optional() }),
};

const rowSchema = z.looseObject({
  facts: z.looseObject({
    mailId: z.string().refine(isMailId, 'expected the id of an email'),
    caller: z.string(),
    sender: z.string(),
    recipients: count,
    tags: z.array(z.string()),
    bodyHash: z.string(),
    leavesCopy: z.boolean(),
    acceptedAt: time,
    sendAt: time.optional(),
  }),
  progress: z.looseObject({
    updatedAt: time,
    turn: count,
    attempts: z.array(z.looseObject({ at: time, outcome: z.string() })),
    omittedAttempts: count,
    inQueue: z.boolean(),
    resent: z.boolean(),
    soughtAt: time.optional(),
  }),
  fate: z.looseObject({ state: z.enum([...OPEN_STATES, ...FINAL_STATES]) }),
});

/** Where it is wrong and what was expected there; never a value, which can be an address or the key. */
const said = ({ issues: [issue] }: z.ZodError, within: string): string =>
  `expected ${within} as the relay writes it, received another: ${[issue?.path.join('.'), issue?.message].filter(Boolean).join(': ')}.`;

/** What keeps an entity of a backup from being written to the table; undefined where nothing does. */
export const checkEntity = (given: unknown): string | undefined => {
  const read = entitySchema.safeParse(given);
  if (!read.success) return said(read.error, 'an entity');
  const entity = read.data;
  if (isOfEmail(entity)) return checkRow(entity);
  if (entity.partitionKey !== RELAY || entity.rowKey !== KEY) return undefined;
  const key = keySchema.safeParse(entity);
  return key.success ? undefined : said(key.error, 'the key of the relay');
};

const checkRow = (entity: z.output<typeof entitySchema>): string | undefined => {
  const row = rowSchema.safeParse(readOrNothing(entity));
  if (!row.success) return said(row.error, 'the row of an email');
  const { facts, fate } = row.data;
  if (facts.mailId !== entity.rowKey || partitionOf(facts.mailId) !== entity.partitionKey)
    return 'expected the row of an email under the id of that email, received it under another.';
  const ofState = OF_STATE[fate.state]?.safeParse(fate);
  return ofState?.success === false
    ? said(ofState.error, `the row of an email that is ${fate.state}`)
    : undefined;
};

const readOrNothing = (entity: Readonly<Record<string, unknown>>): unknown => {
  try {
    return readRow(fromColumns('row', entity));
  } catch {
    return undefined;
  }
};
