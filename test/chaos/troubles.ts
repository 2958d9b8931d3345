import type { Incident } from './plan.ts';
import type { SeenOperation } from './storage-operations.ts';
import type { Passage } from './storage-proxy.ts';

type Armed = { readonly incident: Incident; left: number };

/** Incidents that lie in wait, and what they did. */
export type Troubles = {
  readonly arm: (incident: Incident) => void;
  /** Called for every operation of an instance before it reaches storage. */
  readonly decide: (seen: SeenOperation, kill: () => void) => Passage;
  /** What is due once Graph has accepted a mail and not yet answered. */
  readonly takeKillAtAccept: () => boolean;
  /** How often each kind happened. */
  readonly counts: () => ReadonlyMap<string, number>;
  /** From here on all goes well. */
  readonly end: () => void;
};

export const makeTroubles = (note: (what: string, mailId?: string) => void): Troubles => {
  let armed: Armed[] = [];
  const counts = new Map<string, number>();

  const strike = (one: Armed, name: string, mailId?: string): void => {
    one.left -= 1;
    armed = armed.filter(({ left }) => left > 0);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    note(name, mailId);
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
        if (incident.kind === 'storage' && incident.at === operation) {
          strike(one, `storage: ${incident.fate} "${operation}"`, mailId);
          if (incident.fate === 'busy') return { before: 'busy' };
          return incident.fate === 'reset before' ? { before: 'cut' } : { after: 'cut' };
        }
        if (incident.kind === 'kill' && incident.at === operation) {
          strike(one, `kill -9 ${incident.when} "${operation}"`, mailId);
          if (incident.when === 'before') {
            kill();
            return { before: 'cut' };
          }
          return { after: incident.when === 'after' ? 'kill' : 'kill soon' };
        }
      }
      return {};
    },
    takeKillAtAccept: () => {
      const one = armed.find(({ incident }) => incident.kind === 'kill' && incident.at === 'accept');
      if (one === undefined) return false;
      strike(one, 'kill -9 after Graph accepted, before it answered');
      return true;
    },
    counts: () => counts,
    end: () => {
      armed = [];
    },
  };
};
