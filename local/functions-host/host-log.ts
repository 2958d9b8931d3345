export type HostLogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

export type HostLog = (level: HostLogLevel, category: string, message: string, invocationId?: string) => void;

const RANK: Record<HostLogLevel, number> = {
  trace: 0,
  debug: 1,
  information: 2,
  warning: 3,
  error: 4,
  critical: 5,
  none: 6,
};

/** Writes one entry per call; `logLevel` of host.json decides by the longest category prefix, as in Azure. */
export const makeHostLog =
  (write: (line: string) => void, now: () => Date, levels: Readonly<Record<string, HostLogLevel>>): HostLog =>
  (level, category, message, invocationId) => {
    if (RANK[level] < RANK[lowestLevelOf(category, levels)]) return;
    const id = invocationId === undefined ? '' : ` ${invocationId}`;
    write(`${now().toISOString()} ${level} ${category}${id}: ${onlyOneEntry(message)}`);
  };

const lowestLevelOf = (category: string, levels: Readonly<Record<string, HostLogLevel>>): HostLogLevel => {
  let found = levels.default ?? 'information';
  let length = -1;
  for (const [prefix, level] of Object.entries(levels)) {
    const matches = category === prefix || category.startsWith(`${prefix}.`);
    if (matches && prefix.length > length) {
      found = level;
      length = prefix.length;
    }
  }
  return found;
};

/** Following lines are indented, so that a message cannot pass for an entry of its own. */
const onlyOneEntry = (message: string) => message.replaceAll(/\r\n|\r|\n/g, '\n  ');
