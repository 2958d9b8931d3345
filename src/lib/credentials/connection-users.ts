import type { CallerRules } from '../callers/caller.ts';
import { BUILT_IN, type KnownCallers } from '../callers/known-callers.ts';
import { type Connection, connectionOf } from '../connections/connection.ts';
import { matchesAny } from '../mail/address-pattern.ts';
import { isAllowedSender, type SenderPolicy } from '../mail/sender-policy.ts';

/** A connection, and who sends no more when its credential fails. */
export type ConnectionUse = {
  readonly connection: Connection;
  /** Addresses, or `*@domain`. */
  readonly senders: readonly string[];
  /** Names of callers that can send as one of these. */
  readonly callers: readonly string[];
};

type Connections = readonly [Connection, ...Connection[]];

/** An address of a domain that no connection names by itself. */
const anyOf = (pattern: string): string => pattern.replace(/^\*@/, 'any-other-sender@');

/** Whether some of what a pattern of senders allows goes by this connection. */
const mayGoBy = (connections: Connections, { name, senders }: Connection, pattern: string): boolean =>
  connectionOf(connections, anyOf(pattern)).name === name ||
  senders.some((sender) => matchesAny([pattern], sender));

const patternsOf = ({ senders }: CallerRules, policy: SenderPolicy): readonly string[] =>
  senders === undefined
    ? [policy.defaultSender.address, ...policy.allowedSenders]
    : senders.filter((one) => one.startsWith('*@') || isAllowedSender(policy, one));

/** Who uses each connection. What callers may do is decided by their rules and by the settings together. */
export const usersOf = (
  connections: Connections,
  policy: SenderPolicy | undefined,
  { declared }: Pick<KnownCallers, 'declared'>,
): readonly ConnectionUse[] => {
  if (policy === undefined)
    return connections.map((connection) => ({ connection, senders: connection.senders, callers: [] }));
  const everySender = [policy.defaultSender.address, ...policy.allowedSenders];
  const undeclared = BUILT_IN.filter((name) => !declared.some((one) => one.name === name));
  const callers = [
    ...declared.filter(({ rules }) => !rules.isDisabled),
    ...undeclared.map((name) => ({ name, rules: undefined })),
  ].map(({ name, rules }) => ({
    name,
    patterns: rules === undefined ? everySender : patternsOf(rules, policy),
  }));
  return connections.map((connection) => ({
    connection,
    senders:
      connection === connections[0]
        ? [...new Set(everySender)].filter(
            (one) => connectionOf(connections, anyOf(one)).name === connection.name,
          )
        : connection.senders,
    callers: callers
      .filter(({ patterns }) => patterns.some((one) => mayGoBy(connections, connection, one)))
      .map(({ name }) => name),
  }));
};
