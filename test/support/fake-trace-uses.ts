import { NO_TRACE_USE, type TraceUse } from '../../src/lib/ledger/trace-use.ts';
import type { TraceUses } from '../../src/lib/ports.ts';

type Synchronous<Call> = Call extends (...inputs: infer Inputs) => Promise<infer Value>
  ? (...inputs: Inputs) => Value
  : never;

/** Uses of message traces in memory, with versions and the clock of storage. Each call is one indivisible step. */
export type FakeTraceUses = { readonly [Name in keyof TraceUses]: Synchronous<TraceUses[Name]> };

export const makeFakeTraceUses = (now: () => Date | undefined): FakeTraceUses => {
  const kept = new Map<string, { readonly use: string; readonly version: number }>();
  return {
    read: (tenant) => {
      const found = kept.get(tenant);
      const time = now();
      return {
        use: found === undefined ? NO_TRACE_USE : (JSON.parse(found.use) as TraceUse),
        ...(found && { etag: String(found.version) }),
        ...(time && { now: time }),
      };
    },
    write: (tenant, use, etag) => {
      const found = kept.get(tenant);
      if (found?.version.toString() !== etag) return false;
      kept.set(tenant, { use: JSON.stringify(use), version: (found?.version ?? 0) + 1 });
      return true;
    },
  };
};

/** The fake decides at once; the port promises. */
export const asTraceUses = (fake: FakeTraceUses): TraceUses => ({
  read: async (...which) => fake.read(...which),
  write: async (...which) => fake.write(...which),
});
