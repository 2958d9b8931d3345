import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findRelay, type Relay, RelayNotFoundError } from '../local/find-relay.ts';
import { safetyLines } from '../src/lib/settings/safety-settings.ts';
import { type DeskMail, toPage, toTable } from './mail-page.ts';
import { wrongUsage } from './wrong-usage.ts';

/** The desk for held emails as a command, for the relay of `npm start` or a deployed app. */
const usage = `Usage: npm run mail -- list
       npm run mail -- show <id>
       npm run mail -- replay <id>
       npm run mail -- close <id> --note "why"

Lists held emails, shows the status of any email, replays a held one, and closes one that is held or waits.

  --url <url>        Address of the relay. Default: MAIL_RELAY_URL, else the relay that npm start runs on this machine.
  --folder <folder>  Folder of that relay. Default: .local.
  --json             Prints the responses as JSON.
  --help             Prints this.

The command knows the master key of a relay that npm start runs. For any other relay, it reads the key from the
environment variable MAIL_RELAY_MASTER_KEY, which keeps the key out of the shell history and the process list:
  export MAIL_RELAY_MASTER_KEY=$(az functionapp keys list -g <group> -n <app> --query masterKey -o tsv)`;

const DEFAULT_FOLDER = join(import.meta.dirname, '..', '.local');

const COMMANDS: ReadonlySet<string | undefined> = new Set(['list', 'show', 'replay', 'close']);

class UsageError extends Error {}

const readArguments = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        folder: { type: 'string', default: DEFAULT_FOLDER },
        note: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
};

const call = async (relay: Relay, method: string, path: string, body?: unknown): Promise<unknown> => {
  const response = await fetch(new URL(path, relay.url), {
    method,
    headers: { 'x-functions-key': relay.masterKey, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new Error(
      `Cannot reach the relay at ${relay.url.origin}. Is it running? Start it with: npm start`,
      {
        cause,
      },
    );
  });
  // The host returns no explanation of its own.
  if (response.status === 401)
    throw new Error(
      `${relay.url.origin} rejects the key from ${relay.keyFrom} (401). Use the current master key (_master) of that ` +
        'function app, not the function key of an application.',
    );
  const text = await response.text();
  const answer = text.startsWith('{') ? (JSON.parse(text) as unknown) : undefined;
  if (response.ok && answer !== undefined) return answer;
  const {
    code = `HTTP ${response.status}`,
    title = '',
    detail = '',
    remedy = '',
  } = (answer ?? {}) as Record<string, string>;
  throw new Error([`${code}: ${title}`, detail, remedy].filter((line) => line !== '').join('\n'));
};

const listAll = async (relay: Relay): Promise<readonly DeskMail[]> => {
  const mails: DeskMail[] = [];
  let after: string | undefined;
  do {
    const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
    const page = (await call(relay, 'GET', `/api/mail?state=held${query}`)) as {
      readonly mails: readonly DeskMail[];
      readonly next?: string;
    };
    mails.push(...page.mails);
    after = page.next;
  } while (after !== undefined);
  return mails;
};

/** Says on the error output what keeps emails of this relay from their recipients, as it explains what the others print. */
const tellOfSafety = async (relay: Relay): Promise<void> => {
  // A relay of an earlier version has no such page.
  const details = await call(relay, 'GET', '/api/health/details').catch(() => undefined);
  const { safetyOn = [] } = (details ?? {}) as { readonly safetyOn?: readonly string[] };
  for (const line of safetyLines(safetyOn)) console.error(line);
};

const main = async (): Promise<void> => {
  const { values, positionals } = readArguments();
  const [command, id, ...more] = positionals;
  if (values.help) return console.log(usage);
  if (more.length > 0) throw new UsageError(`Expected one id, received also: ${more.join(' ')}.`);
  if (!COMMANDS.has(command))
    throw new UsageError(`Expected list, show, replay or close, received ${command ?? 'no command'}.`);
  if (command === 'list' && id !== undefined) throw new UsageError(`list: expected no id, received ${id}.`);
  if (command !== 'close' && values.note !== undefined)
    throw new UsageError(`${command}: expected no --note, which is for close only.`);
  const relay = await findRelay(values.url, values.folder, process.env);
  const needsId = () => {
    if (id === undefined || !/^[0-9a-f-]{36}$/i.test(id))
      throw new UsageError(`${command}: expected the id of an email.`);
    return id;
  };
  const say = (answer: unknown, words: (answer: DeskMail) => string) =>
    console.log(values.json ? JSON.stringify(answer, null, 2) : words(answer as DeskMail));

  if (command === 'list' || command === 'show') await tellOfSafety(relay);
  switch (command) {
    case 'list': {
      const mails = await listAll(relay);
      return console.log(values.json ? JSON.stringify(mails, null, 2) : toTable(mails));
    }
    case 'show':
      return say(await call(relay, 'GET', `/api/mail?id=${needsId()}`), toPage);
    case 'replay':
      return say(
        await call(relay, 'POST', `/api/mail/${needsId()}/replay`),
        (mail) => `Email ${mail.id} is on the queue again. To follow it: npm run mail -- show ${mail.id}`,
      );
    case 'close':
      if (!values.note?.trim()) throw new UsageError('close: expected --note "why".');
      return say(
        await call(relay, 'POST', `/api/mail/${needsId()}/close`, { note: values.note }),
        (mail) => `Email ${mail.id} is closed.`,
      );
  }
};

try {
  await main();
} catch (error) {
  console.error(
    error instanceof UsageError ? wrongUsage(error.message, 'npm run mail') : (error as Error).message,
  );
  process.exitCode = error instanceof UsageError || error instanceof RelayNotFoundError ? 2 : 1;
}
