import { stopName } from './outages.ts';
import type { Incident, MessageFate } from './plan.ts';
import type { SeenOperation } from './storage-operations.ts';
import type { Killed, Passage } from './storage-proxy.ts';

type Armed = { readonly incident: Incident; left: number };

/** What is to be done to a message on the queue, once it is there. */
export type MessageOrder = { readonly message?: { readonly fate: MessageFate; readonly ms: number } };

/** Incidents that lie in wait, and what they did. */
export type Troubles = {
  readonly arm: (incident: Incident) => void;
  /** Called for every operation of an instance before it reaches storage. */
  readonly decide: (seen: SeenOperation, kill: (whom: Killed) => void) => Passage & MessageOrder;
  /** Whom to kill once Graph has accepted a mail and not yet answered. */
  readonly takeKillAtAccept: () => Killed | undefined;
  /** Counts what happened by itself. */
  readonly count: (name: string, mailId?: string) => void;
  /** How often each kind happened. */
  readonly counts: () => ReadonlyMap<string, number>;
  /** From here on all goes well. */
  readonly end: () => void;
};

export const makeTroubles = (note: (what: string, mailId?: string) => void): Troubles => {
  let armed: Armed[] = [];
  const counts = new Map<string, number>();

  const count = (name: string, mailId?: string): void => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    note(name, mailId);
  };
  const strike = (one: Armed, name: string, mailId?: string): void => {
    one.left -= 1;
    armed = armed.filter(({ left }) => left > 0);
    count(name, mailId);
  };

  return {
    arm: (incident) => {
      const left = incident.kind === 'storage' ? incident.times : 1;
      armed = [...armed, { incident, left }];
    },
    decide: ({ operation, row }, kill) => {
      const mailId = row?.facts.mailId;
      for (const one of armed) {
        const { incident } = one;
        if (!('at' in incident) || incident.at !== operation) continue;
        switch (incident.kind) {
          case 'storage':
            strike(one, `storage: ${incident.fate} "${operation}"`, mailId);
            if (incident.fate === 'busy') return { before: 'busy' };
            return incident.fate === 'reset before' ? { before: 'cut' } : { after: 'cut' };
          case 'kill': {
            const { whom, when } = incident;
            strike(one, `kill -9 of the ${whom}, ${when} "${operation}"`, mailId);
            if (when === 'before') {
              kill(whom);
              return { before: 'cut' };
            }
            return { after: when === 'after' ? 'kill' : 'kill soon', whom };
          }
          case 'stop':
            strike(one, `${stopName(incident.ms)}, after "${operation}"`, mailId);
            return { after: 'stop', stopMs: incident.ms };
          case 'message':
            strike(one, `queue: message ${incident.fate}`, mailId);
            return { message: incident };
        }
      }
      return {};
    },
    takeKillAtAccept: () => {
      for (const one of armed) {
        const { incident } = one;
        if (incident.kind !== 'kill' || incident.at !== 'accept') continue;
        strike(one, `kill -9 of the ${incident.whom}, after Graph accepted, before it answered`);
        return incident.whom;
      }
      return undefined;
    },
    count,
    counts: () => counts,
    end: () => {
      armed = [];
    },
  };
};
