import { countedFamilies, type Family, sampledFamilies } from '../metrics/families.ts';
import type { Ports } from '../ports.ts';

export type MetricsNeeds = Pick<Ports, 'counts' | 'samples' | 'readIdentity' | 'clock'>;

/**
 * What all instances have counted, and the newest sample, by instrument. A mailbox has a tag in place of its address: a scraper keeps what
 * it reads for longer, and shows it to more people. Throws STORAGE_UNAVAILABLE.
 */
export const readMetrics = async (needs: MetricsNeeds): Promise<readonly Family[]> => {
  const [{ tally }, sample, { hashOfAddress }] = await Promise.all([
    needs.counts.read(),
    needs.samples.newest(),
    needs.readIdentity(),
  ]);
  return [...countedFamilies(tally), ...sampledFamilies(sample, hashOfAddress, needs.clock.now())];
};
