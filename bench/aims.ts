/** What a section is to show: a figure of its table that should be at least, at most, or exactly so much. */
export type Aim = {
  readonly what: string;
  readonly figure: number;
  readonly limit: { readonly atLeast: number } | { readonly atMost: number } | { readonly equal: number };
  readonly show?: (figure: number) => string;
};

/** As many digits as an aim is judged with. */
const ratio = (figure: number): string => figure.toFixed(3);

/** Judged with the figure that is printed, and no figure at all meets no aim. An equal figure is judged as it is. */
export const isMet = ({ figure, limit }: Aim): boolean => {
  if ('equal' in limit) return figure === limit.equal;
  const printed = Number(figure.toFixed(3));
  return 'atLeast' in limit ? printed >= limit.atLeast : printed <= limit.atMost;
};

const toBound = ({ limit, show = ratio }: Aim): string => {
  if ('equal' in limit) return `exactly ${show(limit.equal)}`;
  return 'atLeast' in limit ? `at least ${show(limit.atLeast)}` : `at most ${show(limit.atMost)}`;
};

/** All aims of a run in a table, how many of them were met, and the sections that ended with an error. */
export const toVerdicts = (
  aims: readonly Aim[],
  failed: readonly string[] = [],
): { readonly title: string; readonly rows: readonly (readonly string[])[] } => ({
  title: `Aims: ${aims.filter(isMet).length} of ${aims.length} met${
    failed.length === 0 ? '' : `, and nothing is known of ${failed.join(', ')}`
  }`,
  rows: [
    ['', 'aim', 'measured', 'verdict'],
    ...aims.map((aim) => [
      aim.what,
      toBound(aim),
      (aim.show ?? ratio)(aim.figure),
      isMet(aim) ? 'met' : 'NOT MET',
    ]),
    ...failed.map((section) => [`Section ${section}`, '', 'failed, see above', 'NOT MET']),
  ],
});
