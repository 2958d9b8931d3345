import { text } from 'node:stream/consumers';
import { findRelay, type Relay } from '../local/find-relay.ts';
import { type CallerArguments, readCallerArguments } from './caller-options.ts';
import {
  type AuditLine,
  type CallerPage,
  toAuditPage,
  toCallerPage,
  toCallerTable,
  toKeyPage,
} from './caller-page.ts';
import { callRelay, callWithHeaders, RELAY_USAGE, runCommand, sameRelay, UsageError } from './relay-call.ts';

/** Who may send what, as a command, for the relay of `npm start` or a deployed app. */
const usage = `Usage: npm run callers -- list
       npm run callers -- show NAME
       npm run callers -- add NAME --sender ADDRESS [rules]
       npm run callers -- limit NAME [rules]
       npm run callers -- rotate-key NAME
       npm run callers -- revoke-key NAME ID
       npm run callers -- disable NAME | enable NAME
       npm run callers -- remove NAME --yes
       npm run callers -- audit [NAME]

Says which application can send what. function-keys (every function key without a caller of its own) and queue (everyone who
can write to the queue mail) exist by themselves: limit or disable them to close what is open.

Rules. In limit, an option replaces the rule, --add-... adds to a list, and the value none lifts the rule:
  --sender ADDRESS          A sender it can use, or *@domain. Repeat it for more. With none: every sender that the settings allow.
  --default-sender ADDRESS  Sender of its emails that name none. Default: the first --sender.
  --recipient ADDRESS       A recipient it can reach, or *@domain. Repeat it for more. Default: everyone.
  --mails-per-day N         Emails a day, from midnight to midnight UTC. Default: no limit.
  --recipients-per-day N    Recipients a day, of all its emails. Default: no limit.
  --max-mail-bytes N        Bytes of the text and the files of one email. Default: no limit.
  --door http|queue         How it sends. Repeat it for more. Default: all.
  --reads own|all           Whose emails it can look at. Default: own.
  --on-unknown verify|hold|resend  What happens on an unknown outcome, where the email does not say.
  --priority high|normal|bulk  The priority of its emails that say none, and the highest that they can have. Default: normal, and any.
  --tag TAG                 A tag that all its emails have. Repeat it for more.
  --owner ADDRESS           Who is notified about this caller. In a test environment, an address within MAIL_RECIPIENT_DOMAINS.
  --app CLIENT_ID           An application or managed identity in Entra that is this caller. Repeat it for more.
  --function-key            A function key that is this caller: read from the environment variable MAIL_RELAY_FUNCTION_KEY
                            or from standard input, never from the command line.
  --add-sender, --add-recipient, --add-door, --add-tag, --add-app

  --by NAME          Who makes the change, for the audit trail.
  --yes              Removes the caller. Without it, remove only says what that means.
${RELAY_USAGE}`;

const COMMANDS = [
  'list',
  'show',
  'add',
  'limit',
  'rotate-key',
  'revoke-key',
  'disable',
  'enable',
  'remove',
  'audit',
] as const;
type Command = (typeof COMMANDS)[number];

/** How many names follow a command: the least and the most. */
const NAMES: Readonly<Record<Command, readonly [number, number]>> = {
  list: [0, 0],
  show: [1, 1],
  add: [1, 1],
  limit: [1, 1],
  'rotate-key': [1, 1],
  'revoke-key': [2, 2],
  disable: [1, 1],
  enable: [1, 1],
  remove: [1, 1],
  audit: [0, 1],
};
const WITH_RULES: readonly Command[] = ['add', 'limit'];

const isCommand = (word: string | undefined): word is Command => COMMANDS.includes(word as Command);

const readCommand = ({ positionals, fields, added, functionKey, yes }: CallerArguments) => {
  const [command, ...names] = positionals;
  if (!isCommand(command))
    throw new UsageError(`Expected one of ${COMMANDS.join(', ')}, received ${command ?? 'no command'}.`);
  const [least, most] = NAMES[command];
  if (names.length < least)
    throw new UsageError(
      `${command}: expected the name of a caller${least === 2 ? ' and the id of a key' : ''}.`,
    );
  if (names.length > most)
    throw new UsageError(`${command}: expected nothing more, received ${names.slice(most).join(' ')}.`);
  const hasRules = Object.keys(fields).length + Object.keys(added).length > 0 || functionKey;
  if (hasRules && !WITH_RULES.includes(command))
    throw new UsageError(`${command}: expected no rules, which are for add and limit.`);
  if (!hasRules && command === 'limit')
    throw new UsageError('limit: expected a rule, such as --mails-per-day 500.');
  if (yes && command !== 'remove')
    throw new UsageError(`${command}: expected no --yes, which is for remove.`);
  if (command === 'add' && Object.keys(added).length > 0)
    throw new UsageError('add: expected options without add-, such as --sender.');
  if (command === 'add' && fields.senders === undefined)
    throw new UsageError(
      'add: expected --sender ADDRESS. For every sender that the settings allow: --sender none.',
    );
  return { command, name: names[0] ?? '', id: names[1] ?? '' };
};

const KEY_VARIABLE = 'MAIL_RELAY_FUNCTION_KEY';

const readFunctionKey = async ({ functionKey }: CallerArguments): Promise<{ functionKey?: string }> => {
  if (!functionKey) return {};
  const given = process.env[KEY_VARIABLE] || (process.stdin.isTTY ? '' : (await text(process.stdin)).trim());
  if (given === '')
    throw new UsageError(
      `--function-key: expected the key in the environment variable ${KEY_VARIABLE} or on standard input.`,
    );
  return { functionKey: given };
};

const pathOf = (name: string): string => `/api/callers/${encodeURIComponent(name)}`;

const readAudit = async (relay: Relay, caller: string): Promise<readonly AuditLine[]> => {
  const entries: AuditLine[] = [];
  let after: string | undefined;
  do {
    const query = new URLSearchParams({ ...(caller && { caller }), ...(after && { after }) });
    const page = (await callRelay(relay, 'GET', `/api/audit?${query}`)) as {
      readonly entries: readonly AuditLine[];
      readonly next?: string;
    };
    entries.push(...page.entries);
    after = page.next;
  } while (after !== undefined);
  return entries;
};

/** What is added stands beside what the caller has now: if somebody changes that in between, the relay refuses the change. */
const limit = async (
  relay: Relay,
  name: string,
  { fields, added }: CallerArguments,
  more: object,
  headers: Record<string, string>,
): Promise<unknown> => {
  if (Object.keys(added).length === 0)
    return callRelay(relay, 'PATCH', pathOf(name), { body: { ...fields, ...more }, headers });
  const { answer, headers: found } = await callWithHeaders(relay, 'GET', pathOf(name));
  const caller = answer as Readonly<Record<string, readonly string[] | undefined>>;
  // Without a list of these, a caller has all of them: to add one would take away the others.
  const all = ['senders', 'recipients'].find((field) => added[field] && caller[field] === undefined);
  if (all !== undefined)
    throw new UsageError(
      `limit: ${name} can use all ${all} already. To limit it to some: --${all.slice(0, -1)} ADDRESS.`,
    );
  const lists = Object.fromEntries(
    Object.entries(added).map(([field, items]) => [field, [...(caller[field] ?? []), ...items]]),
  );
  return callRelay(relay, 'PATCH', pathOf(name), {
    body: { ...fields, ...more, ...lists },
    headers: { ...headers, 'if-match': found.get('etag') ?? '' },
  });
};

const REMOVED = (name: string, there: string) =>
  `This removes ${name} with its keys. Its application gets 401 from then on. Emails of ${name} that wait are held when they are due ` +
  `(CALLER_REMOVED) and can be replayed if you add ${name} again. Function keys of ${name} are callers by the rules of function-keys ` +
  `again. To stop ${name} and keep all of this: npm run callers -- disable ${name}${there}. To remove it, add --yes`;

const main = async (): Promise<void> => {
  const args = readCallerArguments();
  if (args.help) return console.log(usage);
  const { command, name, id } = readCommand(args);
  const there = sameRelay(args);
  if (command === 'remove' && !args.yes) throw new UsageError(REMOVED(name, there));
  const more = await readFunctionKey(args);
  const relay = await findRelay(args.url, args.folder, process.env);
  const headers: Record<string, string> =
    args.by === undefined ? {} : { 'x-changed-by': encodeURIComponent(args.by) };
  const say = (answer: unknown, words: string) =>
    console.log(args.json ? JSON.stringify(answer, null, 2) : words.trimEnd());
  const switchTo = (disabled: boolean) =>
    callRelay(relay, 'PATCH', pathOf(name), { body: { disabled }, headers });

  switch (command) {
    case 'list': {
      const answer = (await callRelay(relay, 'GET', '/api/callers')) as { readonly callers: CallerPage[] };
      return say(answer.callers, toCallerTable(answer.callers, there));
    }
    case 'show': {
      const answer = await callRelay(relay, 'GET', pathOf(name));
      return say(answer, toCallerPage(answer as CallerPage));
    }
    case 'add': {
      const answer = (await callRelay(relay, 'POST', '/api/callers', {
        body: { name, ...args.fields, ...more },
        headers,
      })) as { readonly caller: CallerPage; readonly key?: string };
      const { key, caller } = answer;
      const keyPage = key === undefined ? '' : `\n${toKeyPage(key, relay.url, caller.recipients)}`;
      return say(answer, `Caller ${name} is added.\n\n${toCallerPage(caller)}${keyPage}`);
    }
    case 'limit': {
      const answer = await limit(relay, name, args, more, headers);
      return say(
        answer,
        `${toCallerPage(answer as CallerPage)}\n\nEvery instance knows this within a minute.`,
      );
    }
    case 'rotate-key': {
      const answer = await callRelay(relay, 'POST', `${pathOf(name)}/keys`, { headers });
      const { key, keys } = answer as { readonly key: string; readonly keys: CallerPage['keys'] };
      const { recipients } = (await callRelay(relay, 'GET', pathOf(name))) as CallerPage;
      const [old] = keys.length > 1 ? keys : [];
      const next =
        old === undefined
          ? ''
          : `\nThe key ${old.id} still works. Once the application uses the new one:\n  npm run callers -- revoke-key ${name} ${old.id}${there}\n`;
      return say(answer, `${toKeyPage(key, relay.url, recipients)}${next}`);
    }
    case 'revoke-key': {
      const answer = await callRelay(relay, 'DELETE', `${pathOf(name)}/keys/${encodeURIComponent(id)}`, {
        headers,
      });
      return say(answer, `The key ${id} is revoked. Every instance refuses it within a minute.`);
    }
    case 'disable':
      return say(
        await switchTo(true),
        `${name} is disabled. Every instance refuses it within a minute. Its emails that wait are held when they are due (CALLER_DISABLED).`,
      );
    case 'enable':
      return say(
        await switchTo(false),
        `${name} is enabled. To see emails that were held meanwhile: npm run mail -- list${there}`,
      );
    case 'remove':
      return say(await callRelay(relay, 'DELETE', pathOf(name), { headers }), `${name} is removed.`);
    case 'audit': {
      const entries = await readAudit(relay, name);
      return say(entries, toAuditPage(entries));
    }
  }
};

await runCommand('npm run callers', main);
