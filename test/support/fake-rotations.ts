import type { RotationEntry, RotationState, Rotations } from '../../src/lib/ports.ts';

/** States of rotation in memory, with versions. Each call is one indivisible step; a caller decides when it happens. */
export type FakeRotations = {
  readonly read: (connection: string) => RotationEntry;
  readonly write: (connection: string, state: RotationState, etag: string | undefined) => string | undefined;
};

export const makeFakeRotations = (): FakeRotations => {
  const entries = new Map<string, RotationEntry>();
  let version = 0;
  return {
    read: (connection) => entries.get(connection) ?? {},
    write: (connection, state, etag) => {
      if (entries.get(connection)?.etag !== etag) return undefined;
      version += 1;
      const written = `"${version}"`;
      entries.set(connection, { state, etag: written });
      return written;
    },
  };
};

/** The fake decides at once; the port promises. */
export const asRotations = (fake: FakeRotations): Rotations => ({
  read: async (...which) => fake.read(...which),
  write: async (...which) => fake.write(...which),
});
