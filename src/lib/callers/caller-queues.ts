import { BUILT_IN } from './known-callers.ts';

/** Queues of the relay itself: `mail-events`, and `mail-poison` for what the host gave up on. */
const TAKEN: readonly string[] = [...BUILT_IN, 'events', 'poison'];

/**
 * The name of a queue has 63 characters at most, of which `mail-` and `-poison` take 12: lower-case letters, digits and single dashes
 * (https://learn.microsoft.com/rest/api/storageservices/naming-queues-and-metadata).
 */
const LONGEST = 51;
const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** What a list of callers with a queue of their own can have, in words. */
export const EXPECTED_CALLER_QUEUES = `names of callers separated by commas: lower-case letters, digits and single dashes, at most ${LONGEST} characters, none of ${TAKEN.join(', ')}, and none that ends in -poison`;

/** Whether a caller of this name can have a queue of its own. */
export const canHaveQueue = (name: string): boolean =>
  name.length <= LONGEST && NAME.test(name) && !TAKEN.includes(name) && !name.endsWith('-poison');

/** The names in a list that can have a queue, each once; `isValid` says whether all of them can. */
export const readCallerQueues = (
  text: string,
): { readonly names: readonly string[]; readonly isValid: boolean } => {
  const given = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return { names: [...new Set(given.filter(canHaveQueue))], isValid: given.every(canHaveQueue) };
};

/**
 * What the names of this caller's functions end in. Dashes become underscores, of which names of callers have none: the setting that
 * disables a function has its name in it, and the name of an environment variable can have no dash on Linux.
 */
export const functionSuffixOf = (caller: string): string => `_${caller.replaceAll('-', '_')}`;
