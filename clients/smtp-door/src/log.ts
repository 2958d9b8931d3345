type LogLevel = 'info' | 'warn' | 'error';
export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one event. Facts never hold an address, a subject, content or a key. */
export type Log = (level: LogLevel, event: string, facts?: LogFacts) => void;

/** One event in one line of JSON, for journald, container logs and every collector of them. */
export const logTo =
  (write: (line: string) => void, now: () => Date): Log =>
  (level, event, facts = {}) =>
    write(`${JSON.stringify({ time: now().toISOString(), level, event, ...facts })}\n`);
