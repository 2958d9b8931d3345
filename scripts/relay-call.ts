import { join } from 'node:path';
import { IS_CLONE, isOwn, type Relay, RelayNotFoundError } from '../local/find-relay.ts';
import { wrongUsage } from './wrong-usage.ts';

/** What every command for operators says of the relay that it means. */
export const RELAY_USAGE = `  --url <url>        Address of the relay. Default: MAIL_RELAY_URL, else the relay that npm start runs on this machine.
  --folder <folder>  Folder of that relay. Default: .local.
  --json             Prints the responses as JSON.
  --help             Prints this.

The command knows the master key of a relay that npm start runs. For any other relay, it reads the key from the
environment variable MAIL_RELAY_MASTER_KEY, which keeps the key out of the shell history and the process list:
  export MAIL_RELAY_MASTER_KEY=$(az functionapp keys list -g <group> -n <app> --query masterKey -o tsv)`;

/** Where `npm start` keeps its relay. The single file is in no clone, and knows no folder of its own. */
const LOCAL_FOLDER = IS_CLONE ? join(import.meta.dirname, '..', '.local') : '.local';

export const RELAY_OPTIONS = {
  url: { type: 'string' },
  folder: { type: 'string', default: LOCAL_FOLDER },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** The options with which a printed command, pasted into bash, reaches the relay that this command line named. */
export const sameRelay = ({
  url,
  folder,
}: {
  readonly url?: string | undefined;
  readonly folder: string;
}): string =>
  [
    ...(folder === RELAY_OPTIONS.folder.default ? [] : [` --folder ${quoted(folder)}`]),
    ...(url === undefined ? [] : [` --url ${quoted(url)}`]),
  ].join('');

/** A command line that cannot be meant. */
export class UsageError extends Error {}

/** Gives the arguments that `parse` reads; what it does not know is wrong usage. */
export const readOrRefuse = <Arguments>(parse: () => Arguments): Arguments => {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
};

type CallOptions = { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> };
type Problem = { readonly pointer: string; readonly expected: string; readonly received: string };

const problemLines = (problems: readonly Problem[]): readonly string[] =>
  problems.map(
    ({ pointer, expected, received }) =>
      `  ${pointer || '(all)'}: expected ${expected}; received ${received}`,
  );

/** What can be done about it from here: only in a clone there is an `npm start`, and only for a relay of this machine. */
const howToReach = (url: URL): string => {
  if (!isOwn(url))
    return 'Check the address, and that this machine can reach it: a proxy, private endpoint or access restriction can be in between.';
  return IS_CLONE
    ? 'Is it running? Start it with: npm start'
    : 'Is it running? Start it, or name another relay with --url <url> or MAIL_RELAY_URL.';
};

/** Calls the relay with its master key. Throws an error that an operator can act on. */
export const callWithHeaders = async (
  relay: Relay,
  method: string,
  path: string,
  { body, headers = {} }: CallOptions = {},
): Promise<{ readonly answer: unknown; readonly headers: Headers }> => {
  const response = await fetch(new URL(path, relay.url), {
    method,
    headers: { ...headers, 'x-functions-key': relay.masterKey, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new Error(`Cannot reach the relay at ${relay.url.origin}. ${howToReach(relay.url)}`, { cause });
  });
  // The host returns no explanation of its own.
  if (response.status === 401)
    throw new Error(
      `${relay.url.origin} rejects the key from ${relay.keyFrom} (401). Use the current master key (_master) of that ` +
        'function app, not the function key of an application.',
    );
  const text = await response.text();
  const answer = text.startsWith('{') ? (JSON.parse(text) as unknown) : undefined;
  if (response.ok && answer !== undefined) return { answer, headers: response.headers };
  const {
    code = `HTTP ${response.status}`,
    title = '',
    detail = '',
    remedy = '',
    problems = [],
  } = (answer ?? {}) as Record<string, string> & { readonly problems?: readonly Problem[] };
  const lines = [`${code}: ${title}`, detail, ...problemLines(problems), remedy];
  throw new Error(lines.filter((line) => line !== '').join('\n'));
};

/** As `callWithHeaders`, for those who need the body alone. */
export const callRelay = async (...call: Parameters<typeof callWithHeaders>): Promise<unknown> =>
  (await callWithHeaders(...call)).answer;

/** Runs a command and sets the exit status: 2 for wrong usage, 1 for what failed. */
export const runCommand = async (command: string, main: () => Promise<void>): Promise<void> => {
  try {
    await main();
  } catch (error) {
    console.error(
      error instanceof UsageError ? wrongUsage(error.message, command) : (error as Error).message,
    );
    process.exitCode = error instanceof UsageError || error instanceof RelayNotFoundError ? 2 : 1;
  }
};
