import { defined } from '../defined.ts';
import type { Ports } from '../ports.ts';
import type { GraphCall } from './graph-call.ts';
import { pathOfMailbox } from './mailbox-path.ts';
import { reportCall } from './report-call.ts';

/** Sends mail by `POST /users/{mailbox}/sendMail` and reports what was observed. */
export const openGraphMail =
  (call: GraphCall): Ports['mailboxes']['send'] =>
  ({ mailbox, contentType, body }, mayBegin) =>
    reportCall(call, {
      method: 'POST',
      path: `${pathOfMailbox(mailbox)}/sendMail`,
      contentType,
      body,
      ...defined({ mayBegin }),
    });
