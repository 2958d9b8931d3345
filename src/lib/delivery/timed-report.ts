import type { Ports } from '../ports.ts';
import type { SendReport } from '../sending/send-outcome.ts';

/** The report of a request, with how long that took. */
export const timedReport = async (
  { clock }: Pick<Ports, 'clock'>,
  request: () => Promise<SendReport>,
): Promise<SendReport> => {
  const begunAt = clock.now().getTime();
  const report = await request();
  // A clock that is set back says nothing.
  return { ...report, tookMs: Math.max(0, clock.now().getTime() - begunAt) };
};
