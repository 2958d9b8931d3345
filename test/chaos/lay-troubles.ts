import type { Cloud } from '../../local/cloud.ts';
import type { PlannedMail } from './plan.ts';
import type { Troubles } from './troubles.ts';

/** Lays the troubles that come with a mail: some wait for itself, some for whichever comes first. */
export const arm = (
  cloud: Cloud,
  troubles: Troubles,
  { mailbox, graphFaults, incident }: PlannedMail,
): void => {
  for (const { fault, draftCall } of graphFaults)
    for (const on of ['sendMail', draftCall] as const) cloud.graph.faults.add({ on, mailbox, fault });
  if (incident?.kind === 'entra' || incident?.kind === 'key vault') {
    const { faults } = incident.kind === 'entra' ? cloud.entra : cloud.keyVault;
    const { times } = incident;
    faults.add(incident.fault === 'reset' ? { reset: true, times } : { status: 503, retryAfter: 1, times });
  } else if (incident !== undefined) troubles.arm(incident);
};

/** From here on all goes well. */
export const disarm = (cloud: Cloud, troubles: Troubles): void => {
  troubles.end();
  cloud.graph.faults.clear();
  cloud.entra.faults.clear();
  cloud.keyVault.faults.clear();
};

/** Requests to send that Graph got, and those that it refused because their mailbox had no room; no fault took these. */
export const countLimited = ({ graph }: Cloud): { readonly requests: number; readonly refused: number } => {
  const sends = graph.requests
    .list()
    .filter(({ path, method }) => method === 'POST' && /\/send(Mail)?$/.test(path));
  const refused = sends.filter(({ status, fault }) => status === 429 && fault === null);
  return { requests: sends.length, refused: refused.length };
};

/** What struck in storage and in processes, and which faults of Graph were used up, by their names. */
export const countTroubles = (
  cloud: Cloud,
  troubles: Troubles,
  plans: readonly PlannedMail[],
): ReadonlyMap<string, number> => {
  const counts = new Map(troubles.counts());
  const rules = cloud.graph.faults.list();
  const names = plans.flatMap(({ graphFaults }) =>
    graphFaults.flatMap(({ name, draftCall }) =>
      ['sendMail', draftCall].map((call) => `Graph, ${call}: ${name}`),
    ),
  );
  names.forEach((name, index) => {
    const fired = rules[index]?.fired ?? 0;
    if (fired > 0) counts.set(name, (counts.get(name) ?? 0) + fired);
  });
  for (const { incident } of plans) {
    if (incident?.kind !== 'entra' && incident?.kind !== 'key vault') continue;
    const name = `${incident.kind}: ${incident.fault}, laid`;
    counts.set(name, (counts.get(name) ?? 0) + incident.times);
  }
  return counts;
};
