import type { Ports } from '../ports.ts';
import { type ConnectionGate, endedAs, type Origin } from '../sending/connection-gate.ts';

export type GateNeeds = Pick<Ports, 'mailboxes' | 'clock' | 'random'> & {
  /** Absent where there is one connection. */
  readonly gate?: ConnectionGate;
};

type Passed =
  /** `leave` says what came of the request, where one was made. */
  | { readonly kind: 'go'; readonly leave: (ended?: Parameters<typeof endedAs>[0]) => void }
  | { readonly kind: 'wait'; readonly waitMs: number };

/** Asks whether a connection has room for one more request for a mailbox. Those that wait come back spread. */
export const passGate = (
  { gate, mailboxes, clock, random }: GateNeeds,
  mailbox: string,
  origin: Origin,
  connection?: string,
): Passed => {
  if (gate === undefined) return { kind: 'go', leave: () => undefined };
  const startedAt = clock.now();
  const passage = gate.enter(connection ?? mailboxes.routeOf(mailbox).connection, mailbox, origin, startedAt);
  if (passage.kind === 'wait') return { kind: 'wait', waitMs: Math.ceil(passage.waitMs * (1 + random())) };
  return {
    kind: 'go',
    leave: (ended) => {
      const now = clock.now();
      const tookMs = now.getTime() - startedAt.getTime();
      passage.leave(ended === undefined ? 'not asked' : endedAs(ended, tookMs), now);
    },
  };
};
