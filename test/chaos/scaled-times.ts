/** A time of the platform or of the relay, in seconds: what it is in Azure, and what it is in a run. */
type ScaledTime = { readonly what: string; readonly azure: number; readonly run: number };

/**
 * A run would take days with the times of Azure. They keep their order and about their ratios, or the relay could not keep its promises: an
 * invocation ends before its attempt counts as lost, clocks differ by less than what lies between the two, and a copy shows before its
 * absence counts. Nearly all are 25 times shorter; where one is shorter than that, there is less room for the relay.
 */
export const TIMES = {
  functionTimeout: { what: 'functionTimeout of host.json', azure: 300, run: 12 },
  sendingLimit: { what: 'MAIL_SENDING_LIMIT_SECONDS', azure: 360, run: 15 },
  verify: { what: 'MAIL_VERIFY_SECONDS', azure: 900, run: 9 },
  graphTimeout: { what: 'GRAPH_TIMEOUT_SECONDS', azure: 60, run: 1 },
  /** Fixed in the extension of queues. */
  lease: { what: 'a message is hidden after its host was killed', azure: 600, run: 24 },
  released: { what: 'a message is hidden after its worker was killed', azure: 30, run: 1 },
  /** Observed of the host of Microsoft, as are the two above. */
  terminated: { what: 'a host takes messages after SIGTERM', azure: 42, run: 1.7 },
  restarted: { what: 'the worker is ended after functionTimeout', azure: 2, run: 0.1 },
  clock: { what: 'a clock is wrong by, either way', azure: 60, run: 2.4 },
} as const satisfies Record<string, ScaledTime>;

const hhmmss = (seconds: number): string => `00:00:${String(seconds).padStart(2, '0')}`;

export const FUNCTION_TIMEOUT = hhmmss(TIMES.functionTimeout.run);

/**
 * One instance has a host that ends functions before the relay gives up on Graph, as where an app setting overrides host.json and the relay
 * cannot know. There, a request that hangs runs into functionTimeout.
 */
export const HASTY = {
  /** As the relay knows it. */
  functionTimeout: hhmmss(49),
  /** As the host has it. */
  ofHost: hhmmss(5),
  settings: { GRAPH_TIMEOUT_SECONDS: '6', MAIL_SENDING_LIMIT_SECONDS: '50' },
  ofHostMs: 5000,
} as const;

/** For people: which times are shorter than in Azure, and by how much. */
export const timesTable = (): string => {
  const rows = Object.values<ScaledTime>(TIMES);
  const width = Math.max(...rows.map(({ what }) => what.length));
  return rows
    .map(({ what, azure, run }) => {
      const times = `${azure} s`.padStart(6);
      return `  ${what.padEnd(width)}  ${times} in Azure, ${run} s here (1/${Math.round(azure / run)})`;
    })
    .join('\n');
};
