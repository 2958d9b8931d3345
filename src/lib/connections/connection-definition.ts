import * as z from 'zod';
import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { addressKey, isAddress } from '../mail/address.ts';
import { isAddressPattern } from '../mail/address-pattern.ts';
import { jsonPointer, valueAt } from '../mail/mail-problems.ts';
import { CLOUD_NAMES } from './cloud.ts';
import { CREDENTIAL_KINDS, MAIN_CONNECTION } from './connection.ts';

const MAX_SENDERS = 100;
const MAX_CONNECTIONS = 50;
const MAX_DOMAINS = 200;
const MAX_RECIPIENTS = 100_000_000;
/** Of one connection; what is wrong with more of them is wrong with the first ones too. */
const MAX_PROBLEMS = 20;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DOMAIN = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i;
/** Names of secrets and certificates in a vault. */
const VAULT_OBJECT = /^[0-9a-z-]{1,127}$/i;
const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const MAX_NAME = 40;

/** The form of a name, for people. */
export const EXPECTED_NAME = `1 to ${MAX_NAME} lower-case letters, digits and single dashes, beginning with a letter, such as fabrikam; not ${MAIN_CONNECTION}`;

const textOf = (isRight: (text: string) => boolean, expected: string) =>
  z.custom<string>((value) => typeof value === 'string' && isRight(value), expected);
const oneOf = <const Word extends string>(words: readonly Word[]) =>
  z.custom<Word>((value) => words.includes(value as Word), `one of ${words.join(', ')}`);
const vaultObject = textOf((text) => VAULT_OBJECT.test(text), '1 to 127 letters, digits and dashes');

const name = textOf(
  (text) => text.length <= MAX_NAME && NAME.test(text) && text !== MAIN_CONNECTION,
  EXPECTED_NAME,
);
const senders = z
  // Counted before they are looked at.
  .custom<unknown[]>(
    (value) => Array.isArray(value) && value.length >= 1 && value.length <= MAX_SENDERS,
    `a list of 1 to ${MAX_SENDERS} senders`,
  )
  .pipe(z.array(textOf(isAddressPattern, 'an address, or *@domain for every address of a domain')));

const shape = {
  name,
  senders,
  tenantId: textOf(
    (text) => GUID.test(text) || DOMAIN.test(text),
    'the Directory (tenant) ID, a GUID, or a domain of the tenant',
  ),
  clientId: textOf((text) => GUID.test(text), 'the Application (client) ID, a GUID').transform((text) =>
    text.toLowerCase(),
  ),
  credential: oneOf(CREDENTIAL_KINDS).default('client-secret'),
  secretName: vaultObject.optional(),
  certificateName: vaultObject.optional(),
  cloud: oneOf(CLOUD_NAMES).optional(),
  owner: textOf(isAddress, 'one address such as name@example.com').optional(),
  externalRecipientsPerDay: z
    .custom<number>(
      (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_RECIPIENTS,
      `a whole number from 1 to ${MAX_RECIPIENTS}`,
    )
    .optional(),
  internalDomains: z
    .custom<unknown[]>(
      (value) => Array.isArray(value) && value.length <= MAX_DOMAINS,
      `a list of at most ${MAX_DOMAINS} domains`,
    )
    .pipe(z.array(textOf((text) => isAddress(`any@${text}`), 'a domain')))
    .optional(),
};
const fields = z.strictObject(shape, {
  error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'an object'),
});
/** By which emails find their connection, whatever else is wrong with it. */
const routing = z.object({ name, senders });

const FIELDS = Object.keys(shape);
/** A word, as fields are named: neither an address nor a secret. */
const isFieldLike = (key: string): boolean => /^[A-Za-z]{1,30}$/.test(key);
const IS_SECRET = /secret(value)?$|password/i;

/** Where settings have a connection, such as `GRAPH_CONNECTIONS/0`. */
type Placed = { readonly place: string };

/** A connection as settings describe it, beside the main one. */
export type ConnectionDefinition = Readonly<z.output<typeof fields>> & Placed;

/**
 * A connection whose name and senders can be read, and nothing can be sent by it. Its senders are refused until it is corrected; were it
 * left out, they would be sent for by another connection.
 */
export type BrokenConnection = Readonly<z.output<typeof routing>> &
  Placed & { readonly problems: readonly Problem[] };

export type DeclaredConnection = ConnectionDefinition | BrokenConnection;

/** Whether a connection can be used. */
export const isUsable = (declared: DeclaredConnection): declared is ConnectionDefinition =>
  !('problems' in declared);

export type ReadConnections = {
  readonly connections: readonly DeclaredConnection[];
  /** Of connections whose senders nobody knows. */
  readonly problems: readonly Problem[];
};

const problem = (pointer: string, expected: string, received: string): Problem => ({
  code: 'SETTINGS_INVALID',
  pointer,
  expected,
  received,
});

/** Reads the JSON of one connection, which settings have at this place. Values are in no problem. */
export const readConnection = (input: unknown, place: string): ReadConnections => {
  const { data, error } = fields.safeParse(input);
  const problems = [
    ...(error?.issues ?? []).flatMap((issue) => toProblems(issue, input, place)),
    ...(data === undefined ? [] : namesOfOthers(data, place)),
  ].slice(0, MAX_PROBLEMS);
  if (data !== undefined && problems.length === 0) return { connections: [{ ...data, place }], problems: [] };
  const route = routing.safeParse(input);
  return route.success
    ? { connections: [{ ...route.data, place, problems }], problems: [] }
    : { connections: [], problems };
};

const toProblems = (issue: z.core.$ZodIssue, input: unknown, place: string): readonly Problem[] =>
  issue.code === 'unrecognized_keys'
    ? issue.keys.map((key) =>
        problem(
          `${place}${jsonPointer([...issue.path, ...(isFieldLike(key) ? [key] : [])])}`,
          IS_SECRET.test(key)
            ? 'no secret in a setting: store it in the vault, and give its name as secretName'
            : `only the fields ${FIELDS.join(', ')}`,
          'another field',
        ),
      )
    : [problem(`${place}${jsonPointer(issue.path)}`, issue.message, describe(valueAt(input, issue.path)))];

/** A name in the vault that this credential does not use: somebody meant another credential. */
const namesOfOthers = (
  { credential, secretName, certificateName }: z.output<typeof fields>,
  place: string,
): readonly Problem[] => [
  ...(secretName !== undefined && credential !== 'client-secret'
    ? [problem(`${place}/secretName`, `no secretName with the credential ${credential}`, 'a name')]
    : []),
  ...(certificateName !== undefined && credential !== 'certificate'
    ? [problem(`${place}/certificateName`, `no certificateName with the credential ${credential}`, 'a name')]
    : []),
];

/** Reads a list of connections, which is the value of this setting. */
export const readConnections = (input: unknown, setting: string): ReadConnections => {
  const only = (expected: string, received: string): ReadConnections => ({
    connections: [],
    problems: [problem(setting, expected, received)],
  });
  if (!Array.isArray(input)) return only('a list of connections', describe(input));
  if (input.length > MAX_CONNECTIONS)
    return only(`at most ${MAX_CONNECTIONS} connections`, `${input.length}`);
  const read = input.map((one, index) => readConnection(one, `${setting}/${index}`));
  return {
    connections: read.flatMap(({ connections }) => connections),
    problems: read.flatMap(({ problems }) => problems),
  };
};

/** A domain and its ASCII form are the same (RFC 5890): mail finds the same mailbox by both. */
const claimOf = (sender: string): string => {
  const key = addressKey(sender);
  const at = key.lastIndexOf('@') + 1;
  const [box, domain] = [key.slice(0, at), key.slice(at)];
  return URL.canParse(`https://${domain}`) ? `${box}${new URL(`https://${domain}`).hostname}` : key;
};

/** What two connections both claim: a name, or a sender. Nobody knows then by which of them an email would go. */
export const findClaimedTwice = (declared: readonly DeclaredConnection[]): readonly Problem[] => {
  const owners = new Map<string, DeclaredConnection>();
  return declared.flatMap((one) =>
    [
      ['/name', `name ${one.name}`] as const,
      ...one.senders.map((sender, at) => [`/senders/${at}`, claimOf(sender)] as const),
    ].flatMap(([pointer, claim]) => {
      const owner = owners.get(claim);
      owners.set(claim, owner ?? one);
      if (owner === undefined) return [];
      return [
        problem(
          `${one.place}${pointer}`,
          'a name and senders that no other connection has, and each sender once',
          `the same as at ${owner.place}`,
        ),
      ];
    }),
  );
};
