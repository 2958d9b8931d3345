import { parseArgs } from 'node:util';

/** The desk for mails that were set aside, as a command: against `npm start`, or a deployed app. */
const usage = `Usage: npm run mail -- list
       npm run mail -- show <id>
       npm run mail -- replay <id>
       npm run mail -- close <id> --note "why"

  --url <url>   The relay; http://localhost:7071 unless given.
  --json        Prints the answers as they come.

The master key of the relay is read from the environment variable MAIL_RELAY_KEY:
  export MAIL_RELAY_KEY=$(az functionapp keys list -g <group> -n <app> --query masterKey -o tsv)
For localhost it is known.`;

const LOCAL_URL = 'http://localhost:7071';
const LOCAL_MASTER_KEY = 'local-master-key';

class UsageError extends Error {}

type Status = {
  readonly id: string;
  readonly state: string;
  readonly sender: string;
  readonly recipients: number;
  readonly acceptedAt: string;
  readonly updatedAt: string;
  readonly note?: string;
  readonly reason?: {
    readonly code: string;
    readonly title: string;
    readonly detail?: string;
    readonly remedy: string;
  };
  readonly timeline: readonly {
    readonly at: string;
    readonly what: string;
    readonly [fact: string]: unknown;
  }[];
};

const readArguments = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        url: { type: 'string', default: LOCAL_URL },
        note: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
};

const readRelay = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const local = url?.hostname === 'localhost' || url?.hostname === '127.0.0.1';
  if (url === undefined || (url.protocol !== 'https:' && !local))
    throw new UsageError('--url: expected an https address, or one of this machine.');
  return url;
};

const readKey = (relay: URL): string => {
  const key = process.env.MAIL_RELAY_KEY ?? (relay.protocol === 'http:' ? LOCAL_MASTER_KEY : undefined);
  if (!key) throw new UsageError('Expected the master key in the environment variable MAIL_RELAY_KEY.');
  return key;
};

const call = async (relay: URL, method: string, path: string, body?: unknown): Promise<unknown> => {
  const response = await fetch(new URL(path, relay), {
    method,
    headers: { 'x-functions-key': readKey(relay), 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new Error(`The relay at ${relay.origin} cannot be reached. Is it running? (npm start)`, { cause });
  });
  if (response.status === 401)
    throw new Error('The relay refuses the key: expected its master key in MAIL_RELAY_KEY.');
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

const toTable = (mails: readonly Status[]): string =>
  mails.length === 0
    ? 'No mail is set aside.'
    : [
        'ID                                    SET ASIDE             REASON                      SENDER',
        ...mails.map(({ id, updatedAt, reason, sender }) =>
          [
            id,
            `${updatedAt.slice(0, 19)}Z`.padEnd(20),
            (reason?.code ?? '').padEnd(26),
            sender || '(unreadable)',
          ].join('  '),
        ),
      ].join('\n');

const toPage = ({ timeline, reason, ...mail }: Status): string =>
  [
    `${mail.id}  ${mail.state}`,
    `Sender      ${mail.sender || '(unreadable)'}, to ${mail.recipients} recipients`,
    ...timeline.map(({ at, what, ...facts }) => {
      const words = Object.entries(facts).map(([name, value]) => `${name}=${String(value)}`);
      return `${at}  ${what}${words.length === 0 ? '' : `  ${words.join(' ')}`}`;
    }),
    ...(reason === undefined ? [] : [`Reason      ${reason.code}: ${reason.title}`]),
    ...(reason?.detail === undefined ? [] : [`            ${reason.detail}`]),
    ...(reason === undefined ? [] : [`What to do  ${reason.remedy}`]),
    ...(mail.note === undefined ? [] : [`Note        ${mail.note}`]),
  ].join('\n');

const listAll = async (relay: URL): Promise<readonly Status[]> => {
  const mails: Status[] = [];
  let after: string | undefined;
  do {
    const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
    const page = (await call(relay, 'GET', `/api/mail?state=set-aside${query}`)) as {
      readonly mails: readonly Status[];
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
  const relay = readRelay(values.url);
  const needsId = () => {
    if (id === undefined || !/^[0-9a-f-]{36}$/i.test(id))
      throw new UsageError(`${command}: expected the id of a mail.`);
    return id;
  };
  const say = (answer: unknown, words: (answer: Status) => string) =>
    console.log(values.json ? JSON.stringify(answer, null, 2) : words(answer as Status));

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
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
