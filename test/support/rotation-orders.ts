/** What happens when a client secret is rotated. */
export const ROTATION_STEPS = {
  made: 'Entra gets the new secret',
  usable: 'it becomes usable',
  stored: 'the vault gets it',
  disabled: 'the old version is disabled',
  removed: 'the old secret is removed from Entra',
} as const;

export type RotationStep = keyof typeof ROTATION_STEPS;

/**
 * At any time one secret in the vault works, so the old one goes after the new one is usable and in the vault. Everything else can
 * come in any order.
 */
const NEEDS: Readonly<Record<RotationStep, readonly RotationStep[]>> = {
  made: [],
  usable: ['made'],
  stored: [],
  disabled: ['usable', 'stored'],
  removed: ['usable', 'stored'],
};

/** Every order in which each step comes after those that it needs. */
export const rotationOrders = (done: readonly RotationStep[] = []): readonly (readonly RotationStep[])[] => {
  const left = (Object.keys(ROTATION_STEPS) as RotationStep[]).filter((step) => !done.includes(step));
  if (left.length === 0) return [done];
  return left
    .filter((step) => NEEDS[step].every((needed) => done.includes(needed)))
    .flatMap((step) => rotationOrders([...done, step]));
};
