import { type ParseArgsConfig, parseArgs } from 'node:util';
import { RELAY_OPTIONS, readOrRefuse, UsageError } from './relay-call.ts';

/** Options for the rules of a caller, with the field of its definition that each stands for. */
const LISTS = {
  sender: 'senders',
  recipient: 'recipients',
  door: 'doors',
  tag: 'tags',
  app: 'apps',
} as const;
const NUMBERS = {
  'mails-per-day': 'mailsPerDay',
  'recipients-per-day': 'recipientsPerDay',
  'max-mail-bytes': 'maxMailBytes',
} as const;
const TEXTS = {
  'default-sender': 'defaultSender',
  reads: 'reads',
  'on-unknown': 'onUnknown',
  priority: 'priority',
  owner: 'owner',
} as const;

/** Beside what a list has. */
const ADDED = Object.fromEntries(Object.entries(LISTS).map(([option, field]) => [`add-${option}`, field]));

const optionsOf = (names: object, multiple: boolean) =>
  Object.fromEntries(Object.keys(names).map((name) => [name, { type: 'string', multiple }] as const));

const OPTIONS = {
  ...RELAY_OPTIONS,
  ...optionsOf({ ...LISTS, ...ADDED }, true),
  ...optionsOf({ ...NUMBERS, ...TEXTS }, false),
  'function-key': { type: 'boolean', default: false },
  by: { type: 'string' },
  yes: { type: 'boolean', default: false },
} satisfies NonNullable<ParseArgsConfig['options']>;

type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export type CallerArguments = {
  readonly positionals: readonly string[];
  readonly url: string | undefined;
  readonly folder: string;
  readonly by: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
  readonly yes: boolean;
  readonly functionKey: boolean;
  /** Fields of the definition as they are to be. null lifts a rule. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Entries to add to lists. */
  readonly added: Readonly<Record<string, readonly string[]>>;
};

/** Says that there is to be no such rule. */
const NONE = 'none';

const textsOf = (value: Values[string]): readonly string[] => [value ?? []].flat().map(String);

const toNumber = (option: string, text: string): number => {
  if (!/^\d{1,15}$/.test(text))
    throw new UsageError(`--${option}: expected a whole number or ${NONE}, received ${text}.`);
  return Number(text);
};

const toFields = (values: Values): Record<string, unknown> => {
  const fields: Record<string, unknown> = {};
  for (const [option, field] of Object.entries({ ...LISTS, ...NUMBERS, ...TEXTS })) {
    const texts = textsOf(values[option]);
    const [first = ''] = texts;
    if (texts.length === 0) continue;
    if (first === NONE) {
      if (texts.length > 1) throw new UsageError(`--${option}: expected ${NONE} alone, received more.`);
      fields[field] = null;
    } else if (option in LISTS) fields[field] = texts;
    else fields[field] = option in NUMBERS ? toNumber(option, first) : first;
  }
  return fields;
};

const toAdded = (values: Values): Record<string, readonly string[]> => {
  const added: Record<string, readonly string[]> = {};
  for (const [option, field] of Object.entries(ADDED)) {
    const texts = textsOf(values[option]);
    if (texts.length === 0) continue;
    const whole = option.replace('add-', '');
    if (values[whole] !== undefined)
      throw new UsageError(`Expected --${whole} or --${option}, received both.`);
    added[field] = texts;
  }
  return added;
};

/** Reads the command line. Throws UsageError. */
export const readCallerArguments = (): CallerArguments => {
  const read = readOrRefuse(() => parseArgs({ allowPositionals: true, options: OPTIONS }));
  const values = read.values as Values;
  const textOf = (name: string) => (values[name] === undefined ? undefined : String(values[name]));
  return {
    positionals: read.positionals,
    url: textOf('url'),
    folder: String(values.folder),
    by: textOf('by'),
    json: values.json === true,
    help: values.help === true,
    yes: values.yes === true,
    functionKey: values['function-key'] === true,
    fields: toFields(values),
    added: toAdded(values),
  };
};
