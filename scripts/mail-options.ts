import { type ParseArgsConfig, parseArgs } from 'node:util';
import { RELAY_OPTIONS, readOrRefuse, UsageError } from './relay-call.ts';

/** Options of a search, with the field of the API that each stands for. */
export const SEARCH_OPTIONS = {
  state: 'state',
  sender: 'sender',
  caller: 'caller',
  tag: 'tag',
  since: 'from',
  until: 'until',
  recipient: 'recipient',
  key: 'idempotencyKey',
  'graph-request': 'graphRequestId',
  'message-id': 'internetMessageId',
} as const;
type SearchOption = keyof typeof SEARCH_OPTIONS;

/** Those that find one email, or very few. */
const FOR_SHOW: readonly SearchOption[] = ['key', 'graph-request', 'message-id'];

const COMMANDS = ['list', 'show', 'replay', 'close', 'forget'] as const;
type Command = (typeof COMMANDS)[number];

const text = { type: 'string' } as const;
const OPTIONS = {
  ...RELAY_OPTIONS,
  ...(Object.fromEntries(Object.keys(SEARCH_OPTIONS).map((name) => [name, text])) as Record<
    SearchOption,
    typeof text
  >),
  limit: text,
  all: { type: 'boolean', default: false },
  content: { type: 'boolean', default: false },
  delivery: { type: 'boolean', default: false },
  note: text,
  by: text,
} as const satisfies NonNullable<ParseArgsConfig['options']>;

/** Which command takes an option that not all of them take. */
const ONLY_FOR: Readonly<Record<string, readonly Command[]>> = {
  ...Object.fromEntries(Object.keys(SEARCH_OPTIONS).map((name) => [name, ['list']])),
  ...Object.fromEntries(FOR_SHOW.map((name) => [name, ['list', 'show']])),
  limit: ['list'],
  all: ['list'],
  content: ['show'],
  delivery: ['show'],
  note: ['close'],
  by: ['forget'],
};

const USUAL_LIMIT = 50;
const MAX_LIMIT = 100_000;

const readLimit = (given: string | undefined, all: boolean): number => {
  if (given === undefined) return all ? Number.POSITIVE_INFINITY : USUAL_LIMIT;
  if (all) throw new UsageError('Expected --limit or --all, received both.');
  const limit = /^\d{1,6}$/.test(given) ? Number(given) : 0;
  if (limit < 1 || limit > MAX_LIMIT)
    throw new UsageError(`--limit: expected a whole number from 1 to ${MAX_LIMIT}, received ${given}.`);
  return limit;
};

export type MailArguments = {
  readonly values: ReturnType<typeof readValues>['values'];
  readonly command: Command;
  readonly ids: readonly string[];
  /** The search as the API takes it. Without any option: what is held. */
  readonly search: Readonly<Record<string, string>>;
  readonly limit: number;
};

const readValues = () => parseArgs({ allowPositionals: true, options: OPTIONS });

const isCommand = (word: string | undefined): word is Command => COMMANDS.includes(word as Command);

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Reads the command line; undefined where only help is asked for. Throws UsageError. */
export const readMailArguments = (): MailArguments | undefined => {
  const { values, positionals } = readOrRefuse(readValues);
  if (values.help) return undefined;
  const [command, ...ids] = positionals;
  if (!isCommand(command))
    throw new UsageError(
      `Expected list, show, replay, close or forget, received ${command ?? 'no command'}.`,
    );
  for (const [name, commands] of Object.entries(ONLY_FOR)) {
    const given = values[name as keyof typeof values];
    if (given !== undefined && given !== false && !commands.includes(command))
      throw new UsageError(`${command}: expected no --${name}, which is for ${commands.join(' and ')} only.`);
  }
  const search = readTerms(values);
  requireIds(command, ids, Object.keys(search).length > 0);
  if (command === 'close' && !values.note?.trim()) throw new UsageError('close: expected --note "why".');
  return {
    values,
    command,
    ids: [...new Set(ids.map((id) => id.toLowerCase()))],
    search,
    limit: readLimit(values.limit, values.all),
  };
};

const readTerms = (values: Readonly<Record<string, unknown>>): Record<string, string> => {
  const terms: Record<string, string> = {};
  for (const [option, field] of Object.entries(SEARCH_OPTIONS)) {
    const value = values[option];
    if (value === '') throw new UsageError(`--${option}: expected a value, received nothing.`);
    if (typeof value === 'string') terms[field] = value;
  }
  return terms;
};

const requireIds = (command: Command, ids: readonly string[], isSearch: boolean): void => {
  if (command === 'list' || (command === 'show' && isSearch)) {
    if (ids.length > 0) throw new UsageError(`${command}: expected no id, received ${ids.join(' ')}.`);
    return;
  }
  const wrong = ids.find((id) => !ID.test(id));
  const search = command === 'show' ? `, or ${FOR_SHOW.map((name) => `--${name}`).join(', ')}` : '';
  if (ids.length === 0 || wrong !== undefined)
    throw new UsageError(
      `${command}: expected the id of an email${search}, received ${wrong === undefined ? 'nothing' : wrong}.`,
    );
  if (command === 'show' && ids.length > 1)
    throw new UsageError(`show: expected one id, received also: ${ids.slice(1).join(' ')}.`);
};
