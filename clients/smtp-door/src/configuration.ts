import { ConfigurationError, type ConfigurationProblem, toProblems } from './configuration-problem.ts';
import { type ConfigurationFile, fileSchema, type Secret, secretFaults } from './configuration-schema.ts';
import { exposedSecrets } from './exposed-secrets.ts';
import type { Account, DoorSettings, Listener } from './settings.ts';

export type Configuration = {
  readonly url: string;
  readonly replyMs: number;
  readonly door: DoorSettings;
  /** The key of each account. */
  readonly keys: ReadonlyMap<string, string>;
  readonly spool: ConfigurationFile['spool'];
  readonly dropFolder: ConfigurationFile['dropFolder'];
  readonly health: ConfigurationFile['health'];
  readonly drainMs: number;
  /** Files with secrets that everyone on the machine can read. */
  readonly exposed: readonly string[];
};

/** What a configuration can refer to. */
export type ConfigurationWorld = {
  readonly readFile: (path: string) => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly hostName: string;
};

const parseJson = (file: string, text: string): unknown => {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    // The message of V8 quotes the file, which can hold a key.
    const position =
      /position \d+(?: \(line \d+ column \d+\))?/.exec((error as Error).message)?.[0] ?? 'its end';
    throw new ConfigurationError(file, [
      {
        at: '(the whole file)',
        expected: 'JSON, without comments and commas at the end',
        received: `something else at ${position}`,
      },
    ]);
  }
};

/** Reads a configuration file and the secrets it refers to. Throws all that is wrong together. */
export const readConfiguration = async (file: string, world: ConfigurationWorld): Promise<Configuration> => {
  const text = await world.readFile(file).catch((error: unknown) => {
    const { code = 'an error' } = error as NodeJS.ErrnoException;
    throw new ConfigurationError(file, [
      { at: '(the whole file)', expected: 'a file that the door can read', received: code },
    ]);
  });
  const input = parseJson(file, text);
  const parsed = fileSchema.safeParse(input);
  if (!parsed.success) throw new ConfigurationError(file, toProblems(input, parsed.error.issues));
  const { data } = parsed;
  const problems: ConfigurationProblem[] = [...contradictions(data)];
  const accounts: Account[] = [];
  const keys = new Map<string, string>();
  for (const [index, { key, passwordHash, from, ...account }] of data.accounts.entries()) {
    const at = `accounts[${index}]`;
    const readKey = await readSecret(world, key, `${at}.key`, secretFaults.key, problems);
    const readHash =
      passwordHash === undefined
        ? undefined
        : await readSecret(world, passwordHash, `${at}.passwordHash`, secretFaults.passwordHash, problems);
    keys.set(account.name, readKey);
    accounts.push({
      ...account,
      ...(readHash === undefined ? {} : { passwordHash: readHash }),
      ...(from === undefined ? {} : { from }),
    });
  }
  if (problems.length > 0) throw new ConfigurationError(file, problems);
  return {
    url: data.relay.url.replace(/\/+$/, ''),
    replyMs: data.relay.replySeconds * 1000,
    door: doorOf(data, accounts, world.hostName),
    keys,
    spool: data.spool,
    dropFolder: data.dropFolder,
    health: data.health,
    drainMs: data.drainSeconds * 1000,
    exposed: await exposedSecrets(file, data),
  };
};

const tlsOf = ({ tls, port }: ConfigurationFile['listeners'][number]): Listener['tls'] =>
  tls ?? (port === 465 ? 'implicit' : 'starttls');

const doorOf = (data: ConfigurationFile, accounts: readonly Account[], hostName: string): DoorSettings => ({
  name: data.name ?? hostName,
  listeners: data.listeners.map(({ minVersion, ciphers, ...listener }) => ({
    ...listener,
    tls: tlsOf(listener),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(ciphers === undefined ? {} : { ciphers }),
  })),
  ...(data.certificate === undefined ? {} : { certificate: data.certificate }),
  accounts,
  maxBytes: data.maxBytes,
  ...(data.memoryBytes === undefined ? {} : { memoryBytes: data.memoryBytes }),
  maxConnections: data.maxConnections,
  maxConnectionsPerAddress: data.maxConnectionsPerAddress,
  idleMs: data.idleSeconds * 1000,
  bareLineEnds: data.bareLineEnds,
  otherRecipients: data.otherRecipients,
});

/** The text of a secret. Files end in a line break, as editors write them. */
const readSecret = async (
  { readFile, env }: ConfigurationWorld,
  secret: Secret,
  at: string,
  faultOf: (value: string) => string | undefined,
  problems: ConfigurationProblem[],
): Promise<string> => {
  const [value, origin] = await (async (): Promise<[string | undefined, string]> => {
    if (typeof secret === 'string') return [secret, 'a text'];
    if ('env' in secret) return [env[secret.env], `the environment variable ${secret.env}`];
    try {
      return [await readFile(secret.file), `the file ${secret.file}`];
    } catch (error) {
      return [
        undefined,
        `${(error as NodeJS.ErrnoException).code ?? 'an error'} for the file ${secret.file}`,
      ];
    }
  })();
  const trimmed = value?.replace(/\r?\n$/, '') ?? '';
  const expected = trimmed === '' ? 'a value' : faultOf(trimmed);
  if (expected !== undefined) {
    const received =
      typeof secret === 'object' && 'env' in secret && trimmed === '' ? `no value of ${origin}` : origin;
    problems.push({ at, expected, received: trimmed === '' ? received : `something else from ${origin}` });
  }
  return trimmed;
};

const ALL = new Set(['0.0.0.0', '::']);
const meet = (one: string, other: string): boolean => one === other || ALL.has(one) || ALL.has(other);

/** What each field allows and all of them together do not. */
function* contradictions(data: ConfigurationFile): Generator<ConfigurationProblem> {
  const { accounts, listeners, certificate, dropFolder, health } = data;
  const names = new Set<string>();
  const networks = new Set<string>();
  for (const [index, { name, passwordHash, networks: own, replaceFrom, from }] of accounts.entries()) {
    const at = `accounts[${index}]`;
    if (names.has(name))
      yield { at: `${at}.name`, expected: 'a name that no other account has', received: `"${name}" again` };
    names.add(name);
    for (const [position, network] of own.entries()) {
      if (networks.has(network))
        yield {
          at: `${at}.networks[${position}]`,
          expected: 'a network that no other account has',
          received: `"${network}" again`,
        };
      networks.add(network);
    }
    if (passwordHash === undefined && own.length === 0 && dropFolder?.account !== name)
      yield {
        at,
        expected: 'passwordHash, networks or both: without them, no client can be this account',
        received: 'neither',
      };
    if (replaceFrom && from === undefined)
      yield {
        at: `${at}.from`,
        expected: 'the address that replaceFrom writes instead',
        received: 'nothing',
      };
  }
  if (listeners.length === 0 && dropFolder === undefined)
    yield {
      at: 'listeners',
      expected: 'at least one listener, such as { "port": 587 }, or a dropFolder',
      received: 'neither',
    };
  for (const [index, listener] of listeners.entries()) {
    const tls = tlsOf(listener);
    if (tls !== 'none' && certificate === undefined)
      yield {
        at: `listeners[${index}].tls`,
        expected: 'a "certificate" beside the listeners, or, in a private network, "tls": "none"',
        received: `"${tls}" without a certificate`,
      };
    if (tls === 'none' && !listener.plainAuth && networks.size === 0)
      yield {
        at: `listeners[${index}]`,
        expected:
          'TLS, an account with networks, or, in a private network, "plainAuth": true: without TLS the door asks for no password',
        received: 'a listener that no client can use',
      };
  }
  const places = listeners.map(({ host, port }, index) => ({ at: `listeners[${index}].port`, host, port }));
  if (health !== false) places.push({ at: 'health.port', ...health });
  for (const [index, { at, host, port }] of places.entries()) {
    const same = places
      .slice(0, index)
      .find((place) => port !== 0 && place.port === port && meet(place.host, host));
    if (same !== undefined)
      yield { at, expected: `another port than ${same.at} for the same address`, received: `${port} again` };
  }
  if (dropFolder !== undefined && !names.has(dropFolder.account))
    yield {
      at: 'dropFolder.account',
      expected: `one of the accounts ${[...names].join(', ')}`,
      received: `"${dropFolder.account}"`,
    };
}
