import { times } from './print-table.ts';

/** What a section is to show: a figure of its table that should be at least, or at most, so much. */
export type Aim = {
  readonly what: string;
  readonly figure: number;
  readonly limit: { readonly atLeast: number } | { readonly atMost: number };
  readonly show?: (figure: number) => string;
};

/** Judged with the figure that is printed, and no figure at all meets no aim. */
export const isMet = ({ figure, limit }: Aim): boolean => {
  const printed = Number(figure.toFixed(3));
  return 'atLeast' in limit ? printed >= limit.atLeast : printed <= limit.atMost;
};

/** One aim in one line: what came of it first, then the figure beside the limit. */
export const toVerdict = (aim: Aim): string => {
  const { what, figure, limit, show = times } = aim;
  const bound = 'atLeast' in limit ? `at least ${show(limit.atLeast)}` : `at most ${show(limit.atMost)}`;
  return `${isMet(aim) ? 'met    ' : 'NOT MET'}  ${what}: ${show(figure)}, aim ${bound}`;
};

/** All aims of a run, and how many of them were met. */
export const toVerdicts = (aims: readonly Aim[]): string =>
  [
    `Aims: ${aims.filter(isMet).length} of ${aims.length} met`,
    ...aims.map((aim) => `  ${toVerdict(aim)}`),
  ].join('\n');
