/** What is looked at of an iCalendar object (RFC 5545). */
export type CalendarFacts = {
  /** Of METHOD, in capitals. */
  readonly methods: readonly string[];
  readonly hasVersion2: boolean;
  /** The components directly in the calendar, with the names of their properties. */
  readonly components: readonly { readonly name: string; readonly properties: ReadonlySet<string> }[];
};

/** An alarm in an event in a calendar is three; the rest is room. */
const MAX_DEPTH = 8;
/** RFC 5545, 3.1: a name, parameters, a colon and a value. */
const LINE = /^([A-Z\d-]{1,60})[;:]/i;

type ContentLine = { text: string; readonly number: number };

/** The lines with those that continue them (RFC 5545, 3.1), and the number of each; without a mark of the byte order. */
export const unfoldedLines = (ics: string): readonly ContentLine[] | undefined => {
  const lines: ContentLine[] = [];
  for (const [index, line] of ics
    .replace(/^\ufeff/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    if (line.trim() === '') continue;
    if (!/^[ \t]/.test(line)) lines.push({ text: line, number: index + 1 });
    else {
      const continued = lines.at(-1);
      if (continued === undefined) return undefined;
      continued.text += line.slice(1);
    }
  }
  return lines;
};

/**
 * Reads the outline of an iCalendar object, or says what is wrong with it. Own code: the parsers there are read every value
 * and repeat rules, which takes far longer than the text for some texts, and nothing of that is asked here.
 */
export const readCalendar = (ics: string): CalendarFacts | string => {
  const open: string[] = [];
  const methods: string[] = [];
  const components: { name: string; properties: Set<string> }[] = [];
  let hasVersion2 = false;
  let closed = false;
  const lines = unfoldedLines(ics);
  if (lines === undefined) return 'BEGIN:VCALENDAR as the first line';
  for (const { text: line, number } of lines) {
    if (closed) return `nothing after END:VCALENDAR; line ${number} is after it`;
    const name = LINE.exec(line)?.[1]?.toUpperCase();
    if (name === undefined) return `lines such as NAME:value; line ${number} is not one`;
    const value = line
      .slice(line.indexOf(':') + 1)
      .trim()
      .toUpperCase();
    if (name === 'BEGIN') {
      if (open.length === 0 ? value !== 'VCALENDAR' : value === 'VCALENDAR')
        return 'exactly one VCALENDAR, around everything else';
      if (open.length === MAX_DEPTH) return `components nested no deeper than ${MAX_DEPTH} levels`;
      open.push(value);
      if (open.length === 2) components.push({ name: value, properties: new Set() });
    } else if (open.length === 0) return 'BEGIN:VCALENDAR as the first line';
    else if (name === 'END') {
      if (open.pop() !== value) return `END of the component that is open; line ${number} ends another`;
      closed = open.length === 0;
    } else if (open.length === 2) components.at(-1)?.properties.add(name);
    else if (open.length === 1 && name === 'METHOD') methods.push(value);
    else if (open.length === 1 && name === 'VERSION') hasVersion2 ||= value === '2.0';
  }
  return closed ? { methods, hasVersion2, components } : 'END:VCALENDAR as the last line';
};
