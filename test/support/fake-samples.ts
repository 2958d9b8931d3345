import type { RelaySample } from '../../src/lib/metrics/relay-sample.ts';
import type { Samples } from '../../src/lib/ports.ts';

const DAY_MS = 86_400_000;

/** Samples in memory. */
export const makeFakeSamples = (): Samples & { readonly all: () => readonly RelaySample[] } => {
  const kept = new Map<string, RelaySample>();
  const all = () => [...kept.values()].toSorted((one, other) => (one.at > other.at ? -1 : 1));
  return {
    all,
    lastDay: async (now) =>
      all()
        .filter(({ at }) => Date.parse(at) <= now.getTime() && Date.parse(at) >= now.getTime() - DAY_MS)
        .map(({ mailboxes: _, ...sample }) => sample),
    newest: async () => all()[0],
    write: async (sample) => void kept.set(sample.at, sample),
    expire: async (before) => {
      for (const [at] of kept) if (Date.parse(at) < before.getTime()) kept.delete(at);
    },
  };
};
