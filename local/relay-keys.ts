import { randomBytes } from 'node:crypto';
import type { HostKeys } from './functions-host/http-keys.ts';

/** Of a machine of one's own: fixed, so that the examples in the documentation work as they stand. */
const KNOWN: HostKeys = { functionKey: 'local-function-key', masterKey: 'local-master-key' };
const BYTES = 24;

/** The keys of one start. Where mails are real, nobody else may know them. */
export const chooseRelayKeys = ({ mailsAreReal }: { readonly mailsAreReal: boolean }): HostKeys =>
  mailsAreReal ? { functionKey: newKey(), masterKey: newKey() } : KNOWN;

const newKey = (): string => randomBytes(BYTES).toString('base64url');
