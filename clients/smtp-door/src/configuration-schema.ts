import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { HASH_FORM, parsePasswordHash } from './password-hash.ts';
import { readNetwork } from './server/networks.ts';

/** A value that a person writes, with what is expected in its place. */
const expecting = <Schema extends z.ZodType>(make: (error: { error: string }) => Schema, expected: string) =>
  make({ error: expected });

const text = (expected: string) => expecting((error) => z.string(error).min(1, error), expected);
const flag = expecting((error) => z.boolean(error), 'true or false');
const whole = (least: number, most: number) => {
  const error = { error: `a whole number from ${least} to ${most}` };
  return z.int(error).min(least, error).max(most, error);
};
const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, { error: values.map((value) => `"${value}"`).join(' or ') });

/** An object that names its fields to whoever misspells one. */
const fields = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => {
  const names = Object.keys(shape);
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === 'unrecognized_keys'
        ? `one of the fields ${names.join(', ')}`
        : `an object with ${names.join(', ')}`,
  });
};

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const urlFault = (value: string): string | undefined => {
  const url = URL.parse(value);
  const form =
    'the address of the API of the relay, such as https://func-mail-relay-abc123.azurewebsites.net/api';
  if (url === null || !/^https?:$/.test(url.protocol)) return form;
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname))
    return `${form}: https, because the key of the account goes there. http is only for a relay on this machine`;
  if (url.username !== '' || url.search !== '' || url.hash !== '') return `${form}, with nothing else in it`;
  return url.pathname.replace(/\/+$/, '').endsWith('/api') ? undefined : `${form}: it ends in /api`;
};

/** Larger networks than any organisation has: an account for them is an open relay. */
const SMALLEST_PREFIX = { 4: 8, 6: 16 } as const;

/** As the door reads it: an IPv4 network in the form of IPv6 is one of IPv4. */
const isNetwork = (value: string): boolean => {
  try {
    readNetwork(value);
    return true;
  } catch {
    return false;
  }
};

const networkFault = (value: string): string | undefined => {
  const [address = '', prefix, ...rest] = value.split('/');
  const family = isIP(address);
  const form = 'a network such as 192.168.10.0/24, 10.1.2.3 or fd00:10::/64';
  if ((family !== 4 && family !== 6) || rest.length > 0 || address.includes('%')) return form;
  if (prefix === undefined) return undefined;
  const bits = Number(prefix);
  if (!/^\d{1,3}$/.test(prefix) || bits > (family === 4 ? 32 : 128)) return form;
  const least = SMALLEST_PREFIX[family];
  return bits >= least && isNetwork(value)
    ? undefined
    : `a network of at most /${least}: everyone in it sends without a password, and a larger one makes an open relay`;
};

/** A text with a rule of its own, which says what it expects. */
const checked = (expected: string, fault: (value: string) => string | undefined) =>
  z.string({ error: expected }).check((context) => {
    const found = fault(context.value);
    if (found !== undefined)
      context.issues.push({ code: 'custom', message: found, input: context.value, continue: true });
  });

const secretForm = 'a text, { "file": "<path>" } or { "env": "<NAME>" }';
const secret = z.union(
  [
    z.string().min(1),
    z.strictObject({ file: z.string().min(1) }),
    z.strictObject({ env: z.string().min(1) }),
  ],
  {
    error: secretForm,
  },
);

/** Where a secret of the configuration is. */
export type Secret = z.infer<typeof secret>;

const HOST = 'the address to listen on, such as "127.0.0.1", or "0.0.0.0" for all';
/** A name has a letter: `999.1.1.1` is no address and no name. */
const HOST_NAME = /^(?=.*[a-z])[\w.-]{1,253}$/i;
const host = checked(HOST, (value) => (isIP(value) > 0 || HOST_NAME.test(value) ? undefined : HOST)).default(
  '127.0.0.1',
);
const port = whole(0, 65_535);
const TLS_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

const ciphersFault = (value: string): string | undefined => {
  try {
    createSecureContext({ ciphers: value });
    return undefined;
  } catch {
    return 'ciphers in the notation of OpenSSL that this Node.js has, such as DEFAULT@SECLEVEL=0';
  }
};

const listener = fields({
  host,
  port,
  tls: oneOf(['starttls', 'implicit', 'none']).optional(),
  plainAuth: flag.default(false),
  minVersion: oneOf(TLS_VERSIONS).optional(),
  ciphers: checked('ciphers in the notation of OpenSSL', ciphersFault).optional(),
});

const NAME = /^[\w.@-]{1,64}$/;

const account = fields({
  name: checked('a name', (value) =>
    NAME.test(value) ? undefined : 'a name of at most 64 letters, digits, dots, dashes, underscores and @',
  ),
  key: secret,
  passwordHash: secret.optional(),
  networks: z
    .array(checked('a network', networkFault), { error: 'a list of networks, such as ["192.168.10.0/24"]' })
    .default([]),
  from: z.email({ error: 'an address of email, such as scanner@contoso.example' }).optional(),
  replaceFrom: flag.default(false),
});

const atLeastOne = (what: string) => ({ error: `a list with at least one ${what}` });

/** Largest message that Exchange Online lets a mailbox send by default. */
const EXCHANGE_MAX = 35 * 1024 * 1024;
const GB = 1024 ** 3;

/** The configuration file. `docs/smtp-door.md` describes each field. */
export const fileSchema = fields({
  relay: fields({
    url: checked('the address of the API of the relay', urlFault),
    replySeconds: whole(5, 540).default(50),
  }),
  accounts: z.array(account, atLeastOne('account')).min(1, atLeastOne('account')),
  listeners: z.array(listener, { error: 'a list of listeners' }).default([]),
  certificate: fields({ certFile: text('a path'), keyFile: text('a path') }).optional(),
  name: text('the name that the door greets with, such as mail.contoso.example').optional(),
  maxBytes: whole(10_000, 157_286_400).default(EXCHANGE_MAX),
  memoryBytes: whole(32 * 1024 * 1024, 64 * GB).optional(),
  maxConnections: whole(1, 10_000).default(200),
  maxConnectionsPerAddress: whole(1, 10_000).default(20),
  idleSeconds: whole(10, 3600).default(300),
  bareLineEnds: oneOf(['mend', 'refuse']).default('mend'),
  otherRecipients: oneOf(['remove', 'refuse']).default('remove'),
  spool: fields({
    folder: text('a folder'),
    maxBytes: whole(1_000_000, 1024 * GB).default(GB),
    maxEmails: whole(1, 1_000_000).default(10_000),
    concurrency: whole(1, 64).default(4),
    giveUpHours: whole(1, 168).default(96),
  }).optional(),
  dropFolder: fields({
    folder: text('a folder'),
    account: text('the name of an account'),
    pollSeconds: whole(1, 3600).default(5),
    sent: oneOf(['keep', 'delete']).default('keep'),
  }).optional(),
  health: z
    .union([z.literal(false), fields({ host, port: port.default(9025) })], {
      error: 'false, or an object with host and port',
    })
    .default({ host: '127.0.0.1', port: 9025 }),
  drainSeconds: whole(1, 600).default(30),
});

/** The configuration as it is written. */
export type ConfigurationFile = z.infer<typeof fileSchema>;

/** What is wrong with the text of a secret, once it was read. */
export const secretFaults = {
  key: (value: string) =>
    /^[\x21-\x7e]+$/.test(value)
      ? undefined
      : 'a key of the relay (gmr_...) or a function key, in printable ASCII without blanks',
  passwordHash: (value: string) => (parsePasswordHash(value) === undefined ? HASH_FORM : undefined),
} as const;
