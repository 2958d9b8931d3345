import { BUILT_IN, FUNCTION_KEYS, QUEUE } from './known-callers.ts';

const MIN_NAME = 2;
const MAX_NAME = 40;
/** A caller can have the queue `mail-<name>`, so a name is made as names of queues are (Naming queues and metadata). */
const FORM = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
/** What the relay has as `mail-...` itself, or means itself by. */
const RESERVED = ['relay', 'poison', 'events', 'payloads', 'held', 'attachments', 'captured'];

const EXPECTED = `${MIN_NAME} to ${MAX_NAME} lower-case letters, digits and single dashes, beginning with a letter, such as payroll`;

/** What was expected instead, where a text is not the name of a caller. */
export const callerNameFault = (name: string): string | undefined => {
  if (name.length < MIN_NAME || name.length > MAX_NAME || !FORM.test(name)) return EXPECTED;
  if (name.endsWith('-poison')) return 'a name that does not end in -poison, as queues of the host do';
  return RESERVED.includes(name)
    ? `a name that the relay does not use itself: ${RESERVED.join(', ')}`
    : undefined;
};

/** Whether it exists without being declared: it can be limited and disabled, and nothing else. */
export const isBuiltIn = (name: string): boolean => BUILT_IN.includes(name);

/** Who a caller is that exists without being declared. */
export const MEANING: Readonly<Record<string, string>> = {
  [FUNCTION_KEYS]: 'every function key that belongs to no other caller',
  [QUEUE]: 'everyone who can write to the queue mail',
};
