import * as z from 'zod';
import { defined } from '../defined.ts';
import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { isObject } from '../mail/absent.ts';
import { addressKey, isAddress } from '../mail/address.ts';
import { isAddressPattern, matchesAny } from '../mail/address-pattern.ts';
import { PRIORITIES } from '../mail/priority.ts';
import { sender } from '../mail/recipients.ts';
import { type CallerRules, DOORS } from './caller.ts';
import { toCallerProblems } from './caller-definition-problems.ts';
import { callerNameFault, isBuiltIn } from './caller-name.ts';
import type { DeclaredCaller } from './known-callers.ts';

/** A caller as somebody declares it. Its keys are not part of it: the relay makes them. */
export type Declaration = Pick<DeclaredCaller, 'name' | 'rules' | 'apps' | 'functionKeys'>;

const MAX_ADDRESSES = 100;
const MAX_TAGS = 10;
const MAX_APPS = 20;
const MAX_FUNCTION_KEYS = 10;
/** A mailbox cannot send more in a day; a caller has a few mailboxes at most. */
const MAX_PER_DAY = 10_000_000;
/** The largest email that Exchange Online takes has 150 MB. */
const MAX_MAIL_BYTES = 200_000_000;
/** An entity of a table has at most 1 MiB, and an answer that nobody can read helps nobody. */
const MAX_DEFINITION_BYTES = 60_000;

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const FUNCTION_KEY = /^key:[\w-]{10}$/;
const TAG = /^[\w.-]{1,50}$/;

const textOf = (isRight: (text: string) => boolean, expected: string) =>
  z.custom<string>((value) => typeof value === 'string' && isRight(value), expected);
const wholeNumber = (max: number, instead = '') =>
  z.custom<number>(
    (value) => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= max,
    `a whole number from 1 to ${max}${instead}`,
  );
const INSTEAD_OF_NONE = '; to let the caller send nothing, disable it';
const oneOf = <const Word extends string>(words: readonly Word[]) =>
  z.custom<Word>((value) => words.includes(value as Word), `one of ${words.join(', ')}`);

/** A list with something in it, each once. */
const listOf = <Item extends string>(max: number, item: z.ZodType<Item>, form: (text: Item) => Item) =>
  z
    .array(item, { error: 'a list' })
    .min(1, { error: 'at least one entry; to set no such rule, omit the field' })
    .max(max, { error: `at most ${max} entries` })
    .transform((items) => [...new Map(items.map((one) => [form(one), one])).values()]);

const asIs = <Text>(text: Text): Text => text;
const lower = (text: string): string => text.toLowerCase();

const name = z.unknown().transform((value, context): string => {
  const expected = callerNameFault(typeof value === 'string' ? value : '');
  if (expected === undefined) return String(value);
  context.addIssue({ code: 'custom', message: expected, input: value });
  return z.NEVER;
});

/** What is read of a definition, field by field. */
export const callerSchema = z.strictObject(
  {
    name,
    senders: listOf(
      MAX_ADDRESSES,
      textOf(isAddressPattern, 'an address, or *@domain for every address of a domain'),
      addressKey,
    ).optional(),
    defaultSender: sender.optional(),
    recipients: listOf(
      MAX_ADDRESSES,
      textOf((text) => text === '*' || isAddressPattern(text), '* for everyone, *@domain, or an address'),
      addressKey,
    ).optional(),
    mailsPerDay: wholeNumber(MAX_PER_DAY, INSTEAD_OF_NONE).optional(),
    recipientsPerDay: wholeNumber(MAX_PER_DAY, INSTEAD_OF_NONE).optional(),
    maxMailBytes: wholeNumber(MAX_MAIL_BYTES).optional(),
    doors: listOf(DOORS.length, oneOf(DOORS), asIs).optional(),
    reads: oneOf(['own', 'all']).optional(),
    onUnknown: oneOf(['verify', 'hold', 'resend']).optional(),
    priority: oneOf(PRIORITIES).optional(),
    tags: listOf(
      MAX_TAGS,
      textOf((text) => TAG.test(text), 'a tag of 1 to 50 letters, digits, dots, dashes or underscores'),
      asIs,
    ).optional(),
    owner: textOf(isAddress, 'one address such as name@example.com').optional(),
    disabled: z.boolean({ error: 'true or false' }).optional(),
    apps: listOf(
      MAX_APPS,
      textOf((text) => GUID.test(text), 'the client ID of an application or a managed identity, a GUID'),
      lower,
    ).optional(),
    functionKeys: listOf(
      MAX_FUNCTION_KEYS,
      textOf(
        (text) => FUNCTION_KEY.test(text),
        'what the ledger calls the holder of a function key, such as key:Zk3fT0a9Qe, never the key itself',
      ),
      asIs,
    ).optional(),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'an object') },
);

/** The fields of a definition, in the order in which people read them. */
export const CALLER_FIELDS = Object.keys(callerSchema.shape) as readonly (keyof typeof callerSchema.shape)[];

const whole = callerSchema.check(({ value, issues }) => {
  const told = (path: string, message: string): void => {
    issues.push({ code: 'custom', message, path: [path], input: value });
  };
  const { senders, defaultSender } = value;
  if (senders !== undefined && defaultSender !== undefined && !matchesAny(senders, defaultSender.address))
    told('defaultSender', 'an address that senders has or allows');
  if (isBuiltIn(value.name))
    for (const field of ['apps', 'functionKeys'] as const)
      if (value[field] !== undefined)
        told(field, `no such field: ${value.name} exists by itself and stands for others`);
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > MAX_DEFINITION_BYTES)
    issues.push({
      code: 'custom',
      message: `at most ${MAX_DEFINITION_BYTES} bytes in all`,
      path: [],
      input: value,
      params: { received: `${bytes} bytes` },
    });
});

/** null is how serialisers write that something is not there, and how a change lifts a rule. */
const withoutNulls = (input: unknown): unknown =>
  isObject(input) ? Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)) : input;

/** A definition as it was read, or everything that is wrong with it. */
export type ReadCaller =
  | { readonly declaration: Declaration; readonly problems?: undefined }
  | { readonly declaration?: undefined; readonly problems: readonly Problem[] };

/** Reads the JSON of one caller. Values are in no problem. */
export const readCaller = (input: unknown): ReadCaller => {
  const given = withoutNulls(input);
  const { data, error } = whole.safeParse(given);
  if (error !== undefined) return { problems: toCallerProblems(error.issues, given, CALLER_FIELDS) };
  const { name: called, apps = [], functionKeys = [], disabled = false, ...rules } = data;
  return {
    declaration: {
      name: called,
      rules: {
        ...defined(rules),
        recipients: rules.recipients ?? ['*'],
        doors: DOORS.filter((door) => rules.doors?.includes(door) ?? true),
        reads: rules.reads ?? 'own',
        tags: rules.tags ?? [],
        isDisabled: disabled,
      },
      apps: apps.map(lower),
      functionKeys,
    },
  };
};

/** Reads a list of callers, of which no two have a name, an application or a function key in common. */
export const readCallers = (
  input: unknown,
): { readonly declarations: readonly Declaration[]; readonly problems: readonly Problem[] } => {
  if (!Array.isArray(input))
    return {
      declarations: [],
      problems: [
        { code: 'CALLER_INVALID', pointer: '', expected: 'a list of callers', received: describe(input) },
      ],
    };
  const read = input.map(readCaller);
  const declarations = read.flatMap(({ declaration }) => declaration ?? []);
  const problems = read.flatMap(({ problems: found = [] }, index) =>
    found.map((problem) => ({ ...problem, pointer: `/${index}${problem.pointer}` })),
  );
  return { declarations, problems: [...problems, ...findTwice(read)] };
};

/** What two callers of one list both claim. */
const findTwice = (read: readonly ReadCaller[]): readonly Problem[] => {
  const owners = new Map<string, number>();
  return read.flatMap(({ declaration }, index) => {
    if (declaration === undefined) return [];
    const claims = [
      ['/name', declaration.name],
      ...declaration.apps.map((app, at) => [`/apps/${at}`, app] as const),
      ...declaration.functionKeys.map((key, at) => [`/functionKeys/${at}`, key] as const),
    ] as const;
    return claims.flatMap(([pointer, claim]): Problem[] => {
      const owner = owners.get(claim);
      owners.set(claim, owner ?? index);
      if (owner === undefined) return [];
      return [
        {
          code: 'CALLER_INVALID',
          pointer: `/${index}${pointer}`,
          expected: 'what no other caller has',
          received: `the same as in /${owner}`,
        },
      ];
    });
  });
};

/** The JSON that `readCaller` reads as this. Without fields that say what is so anyway. */
export const toDefinition = ({ name: called, rules, apps, functionKeys }: Declaration) => {
  const { recipients, doors, reads, tags, isDisabled, defaultSender, ...limits } = rules;
  const unless = <Value>(isUsual: boolean, value: Value): Value | undefined => (isUsual ? undefined : value);
  return defined({
    name: called,
    senders: limits.senders,
    defaultSender: defaultSender?.name === undefined ? defaultSender?.address : defaultSender,
    recipients: unless(recipients.length === 1 && recipients[0] === '*', recipients),
    mailsPerDay: limits.mailsPerDay,
    recipientsPerDay: limits.recipientsPerDay,
    maxMailBytes: limits.maxMailBytes,
    // Also where these are all: one that is new in a later version is not for those who were declared before.
    doors,
    reads: unless(reads === 'own', reads),
    onUnknown: limits.onUnknown,
    priority: limits.priority,
    tags: unless(tags.length === 0, tags),
    owner: limits.owner,
    disabled: unless(!isDisabled, isDisabled),
    apps: unless(apps.length === 0, apps),
    functionKeys: unless(functionKeys.length === 0, functionKeys),
  });
};

/** The JSON of a caller after a change, in which null lifts a rule. It is not checked yet. */
export const mergeDefinition = (
  declaration: Declaration,
  change: Readonly<Record<string, unknown>>,
): Record<string, unknown> => ({ ...toDefinition(declaration), ...change });

/** Whether a caller with these rules is as free as before there were callers. */
export const isOpen = ({ senders, recipients, isDisabled }: CallerRules): boolean =>
  senders === undefined && recipients.includes('*') && !isDisabled;
