import { isNamedConnection } from './connections.ts';

/** What our settings begin with. `AZURE_` and `AzureWebJobs` are others' too. */
const PREFIXES = [
  'MAIL_',
  'GRAPH_',
  'ENTRA_',
  'KEY_VAULT_',
  'CLIENT_SECRET_',
  'CLIENT_CERTIFICATE_',
  'SECRET_WARNING_',
  'SECRET_ROTATION',
];

/** So much of a name may differ, in one place. */
const SLIP = 2;
/** The beginning of a name that is cut off says as much. */
const SHORTEST_BEGINNING = 8;

export type UnknownSetting = {
  readonly name: string;
  readonly nearest: string;
  /** So near to a setting that nothing else can be meant. */
  readonly isSlip: boolean;
};

/** Names in the environment that begin as our settings do and are none. */
export const findUnknown = (
  environment: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): readonly UnknownSetting[] =>
  Object.keys(environment)
    .filter(
      (name) =>
        PREFIXES.some((prefix) => name.toUpperCase().startsWith(prefix)) ||
        isMeantForConnection(name.toUpperCase()),
    )
    .filter((name) => !known.includes(name) && !isNamedConnection(name))
    .map((name) => {
      const written = name.toUpperCase();
      const [nearest = ''] = known.toSorted(
        // Of two that share as much, the shorter one has less that differs.
        (one, other) => inCommon(written, other) - inCommon(written, one) || one.length - other.length,
      );
      const differs = Math.max(written.length, nearest.length) - inCommon(written, nearest);
      const isBeginning = written.length >= SHORTEST_BEGINNING && nearest.startsWith(written);
      if (differs <= SLIP || isBeginning) return { name, nearest, isSlip: true };
      return isMeantForConnection(written)
        ? { name, nearest: CONNECTION, isSlip: true }
        : { name, nearest, isSlip: false };
    });

/** The name of a setting for one connection, as documents show it. */
const CONNECTION = 'GRAPH_CONNECTION_<NAME>';
const PREFIX = 'GRAPH_CONNECTION';

/**
 * Whether a name was meant for one connection: it begins as such a name does, up to a slip. Ignored, its senders would be sent for by
 * another connection.
 */
const isMeantForConnection = (written: string): boolean => {
  for (let end = PREFIX.length - SLIP; end <= PREFIX.length + SLIP; end += 1)
    if (written.length >= end && slipsBetween(written.slice(0, end), PREFIX) <= SLIP) return true;
  return false;
};

/** How many letters are to be added, left out or replaced until one text is the other (Levenshtein). */
const slipsBetween = (one: string, other: string): number => {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...one].entries()) {
    const next = [row + 1];
    for (const [column, wanted] of [...other].entries())
      next.push(
        Math.min(
          (above[column] ?? 0) + (letter === wanted ? 0 : 1),
          (above[column + 1] ?? 0) + 1,
          (next[column] ?? 0) + 1,
        ),
      );
    above = next;
  }
  return above.at(-1) ?? 0;
};

/** How many characters two names share at their beginning and at their end. */
const inCommon = (one: string, other: string): number => {
  const most = Math.min(one.length, other.length);
  let begin = 0;
  while (begin < most && one[begin] === other[begin]) begin += 1;
  let end = 0;
  while (end < most - begin && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  return begin + end;
};
