import type { HeartbeatName, Heartbeats } from '../../src/lib/ports.ts';

/** Heartbeats in memory. */
export const makeFakeHeartbeats = (): Heartbeats => {
  const times = new Map<HeartbeatName, Date>();
  return {
    read: async (name) => times.get(name),
    note: async (name, endedAt) => void times.set(name, endedAt),
  };
};
