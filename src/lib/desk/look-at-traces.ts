import { routeOf } from '../connections/route.ts';
import type { Reason } from '../errors.ts';
import type { Ports } from '../ports.ts';
import type { ProvableConnection } from './run-doctor.ts';
import { askTrace } from './trace-request.ts';

const MINUTE_MS = 60_000;
/** The Message-ID of no email: the answer is as small as it can be. */
const NO_MESSAGE = '<doctor@graph-mail-relay.invalid>';

/** Why a connection cannot read message traces; undefined where it can. It costs one request, which counts as every other. */
export const lookAtTrace = async (
  needs: Pick<Ports, 'traces' | 'traceUses' | 'clock'>,
  { connection }: Pick<ProvableConnection, 'connection'>,
): Promise<Reason | undefined> => {
  const route = routeOf(connection);
  // Of several connections to the tenant, the one that this one's senders go by.
  const [mailbox = ''] = connection.senders.map((sender) => sender.replace(/^\*@/, 'any@'));
  const reached = needs.traces.reach(mailbox, route);
  if (reached.kind === 'failed') return reached.reason;
  const now = needs.clock.now().getTime();
  const query = {
    by: 'message-id',
    messageId: NO_MESSAGE,
    from: new Date(now - 2 * MINUTE_MS),
    to: new Date(now - MINUTE_MS),
  } as const;
  const answer = await askTrace(needs, reached.tenant, 'operator', () =>
    needs.traces.list(query, mailbox, route),
  );
  return answer.kind === 'not-asked' ? answer.reason : undefined;
};
