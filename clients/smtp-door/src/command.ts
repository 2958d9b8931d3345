import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';
import { type Command, readCommandLine, USAGE } from './command-line.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import { folderProblems } from './configuration-folders.ts';
import { ConfigurationError } from './configuration-problem.ts';
import { logTo } from './log.ts';
import { hashPassword, makePassword } from './password-hash.ts';
import { askRelay } from './relay/ask-relay.ts';
import { type RunWorld, runDoor } from './run.ts';
import { readCertificate } from './server/certificate.ts';
import { actOnSpool, listSpool, spoolTable } from './spool/spool-desk.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const readConfig = (file: string): Promise<Configuration> =>
  readConfiguration(file, {
    readFile: (path) => readFile(path, 'utf8'),
    env: process.env,
    hostName: hostname(),
  });

/** Runs a command line; sets the exit status: 2 for wrong usage, 1 for what failed. */
export const runCommandLine = async (
  parts: Pick<RunWorld, 'startDoor' | 'version' | 'program'>,
): Promise<void> => {
  try {
    await perform(readCommandLine(process.argv.slice(2), process.env), parts);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
};

const perform = async (
  command: Command,
  parts: Pick<RunWorld, 'startDoor' | 'version' | 'program'>,
): Promise<void> => {
  switch (command.kind) {
    case 'help':
      return say(USAGE);
    case 'version':
      return say(parts.version);
    case 'wrong':
      process.stderr.write(`${command.message}\nFor the usage: smtp-door --help\n`);
      process.exitCode = 2;
      return;
    case 'check':
      return await check(command);
    case 'hash-password':
      return await printHash(command.isNew);
    case 'spool':
      return await decide(command);
    case 'run':
      return await serve(command.config, parts);
  }
};

const check = async ({ config, asksRelay }: Extract<Command, { kind: 'check' }>): Promise<void> => {
  const configuration = await readConfig(config);
  const problems = await folderProblems(configuration);
  if (problems.length > 0) throw new ConfigurationError(config, problems);
  say(await describe(configuration));
  for (const path of configuration.exposed)
    say(`  Warning: everyone on this machine can read ${path}, which has a secret. Run: chmod o= ${path}`);
  if (!asksRelay) return;
  for (const [account, key] of configuration.keys) {
    const { isGood, text } = await askRelay(configuration.url, key);
    say(`  ${isGood ? 'Good' : 'Not good'}: account ${account}: ${text}`);
    if (!isGood) process.exitCode = 1;
  }
};

const describe = async ({ url, door, spool, dropFolder, health }: Configuration): Promise<string> => {
  const certificate = door.certificate && (await readCertificate(door.certificate));
  return [
    'The configuration is valid.',
    `  Relay: ${url}`,
    `  Accounts: ${door.accounts.map(({ name }) => name).join(', ')}`,
    ...door.listeners.map(({ host, port, tls }) => `  Listens on ${host} port ${port}, TLS: ${tls}`),
    ...(certificate === undefined ? [] : [`  Certificate: until ${certificate.validTo.toISOString()}`]),
    `  Spool: ${spool === undefined ? 'none. While the relay is unavailable, clients get 451 and must repeat their emails' : spool.folder}`,
    ...(dropFolder === undefined ? [] : [`  Drop folder: ${dropFolder.folder}`]),
    `  Health: ${health === false ? 'off' : `http://${health.host}:${health.port}/health`}`,
  ].join('\n');
};

const printHash = async (isNew: boolean): Promise<void> => {
  if (isNew) {
    const password = makePassword();
    say(`Password: ${password}`);
    return say(`passwordHash: ${await hashPassword(password)}`);
  }
  if (process.stdin.isTTY)
    process.stderr.write('Type the password, then Enter and Ctrl-D. It is shown while you type.\n');
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (password === '')
    throw new Error(
      'Expected a password on standard input, received nothing. To make one: smtp-door hash-password --new',
    );
  say(await hashPassword(password));
};

const decide = async ({ action, config }: Extract<Command, { kind: 'spool' }>): Promise<void> => {
  const { spool } = await readConfig(config);
  if (spool === undefined)
    throw new Error(`Expected "spool" in ${config}, received none: this door keeps no emails.`);
  if (action.verb === 'list') {
    const listed = await listSpool(spool.folder);
    return say(action.json ? JSON.stringify(listed, null, 2) : spoolTable(listed));
  }
  const { done, maybeSent, unknown } = await actOnSpool(spool.folder, action, new Date());
  const what =
    action.verb === 'retry' ? 'Sends again within seconds, if the door runs' : 'Removed, not sent again';
  say(`${what}: ${done.length === 0 ? 'nothing' : done.join(', ')}.`);
  if (action.verb === 'remove' && maybeSent.length > 0)
    say(
      `The relay may have sent these before, in an attempt that was in progress or got no response: ${maybeSent.join(', ')}. The log of the door has RelayAcceptedEmail with the id if it did.`,
    );
  if (unknown.length === 0) return;
  const state = action.verb === 'retry' ? 'failed email' : 'email';
  process.stderr.write(
    `Expected ids of smtp-door spool list, but no ${state} has the id ${unknown.join(' or ')}.\n`,
  );
  process.exitCode = 1;
};

const serve = async (
  config: string,
  parts: Pick<RunWorld, 'startDoor' | 'version' | 'program'>,
): Promise<void> => {
  const now = (): Date => new Date();
  const log = logTo((line) => process.stdout.write(line), now);
  // Whoever reads the log can end before the door does.
  process.stdout.on('error', () => {});
  const configuration = await readConfig(config);
  // A drop folder can be on a disk that comes later: the door runs, and health is not ok until then.
  const problems = await folderProblems({ spool: configuration.spool, dropFolder: undefined });
  if (problems.length > 0) throw new ConfigurationError(config, problems);
  const warn = ({ exposed }: Configuration): void => {
    for (const path of exposed)
      log('warn', 'SecretReadableByOthers', {
        file: path,
        say: 'Take the right to read it from others (chmod o=).',
      });
  };
  warn(configuration);
  const running = await runDoor(configuration, { now, log, ...parts });
  log('info', 'Started', {
    version: parts.version,
    ports: running.ports.join(','),
    healthPort: running.healthPort,
    accounts: configuration.keys.size,
    spool: configuration.spool !== undefined,
  });
  process.on('SIGHUP', () => {
    readConfig(config)
      .then((next) => {
        warn(next);
        return running.reload(next);
      })
      .catch((error: unknown) => running.reloadFailed(error as Error));
  });
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  log('info', 'Stopping');
  await running.close();
  log('info', 'Stopped');
  // A request whose time is over must not keep the process.
  process.exit(0);
};
