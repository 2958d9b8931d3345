export type HostEvent = { readonly event: string; readonly mailId?: string };

/** The relay's own event in a line of the host's log, if there is one. */
export const readEvent = (line: string): HostEvent | undefined => {
  const found = /Function\.\S+\.User\S*(?: \S+)?: (\{"event".*\})$/.exec(line);
  return found === null ? undefined : (JSON.parse(found[1] ?? '{}') as HostEvent);
};
