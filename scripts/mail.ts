import { parseArgs } from 'node:util';
import { findRelay, type Relay } from '../local/find-relay.ts';
import { safetyLines } from '../src/lib/settings/safety-settings.ts';
import { type DeskMail, toPage, toTable } from './mail-page.ts';
import {
  callRelay,
  RELAY_OPTIONS,
  RELAY_USAGE,
  readOrRefuse,
  runCommand,
  sameRelay,
  UsageError,
} from './relay-call.ts';

/** The desk for held emails as a command, for the relay of `npm start` or a deployed app. */
const usage = `Usage: npm run mail -- list
       npm run mail -- show <id>
       npm run mail -- replay <id>
       npm run mail -- close <id> --note "why"

Lists held emails, shows the status of any email, replays a held one, and closes one that is held or waits.

${RELAY_USAGE}`;

const COMMANDS: ReadonlySet<string | undefined> = new Set(['list', 'show', 'replay', 'close']);

const readArguments = () =>
  readOrRefuse(() =>
    parseArgs({ allowPositionals: true, options: { ...RELAY_OPTIONS, note: { type: 'string' } } }),
  );

const listAll = async (relay: Relay): Promise<readonly DeskMail[]> => {
  const mails: DeskMail[] = [];
  let after: string | undefined;
  do {
    const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
    const page = (await callRelay(relay, 'GET', `/api/mail?state=held${query}`)) as {
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
  const details = await callRelay(relay, 'GET', '/api/health/details').catch(() => undefined);
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
      return say(await callRelay(relay, 'GET', `/api/mail?id=${needsId()}`), toPage);
    case 'replay':
      return say(
        await callRelay(relay, 'POST', `/api/mail/${needsId()}/replay`),
        (mail) =>
          `Email ${mail.id} is on the queue again. To follow it: npm run mail -- show ${mail.id}${sameRelay(values)}`,
      );
    case 'close':
      if (!values.note?.trim()) throw new UsageError('close: expected --note "why".');
      return say(
        await callRelay(relay, 'POST', `/api/mail/${needsId()}/close`, { body: { note: values.note } }),
        (mail) => `Email ${mail.id} is closed.`,
      );
  }
};

await runCommand('npm run mail', main);
