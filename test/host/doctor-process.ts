import { toDoctorText } from '../../src/lib/desk/doctor-text.ts';
import { type LogEvent, levelOf } from '../../src/lib/log.ts';
import { openRelay } from '../../src/relay.ts';

/** What the doctor is asked for: a relay with further settings, by a clock that can be wrong. */
export type Visit = { readonly settings: Readonly<Record<string, string>>; readonly aheadMs: number };
export type Diagnosis = {
  readonly said: string;
  readonly events: readonly LogEvent[];
};

// Of its own process, as the certificates of stand-ins are trusted from the start of a process on.
const examine = async ({ settings, aheadMs }: Visit): Promise<Diagnosis> => {
  const relay = openRelay(
    { ...process.env, ...settings },
    {
      now: () => new Date(Date.now() + aheadMs),
      steadyNow: () => new Date(Date.now() + aheadMs),
      random: Math.random,
      // The end of the doctor's time comes late: a machine that runs many tests is slow, and this is not about that.
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms > 5000 ? 50_000 : ms)),
      later: () => undefined,
      memoryBytes: 2_000_000_000,
      version: '1.0.0',
    },
    300,
  );
  const events: LogEvent[] = [];
  const report = await relay.runDoctor((event) => {
    // What is only counted is no line of the log.
    if (levelOf(event) !== 'counted') events.push(event);
  });
  return { said: toDoctorText(report), events };
};

process.on('message', async (visit: Visit) => {
  process.send?.(await examine(visit));
});
