import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleIfStale } from '../scripts/bundle.ts';
import { AppError } from '../src/lib/errors.ts';
import { startCloud } from './cloud.ts';
import { type HostProcess, startHostProcess } from './host-process.ts';
import { startInbox } from './inbox/inbox-server.ts';
import { readPorts } from './ports.ts';
import { readRealTenant } from './real-tenant.ts';
import { toCurl, toWelcome } from './welcome.ts';

/** The keys of a machine of one's own: fixed, so that the examples in the documentation work as they stand. */
const FUNCTION_KEY = 'local-function-key';
const MASTER_KEY = 'local-master-key';
const ROOT = join(import.meta.dirname, '..');
/** What is in the folder of the local cloud, and goes with `--fresh`. */
const KEPT = ['certificate', 'inbox', 'storage', 'key-vault.json', 'functions.log'];
const PARENT_CHECK_MS = 1000;

const usage = `Usage: npm start -- [--fresh] [--real-tenant] [--folder <folder>]

  --fresh        Forgets the queue, the ledger and the inbox of earlier runs.
  --real-tenant  Sends through your tenant instead of the stand-ins (docs/local.md).
  --folder       Where queue, ledger, inbox and log are kept; .local unless given.`;

const readOptions = () => {
  try {
    return parseArgs({
      options: {
        fresh: { type: 'boolean', default: false },
        'real-tenant': { type: 'boolean', default: false },
        folder: { type: 'string', default: join(ROOT, '.local') },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
};

const main = async () => {
  const options = readOptions();
  if (options.help) return console.log(usage);
  const ports = readPorts(process.env);
  const realTenant = options['real-tenant'] ? await readRealTenant(ROOT) : undefined;
  const { folder } = options;
  if (options.fresh) for (const name of KEPT) await rm(join(folder, name), { recursive: true, force: true });
  await mkdir(folder, { recursive: true });

  const open: { close(): Promise<unknown> }[] = [];
  let host: HostProcess | undefined;
  let stopping: Promise<void> | undefined;
  const stop = async (code: number) => {
    stopping ??= (async () => {
      await host?.stop();
      await Promise.all(open.map((server) => server.close()));
    })();
    await stopping;
    process.exit(code);
  };
  process.on('SIGINT', () => void stop(0));
  // npm passes a signal to its shell only: when that is gone, so is whoever started us.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) void stop(0);
  }, PARENT_CHECK_MS).unref();
  process.on('SIGTERM', () => void stop(0));

  try {
    const [cloud] = await Promise.all([startCloud({ folder, ports: ports.cloud }), bundleIfStale()]);
    open.push(cloud);
    for (const { file, reason } of cloud.mails.skipped) console.warn(`Inbox: left out ${file}: ${reason}`);
    if (realTenant !== undefined) await realTenant.storeSecret(cloud.secrets);

    const log = createWriteStream(join(folder, 'functions.log'), { flags: 'a' });
    host = await startHostProcess({
      appFolder: ROOT,
      port: ports.functions,
      functionKey: FUNCTION_KEY,
      masterKey: MASTER_KEY,
      environment: { ...cloud.environment, ...localOverrides(), ...realTenant?.environment },
      log: (line) => {
        log.write(`${line}\n`);
        const event = readEvent(line);
        if (event !== undefined) console.log(`  ${event}`);
      },
    });
    void host.ended.then((code) => {
      if (stopping !== undefined) return;
      console.error(`The functions host ended with ${code}; see ${join(folder, 'functions.log')}.`);
      void stop(1);
    });
    const functionsUrl = host.url.replace('127.0.0.1', 'localhost');
    const firstMail = {
      endpoint: `${functionsUrl}/api/mail`,
      functionKey: FUNCTION_KEY,
      curl: toCurl({ functionsUrl, functionKey: FUNCTION_KEY }),
    };
    const inbox = await startInbox({ store: cloud.mails, port: ports.inbox, firstMail });
    open.push(inbox);
    console.log(
      toWelcome({
        functionsUrl,
        functionKey: FUNCTION_KEY,
        masterKey: MASTER_KEY,
        inboxUrl: inbox.url.replace('127.0.0.1', 'localhost'),
        connectionString: cloud.azurite.connectionString,
        realTenant: realTenant !== undefined,
      }),
    );
  } catch (error) {
    console.error(toWords(error));
    await stop(1);
  }
};

/** What went wrong, for somebody at a terminal: the problems of settings by name. */
const toWords = (error: unknown): string => {
  const problems = error instanceof AppError ? (error.facts.problems ?? []) : [];
  return [
    (error as Error).message,
    ...problems.map(({ pointer, expected, came }) => `  ${pointer}: expected ${expected}; came ${came}`),
  ].join('\n');
};

/** The relay's own settings given in the environment of `npm start` win over those of the local cloud. */
const localOverrides = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      /^(MAIL|SECRET_WARNING|GRAPH_TIMEOUT)_/.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );

/** The relay's own log events, which are worth a line on the screen; the rest is in the log file. */
const readEvent = (line: string): string | undefined => {
  const found = /^\S+T(\d\d:\d\d:\d\d)\S* (\w+) Function\.\S+\.User\S*(?: \S+)?: (\{"event".*\})$/.exec(line);
  if (found === null) return undefined;
  const { event, ...facts } = JSON.parse(found[3] ?? '{}') as Record<string, unknown>;
  const words = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${found[1]} ${event} ${words.join(' ')}`;
};

await main().catch((error: unknown) => {
  console.error(toWords(error));
  process.exit(1);
});
