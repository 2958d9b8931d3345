import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findRelay, type Relay, RelayNotFoundError } from '../local/find-relay.ts';
import { type DeskMail, toPage, toTable } from './mail-page.ts';

/** The desk for mails that were held, as a command: against `npm start`, or a deployed app. */
const usage = `Usage: npm run mail -- list
       npm run mail -- show <id>
       npm run mail -- replay <id>
       npm run mail -- close <id> --note "why"

  --url <url>        The relay; the one that npm start runs on this machine unless given.
  --folder <folder>  The folder of that one, where it is not .local.
  --json             Prints the answers as they come.

For the relay of npm start the master key is known. That of any other is read from the environment variable
MAIL_RELAY_MASTER_KEY, so that it stands in no history and no list of processes:
  export MAIL_RELAY_MASTER_KEY=$(az functionapp keys list -g <group> -n <app> --query masterKey -o tsv)`;

const DEFAULT_FOLDER = join(import.meta.dirname, '..', '.local');

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
    throw new Error(`The relay at ${relay.url.origin} cannot be reached. Is it running? (npm start)`, {
      cause,
    });
  });
  // The host answers without a word of its own.
  if (response.status === 401)
    throw new Error(
      `${relay.url.origin} refuses the key from ${relay.keyFrom} (401). Expected the master key (_master) of that function app: ` +
        'a function key of an application does not open this, and a key that was renewed is another one.',
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

const main = async (): Promise<void> => {
  const { values, positionals } = readArguments();
  const [command, id, ...more] = positionals;
  if (values.help) return console.log(usage);
  if (more.length > 0) throw new UsageError(`Expected one id, not also: ${more.join(' ')}.`);
  const relay = await findRelay(values.url, values.folder, process.env);
  const needsId = () => {
    if (id === undefined || !/^[0-9a-f-]{36}$/i.test(id))
      throw new UsageError(`${command}: expected the id of a mail.`);
    return id;
  };
  const say = (answer: unknown, words: (answer: DeskMail) => string) =>
    console.log(values.json ? JSON.stringify(answer, null, 2) : words(answer as DeskMail));

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
        (mail) => `${mail.id} is on the queue again. Follow it with: npm run mail -- show ${mail.id}`,
      );
    case 'close':
      if (!values.note?.trim()) throw new UsageError('close: expected --note "why".');
      return say(
        await call(relay, 'POST', `/api/mail/${needsId()}/close`, { note: values.note }),
        (mail) => `${mail.id} is closed.`,
      );
    default:
      throw new UsageError(`Expected list, show, replay or close, not ${command ?? 'nothing'}.`);
  }
};

try {
  await main();
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${usage}` : (error as Error).message);
  process.exitCode = error instanceof UsageError || error instanceof RelayNotFoundError ? 2 : 1;
}
