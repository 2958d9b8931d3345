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
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DOMAIN = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i;
/** Names of secrets and certificates in a vault. */
const VAULT_OBJECT = /^[0-9a-z-]{1,127}$/i;
const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const MAX_NAME = 40;

const textOf = (isRight: (text: string) => boolean, expected: string) =>
  z.custom<string>((value) => typeof value === 'string' && isRight(value), expected);
const oneOf = <const Word extends string>(words: readonly Word[]) =>
  z.custom<Word>((value) => words.includes(value as Word), `one of ${words.join(', ')}`);
const vaultObject = textOf((text) => VAULT_OBJECT.test(text), '1 to 127 letters, digits and dashes');

const fields = z.strictObject(
  {
    name: textOf(
      (text) => NAME.test(text) && text.length <= MAX_NAME && text !== MAIN_CONNECTION,
      `1 to ${MAX_NAME} lower-case letters, digits and single dashes, beginning with a letter, such as fabrikam; not ${MAIN_CONNECTION}`,
    ),
    senders: z
      .array(textOf(isAddressPattern, 'an address, or *@domain for every address of a domain'), {
        error: 'a list',
      })
      .min(1, { error: 'at least one sender' })
      .max(MAX_SENDERS, { error: `at most ${MAX_SENDERS} senders` }),
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
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'an object') },
);

/** A connection as settings describe it, beside the main one. */
export type ConnectionDefinition = Readonly<z.output<typeof fields>>;

const FIELDS = Object.keys(fields.shape);

type Read = {
  readonly definitions: readonly ConnectionDefinition[];
  readonly problems: readonly Problem[];
};

const problem = (pointer: string, expected: string, received: string): Problem => ({
  code: 'SETTINGS_INVALID',
  pointer,
  expected,
  received,
});

/** Reads the JSON of one connection. Values are in no problem. */
export const readConnection = (input: unknown): Read => {
  const { data, error } = fields.safeParse(input);
  if (error === undefined) return { definitions: [data], problems: [] };
  return {
    definitions: [],
    problems: error.issues.map((issue) =>
      issue.code === 'unrecognized_keys'
        ? problem(jsonPointer(issue.path), `only the fields ${FIELDS.join(', ')}`, 'another field')
        : problem(jsonPointer(issue.path), issue.message, describe(valueAt(input, issue.path))),
    ),
  };
};

/** Reads a list of connections. */
export const readConnections = (input: unknown): Read => {
  if (!Array.isArray(input))
    return { definitions: [], problems: [problem('', 'a list of connections', describe(input))] };
  if (input.length > MAX_CONNECTIONS)
    return {
      definitions: [],
      problems: [problem('', `at most ${MAX_CONNECTIONS} connections`, `${input.length}`)],
    };
  const read = input.map(readConnection);
  return {
    definitions: read.flatMap(({ definitions }) => definitions),
    problems: read.flatMap(({ problems }, index) =>
      problems.map((one) => ({ ...one, pointer: `/${index}${one.pointer}` })),
    ),
  };
};

/** What two connections both claim: a name, or a sender. Gives the claims of those that come second, by their place in the list. */
export const findClaimedTwice = (
  definitions: readonly Pick<ConnectionDefinition, 'name' | 'senders'>[],
): readonly { readonly index: number; readonly pointer: string; readonly owner: string }[] => {
  const owners = new Map<string, string>();
  return definitions.flatMap(({ name, senders }, index) =>
    [
      ['/name', `name ${name}`] as const,
      ...senders.map((sender, at) => [`/senders/${at}`, addressKey(sender)] as const),
    ].flatMap(([pointer, claim]) => {
      const owner = owners.get(claim);
      owners.set(claim, owner ?? name);
      return owner === undefined ? [] : [{ index, pointer, owner }];
    }),
  );
};
