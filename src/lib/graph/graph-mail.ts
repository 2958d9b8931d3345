import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports.ts';
import type { SendReport } from '../sending/send-outcome.ts';
import { TokenError } from '../vault/entra-token.ts';
import type { GraphCall } from './graph-call.ts';
import { pathOfMailbox } from './mailbox-path.ts';

/** Sends mail by `POST /users/{mailbox}/sendMail` and reports what was observed. */
export const openGraphMail =
  (call: GraphCall): Ports['mailboxes']['send'] =>
  async ({ mailbox, contentType, body }) => {
    try {
      return await call({ method: 'POST', path: `${pathOfMailbox(mailbox)}/sendMail`, contentType, body });
    } catch (thrown) {
      return noToken(thrown);
    }
  };

const noToken = (thrown: unknown): SendReport => {
  if (!(thrown instanceof AppError)) throw thrown;
  const retryAfter = thrown instanceof TokenError ? thrown.retryAfter : undefined;
  const { upstreamCode } = thrown.facts;
  return {
    kind: 'no-token',
    code: thrown.code,
    ...defined({ upstreamCode, retryAfter }),
  };
};
