import { createWriteStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleIfStale } from '../scripts/bundle.ts';
import { wrongUsage } from '../scripts/wrong-usage.ts';
import { readCallerQueues } from '../src/lib/callers/caller-queues.ts';
import { startCloud } from './cloud.ts';
import { allowedFor } from './directory.ts';
import { toEventLine } from './event-line.ts';
import { type HostProcess, startHostProcess } from './host-process.ts';
import { readHostNames } from './inbox/host-names.ts';
import { readInboxAddress } from './inbox/inbox-address.ts';
import { type Inbox, startInbox } from './inbox/inbox-server.ts';
import { mailIdIn } from './inbox/relay-mails.ts';
import { prepareStart } from './prepare-start.ts';
import { noProxyHere } from './reach-this-machine.ts';
import { readRealTenant } from './real-tenant.ts';
import { chooseRelayKeys } from './relay-keys.ts';
import {
  credentialOf,
  hasConnections,
  localCaptures,
  localSafetyOn,
  toProblemLines,
} from './relay-settings.ts';
import { obtainWebhookSecrets } from './webhook-secrets.ts';
import { toCurl, toWelcome, whatIsOn } from './welcome.ts';

const ROOT = join(import.meta.dirname, '..');
const DEFAULT_FOLDER = join(ROOT, '.local');
const PARENT_CHECK_MS = 1000;
const READABLE_BY_OWNER_ONLY = 0o077;

const usage = `Usage: npm start -- [--fresh] [--real-tenant] [--folder <folder>] [--host-name <name>]

Runs the relay on this machine, with stand-ins for Entra, Graph and Key Vault and an inbox page.

  --fresh        Deletes the queue, ledger and inbox of earlier runs.
  --real-tenant  Sends real emails through your tenant instead of the stand-ins (docs/local.md).
  --folder       Folder for queue, ledger, inbox and log. Default: .local. One relay at a time can use a folder.
  --host-name    Another name to which the inbox responds, such as mailpit. Repeat it for several.
  --help         Prints this.`;

const readOptions = () => {
  try {
    return parseArgs({
      options: {
        fresh: { type: 'boolean', default: false },
        'real-tenant': { type: 'boolean', default: false },
        folder: { type: 'string', default: DEFAULT_FOLDER },
        'host-name': { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    console.error(wrongUsage((error as Error).message, 'npm start'));
    process.exit(2);
  }
};

const main = async () => {
  const options = readOptions();
  if (options.help) return console.log(usage);
  process.env.NO_PROXY = noProxyHere(process.env);
  const { ports, folder, settings, remarks } = await prepareStart(process.env, resolve(options.folder));
  for (const remark of remarks) console.warn(remark);

  const open: { readonly close: () => Promise<unknown> }[] = [];
  let host: HostProcess | undefined;
  let stopping: Promise<void> | undefined;
  const stop = async (code: number) => {
    stopping ??= (async () => {
      await host?.stop();
      await Promise.all(open.map((server) => server.close()));
      await folder.release();
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
    const inboxAddress = readInboxAddress(process.env, ports.inbox);
    const hostNames = readHostNames(options['host-name']);
    const realTenant = options['real-tenant'] ? await readRealTenant(ROOT) : undefined;
    if (realTenant !== undefined && credentialOf(settings) !== 'client-secret')
      throw new Error(
        `With --real-tenant, GRAPH_CREDENTIAL must be client-secret or empty; received ${credentialOf(settings)}. ` +
          'The certificate and the identity of the local cloud are not known in your tenant.',
      );
    const keys = chooseRelayKeys({ mailsAreReal: realTenant !== undefined });
    const callersWithQueues = readCallerQueues(settings.MAIL_CALLER_QUEUES ?? '').names;
    if (options.fresh) await folder.clear();
    await bundleIfStale();
    // After the bundle, which others may read.
    process.umask(READABLE_BY_OWNER_ONLY);
    const cloud = await startCloud({
      folder: folder.path,
      ports: ports.cloud,
      directory: allowedFor(settings),
      credential: credentialOf(settings),
      callersWithQueues,
      withFabrikam: hasConnections(settings),
    });
    open.push(cloud);
    for (const { file, reason } of cloud.mails.skipped)
      console.warn(`Inbox: skipped ${file}, which ${reason}`);
    if (realTenant !== undefined) await realTenant.storeSecret(cloud.secrets);
    const webhooks = await obtainWebhookSecrets(cloud.secrets, settings, new Date());

    const logFile = join(folder.path, 'functions.log');
    let inbox: Inbox | undefined;
    const log = createWriteStream(logFile, { flags: 'a' });
    host = await startHostProcess({
      appFolder: ROOT,
      port: ports.functions,
      ...keys,
      environment: { ...cloud.environment, ...settings, ...realTenant?.environment },
      log: (line) => {
        log.write(`${line}\n`);
        const event = toEventLine(line);
        if (event !== undefined) console.log(`  ${event}`);
        const mailId = mailIdIn(line);
        if (mailId !== undefined) inbox?.noticed(mailId);
      },
    });
    void host.ended.then((code) => {
      if (stopping !== undefined) return;
      console.error(`The functions host ended with exit code ${code}. See ${logFile}.`);
      void stop(1);
    });
    const functionsUrl = host.url.replace('127.0.0.1', 'localhost');
    // Every program on this machine can ask the inbox. Where emails are real, it has no key and passes nothing on to the relay.
    const isReal = realTenant !== undefined;
    const functionKey = isReal ? '<function key>' : keys.functionKey;
    const firstMail = {
      endpoint: `${functionsUrl}/api/mail`,
      functionKey,
      curl: toCurl({ functionsUrl, functionKey }),
      on: whatIsOn({
        functionsUrl,
        realTenant: isReal,
        safetyOn: localSafetyOn(settings),
        captures: localCaptures(settings),
      }),
    };
    inbox = await startInbox({
      store: cloud.mails,
      port: ports.inbox,
      firstMail,
      relay: isReal ? undefined : { url: host.url, ...keys },
      hostNames,
      forwardedAs: inboxAddress,
    });
    open.push(inbox);
    await folder.announce({ url: functionsUrl, masterKey: keys.masterKey });
    console.log(
      toWelcome({
        functionsUrl,
        ...keys,
        folder: folder.path === DEFAULT_FOLDER ? undefined : folder.path,
        inboxUrl: inboxAddress ?? inbox.url.replace('127.0.0.1', 'localhost'),
        connectionString: cloud.azurite.connectionString,
        callersWithQueues,
        webhooks,
        realTenant: realTenant !== undefined,
        safetyOn: localSafetyOn(settings),
        captures: localCaptures(settings),
      }),
    );
  } catch (error) {
    console.error(toProblemLines(error).join('\n'));
    await stop(1);
  }
};

await main().catch((error: unknown) => {
  console.error(toProblemLines(error).join('\n'));
  process.exit(1);
});
