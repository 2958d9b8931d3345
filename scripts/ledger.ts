import { parseArgs } from 'node:util';
import type { RestError } from '@azure/data-tables';
import { AzureCliCredential, CredentialUnavailableError } from '@azure/identity';
import * as z from 'zod';
import { AppError } from '../src/lib/errors.ts';
import type { LedgerGap } from '../src/lib/ledger/ledger-gap.ts';
import { markRestored, openRelayKey, trustKeys } from '../src/lib/storage/relay-key.ts';
import type { StorageConnection } from '../src/lib/storage/storage-connection.ts';
import { exportLedger, importLedger } from './ledger-backup.ts';
import { readOrRefuse, runCommand, UsageError } from './relay-call.ts';

/** Backup of the ledger, and what a restored one has to be told. It talks to storage, because the app is stopped meanwhile. */
const usage = `Usage: npm run ledger -- export FILE [--without-emails] --account NAME
       npm run ledger -- import FILE [--repeats-days N] --account NAME
       npm run ledger -- mark-restored [--at TIME] [--repeats-days N] --account NAME
       npm run ledger -- trust-keys --account NAME
       npm run ledger -- show --account NAME

Backs up the ledger, restores it, and tells the relay that it was restored: then the relay looks in the mailbox of the sender
before it sends an email of which the ledger cannot say that it was not sent. docs/operations.md says when to use which.

export          Writes the table to a new file. The file has the key of the relay: keep it like a password.
import          Adds to the table what the file has and the table has not, and does what mark-restored does.
mark-restored   For a ledger that was restored in another way, such as by a failover of the storage account. Of a mark that is there already,
                the later times hold.
trust-keys      Ends the search for emails that are received with an idempotency key, which began with import or mark-restored.
show            Says whether the ledger was restored, and what that means.

An app that runs does not see the change. Stop the app before import and mark-restored, and start it afterwards.

  --account NAME      The storage account, or the address of its tables. You need the role Storage Table Data Contributor on it
                      (Reader for export and show), and az login. Without it, the connection string in the environment variable
                      AZURE_STORAGE_CONNECTION_STRING.
  --without-emails    Leaves out the emails. What is left is small, and enough to send nothing twice: the key of the relay, callers and limits.
  --at TIME           When the ledger was restored, such as 2026-11-26T08:00:00Z: what was received earlier is looked for. Default: now.
                      It is not the time of the backup: the ledger knows nothing of what happened after that either.
  --repeats-days N    For how many days applications can repeat a request with the same idempotency key. Use MAIL_LEDGER_DAYS. Default: 90.
  --help              Prints this.

Exit status: 0 if everything was done, 1 if something failed, 2 for wrong usage.`;

const OPTIONS = {
  account: { type: 'string' },
  'without-emails': { type: 'boolean', default: false },
  at: { type: 'string' },
  'repeats-days': { type: 'string', default: '90' },
  help: { type: 'boolean', default: false },
} as const;

const COMMANDS = ['export', 'import', 'mark-restored', 'trust-keys', 'show'] as const;
type Command = (typeof COMMANDS)[number];
const WITH_FILE: readonly Command[] = ['export', 'import'];
const DAY_MS = 86_400_000;

const isCommand = (word: string | undefined): word is Command => COMMANDS.includes(word as Command);

const readArguments = () => {
  const { values, positionals } = readOrRefuse(() => parseArgs({ allowPositionals: true, options: OPTIONS }));
  if (values.help) return undefined;
  const [command, ...files] = positionals;
  if (!isCommand(command))
    throw new UsageError(`Expected one of ${COMMANDS.join(', ')}, received ${command ?? 'no command'}.`);
  const wanted = WITH_FILE.includes(command) ? 1 : 0;
  if (files.length !== wanted)
    throw new UsageError(
      `${command}: expected ${wanted === 1 ? 'one file' : 'nothing more'}, received ${files.join(' ') || 'none'}.`,
    );
  if (values['without-emails'] && command !== 'export')
    throw new UsageError(`${command}: expected no --without-emails, which is for export.`);
  if (values.at !== undefined && command !== 'mark-restored')
    throw new UsageError(`${command}: expected no --at, which is for mark-restored.`);
  return {
    command,
    file: files[0] ?? '',
    account: values.account,
    withEmails: !values['without-emails'],
    at: values.at === undefined ? undefined : readTime(values.at),
    repeatsMs: readDays(values['repeats-days']) * DAY_MS,
  };
};

const readTime = (text: string): Date => {
  const time = new Date(text);
  // `Date` takes the 31st of February for a day in March.
  const isDay = z.iso.date().safeParse(text.slice(0, 10)).success;
  if (!isDay || !/^.{10}T.*(?:Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(time.getTime()))
    throw new UsageError(`--at: expected a time such as 2026-11-26T08:00:00Z, received ${text}.`);
  if (time > new Date()) throw new UsageError(`--at: expected a time that has passed, received ${text}.`);
  return time;
};

const readDays = (text: string): number => {
  if (!/^\d{1,4}$/.test(text))
    throw new UsageError(`--repeats-days: expected a whole number of days, received ${text}.`);
  return Number(text);
};

const connectTo = (account: string | undefined): StorageConnection => {
  if (account === undefined) {
    const connectionString = process.env.AZURE_STORAGE_CONNECTION_STRING?.trim();
    if (!connectionString)
      throw new UsageError(
        'Expected --account NAME, or a connection string in AZURE_STORAGE_CONNECTION_STRING, received neither.',
      );
    return { kind: 'connection-string', connectionString };
  }
  const table = /^[a-z0-9]{3,24}$/.test(account) ? `https://${account}.table.core.windows.net` : account;
  if (!/^https:\/\/[^/]+\/?$/.test(table))
    throw new UsageError(
      '--account: expected the name of a storage account, or the address of its tables such as https://NAME.table.core.windows.net.',
    );
  const blob = table.replace('.table.', '.blob.');
  const queue = table.replace('.table.', '.queue.');
  return { kind: 'account', addresses: { blob, queue, table }, credential: new AzureCliCredential() };
};

const NO_KEY =
  'Expected the key of the relay in the table, received none. Import a backup first. If there is none, see "Storage account lost" in docs/operations.md.';

const main = async (): Promise<void> => {
  const read = readArguments();
  if (read === undefined) return console.log(usage);
  const { command, file, repeatsMs } = read;
  const connection = connectTo(read.account);
  const gapAt = (until = new Date()) => ({ until, repeatsUntil: new Date(until.getTime() + repeatsMs) });
  switch (command) {
    case 'export': {
      const { emails, others } = await exportLedger(connection, file, { ...read, now: new Date() });
      console.log(
        `${file}: ${emails} emails and ${others} other entities. Keep it like a password: it has the key of the relay.`,
      );
      return;
    }
    case 'import': {
      const { emails, others, kept, exportedAt, gap } = await importLedger(connection, file, gapAt);
      console.log(
        `${emails} emails and ${others} other entities of ${exportedAt.toISOString()} were added; ${kept} were there already. ${toText(gap)} ${NEXT}`,
      );
      return;
    }
    case 'mark-restored':
      console.log(`${toText(await mark(connection, gapAt(read.at)))} ${NEXT}`);
      return;
    case 'trust-keys': {
      await keyOf(connection);
      const gap = await trustKeys(connection, new Date());
      if (gap === undefined)
        throw new Error(
          'Expected a ledger that was restored, received one that was not. There is nothing to end.',
        );
      console.log(
        'Emails with an idempotency key that are received from now on are sent without a search. Restart the app now.',
      );
      return;
    }
    case 'show':
      console.log(toText((await keyOf(connection)).gap));
  }
};

const NEXT = 'Start the app now.';

/** Reads the key, and never makes one: that is for the relay. */
const keyOf = async (connection: StorageConnection) => {
  const key = await openRelayKey(connection).findRelayKey();
  if (key === undefined) throw new Error(NO_KEY);
  return key;
};

/** Says what holds from then on, which an earlier mark can have made more than was asked for. */
const mark = async (connection: StorageConnection, asked: LedgerGap): Promise<LedgerGap> => {
  const gap = await markRestored(connection, asked);
  if (gap === undefined) throw new Error(NO_KEY);
  if (gap.until > asked.until || gap.repeatsUntil > asked.repeatsUntil)
    console.log('The ledger was marked as restored before. The later times hold.');
  return gap;
};

type Gap = Awaited<ReturnType<typeof keyOf>>['gap'];

const toText = (gap: Gap): string =>
  gap === undefined
    ? 'The ledger was never restored.'
    : `The ledger was restored at ${gap.until.toISOString()}. Before the relay sends an email, it looks for it in the mailbox of the sender if the email was received before that` +
      (gap.repeatsUntil > new Date()
        ? `, or has an idempotency key and is received before ${gap.repeatsUntil.toISOString()}. To end the latter: npm run ledger -- trust-keys.`
        : '.');

/** What storage said, as something to do. */
const explained = (error: unknown): unknown => {
  const cause = error instanceof AppError && error.cause !== undefined ? error.cause : error;
  const { code, statusCode, path, message } = cause as Partial<RestError> & { readonly path?: string };
  if (code === 'EEXIST')
    return new Error(
      `${path}: expected a file that does not exist, received one that does. Use another name.`,
    );
  if (code === 'ENOENT') return new Error(`${path}: expected a file, received none. Check the name.`);
  if (statusCode === 403)
    return new Error(
      'Storage rejects the request (403). Expected the role Storage Table Data Contributor on the storage account, and an address that its firewall lets in (option operatorIpRanges of the deployment). A new role takes a few minutes.',
    );
  if (statusCode === 404)
    return new Error(
      'Expected the table mailledger in the storage account, received none. Deploy the infrastructure first, then repeat this command.',
    );
  if (cause instanceof CredentialUnavailableError)
    return new Error(
      `Expected an account that is signed in. Run az login, then repeat this command. (${message})`,
    );
  if (code === 'ENOTFOUND' || code === 'ECONNREFUSED')
    return new Error(
      `Cannot reach storage (${code}). Check the name of the account, and that this machine can reach it.`,
    );
  if (cause instanceof AppError || statusCode !== undefined || /in time/.test(message ?? ''))
    return new Error(
      `Storage did not do it: ${message} Repeat this command. What was imported already stays.`,
    );
  return cause;
};

await runCommand('npm run ledger', () =>
  main().catch((error: unknown) => {
    throw explained(error);
  }),
);
