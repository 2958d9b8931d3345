import { callerNameFault, isBuiltIn } from './caller-name.ts';
import { BUILT_IN } from './known-callers.ts';

/** These are callers too, and their emails come by other ways. */
const TAKEN = BUILT_IN.join(', ');

/** What a list of callers with a queue of their own can have, in words. */
export const EXPECTED_CALLER_QUEUES = `names of callers separated by commas, which are 2 to 40 lower-case letters, digits and single dashes, beginning with a letter, and none of ${TAKEN} or of the queues of the relay`;

/** Whether a caller of this name can have a queue of its own: \`mail-\` and \`-poison\` leave room for every name of a caller. */
export const canHaveQueue = (name: string): boolean =>
  callerNameFault(name) === undefined && !isBuiltIn(name);

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
