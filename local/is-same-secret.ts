import { timingSafeEqual } from 'node:crypto';

/** Takes as long for a nearly right secret as for a wrong one. */
export const isSameSecret = (left: string, right: string): boolean => {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
};
