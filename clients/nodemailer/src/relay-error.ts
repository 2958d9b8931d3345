import type { GraphMailRelayError } from '../index.d.ts';

type Facts = Omit<GraphMailRelayError, 'name' | 'message' | 'stack' | 'cause'>;

/** An error as nodemailer has them: a text for people, and facts for programs. Neither has an address or a key of the relay. */
export const relayError = (message: string, facts: Facts, cause?: unknown): GraphMailRelayError =>
  Object.assign(new Error(message, cause === undefined ? {} : { cause }), facts);
