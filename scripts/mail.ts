import { findRelay, type Relay } from '../local/find-relay.ts';
import { safetyLines } from '../src/lib/settings/safety-settings.ts';
import { decideAll } from './decide-mails.ts';
import { readMailArguments } from './mail-options.ts';
import { type DeskMail, toPage } from './mail-page.ts';
import { toTable } from './mail-table.ts';
import { callRelay, RELAY_USAGE, runCommand } from './relay-call.ts';
import { findOne, nothingFound, searchMails } from './search-mails.ts';

/** The desk as a command, for the relay of `npm start` or a deployed app. */
const usage = `Usage: npm run mail -- list [search]
       npm run mail -- show <id>
       npm run mail -- show --key KEY | --graph-request ID | --message-id ID
       npm run mail -- replay <id> [<id> ...]
       npm run mail -- close <id> [<id> ...] --note "why"
       npm run mail -- forget <id> [<id> ...] [--by NAME]

Finds emails, shows what happened to one, replays held ones, and closes those that are held or wait.
forget deletes everything that the relay keeps of an email that has ended, also its content if it is held. This cannot be undone.

list shows the emails that are held, newest first. With a search, it shows every email that has all of it, newest first:
  --state STATE        queued, sending, deferred, unknown, sent, bounced, rejected, held, closed, canceled, captured, or any.
  --sender ADDRESS     The address it is sent from.
  --caller NAME        The caller that sent it.
  --tag TAG            A tag that it has.
  --since TIME         Received then or later: 90m, 2h or 7d ago, a date (its beginning in UTC), or 2026-11-26T08:00:00Z.
  --until TIME         Received before that.
  --recipient ADDRESS  An address it is sent to. The relay compares keyed hashes and does not store the address.
  --key KEY            Its idempotency key.
  --graph-request ID   The ID of a request to Graph, such as in a report of Microsoft.
  --message-id ID      Its Message-ID, with or without the angle brackets.
  --limit N            The most emails. Default: 50.
  --all                No limit.

show has these options:
  --content            Also shows subject and recipients of a held email, read from its record. The log says that they were read.
  --delivery           Also shows what is known of each recipient after Exchange accepted the email, and asks the message trace if MAIL_TRACE is on.

forget has this option:
  --by NAME            Who deletes it, for the trail on the operator page.

${RELAY_USAGE}

Exit status: 0 if everything was done, 1 if something failed, 2 for wrong usage.`;

/** Says on the error output what keeps emails of this relay from their recipients, as it explains what the others print. */
const tellOfSafety = async (relay: Relay): Promise<void> => {
  // A relay of an earlier version has no such page.
  const details = await callRelay(relay, 'GET', '/api/health/details').catch(() => undefined);
  const { safetyOn = [] } = (details ?? {}) as { readonly safetyOn?: readonly string[] };
  for (const line of safetyLines(safetyOn)) console.error(line);
};

const main = async (): Promise<void> => {
  const read = readMailArguments();
  if (read === undefined) return console.log(usage);
  const { values, command, ids, search, limit } = read;
  const relay = await findRelay(values.url, values.folder, process.env);
  const say = <Answer>(answer: Answer, words: (answer: Answer) => string) =>
    console.log(values.json ? JSON.stringify(answer, null, 2) : words(answer));

  if (command === 'list' || command === 'show') await tellOfSafety(relay);
  switch (command) {
    case 'list': {
      const found = await searchMails(relay, search, limit);
      const width = process.stdout.isTTY ? process.stdout.columns : undefined;
      const none = Object.keys(search).length === 0 ? 'No email is held.' : nothingFound(search);
      say(found.mails, (mails) => (mails.length === 0 ? none : toTable(mails, width)));
      for (const note of found.notes) console.error(note);
      return;
    }
    case 'show': {
      const id = ids[0] ?? (await findOne(relay, search));
      const query = new URLSearchParams({
        id,
        ...(values.content ? { content: 'true' } : {}),
        ...(values.delivery ? { delivery: 'true' } : {}),
      });
      return say((await callRelay(relay, 'GET', `/api/mail?${query}`)) as DeskMail, (mail) =>
        toPage(mail, new Date()),
      );
    }
    case 'replay':
    case 'close':
    case 'forget':
      return decideAll(relay, { command, ids, note: values.note ?? '', by: values.by }, values);
  }
};

await runCommand('npm run mail', main);
