/** The relay's own log events, which are worth a line on the screen; the rest is in the log file. */
export const toEventLine = (line: string): string | undefined => {
  const found = /^\S+T(\d\d:\d\d:\d\d)\S* (\w+) Function\.\S+\.User\S*(?: \S+)?: (\{"event".*\})$/.exec(line);
  if (found === null) return undefined;
  const { event, ...facts } = JSON.parse(found[3] ?? '{}') as Record<string, unknown>;
  const words = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${found[1]} ${event} ${words.join(' ')}`;
};
