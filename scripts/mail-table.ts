import type { DeskMail } from './mail-page.ts';

/** A column, and how narrow it may become where the terminal is narrow. */
type Column = {
  readonly title: string;
  readonly least?: number;
  readonly of: (mail: DeskMail) => string;
};

/** What is cut first comes last in `CUT`; an id is copied, so it is never cut. */
const COLUMNS: readonly Column[] = [
  { title: 'ID', of: ({ id }) => id },
  { title: 'RECEIVED', of: ({ acceptedAt }) => `${acceptedAt.slice(0, 19).replace('T', ' ')}Z` },
  { title: 'STATE', of: ({ state, bounced }) => (bounced ? 'sent, bounced' : state) },
  { title: 'REASON', least: 12, of: ({ reason }) => reason?.code ?? '' },
  { title: 'SENDER', least: 12, of: ({ sender }) => sender || '(unknown)' },
  { title: 'CALLER', least: 8, of: ({ caller }) => caller },
];
const GAP = '  ';

const widthOf = (text: string): number => [...text].length;
const cut = (text: string, width: number): string =>
  widthOf(text) <= width ? text : `${[...text].slice(0, width - 1).join('')}…`;

/** How wide each column is: as its widest cell, or less of those that may be cut until the line fits. */
const widthsIn = (cells: readonly (readonly string[])[], most: number | undefined): readonly number[] => {
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => widthOf(row[column] ?? ''))));
  const total = () => widths.reduce((sum, width) => sum + width, GAP.length * (COLUMNS.length - 1));
  while (most !== undefined && total() > most) {
    const spare = COLUMNS.map(({ least }, column) =>
      least === undefined ? 0 : (widths[column] ?? 0) - least,
    );
    const widest = spare.indexOf(Math.max(...spare));
    if ((spare[widest] ?? 0) <= 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
};

/** A list as a table, at most as wide as the terminal where there is one. */
export const toTable = (mails: readonly DeskMail[], columns?: number): string => {
  const cells = [
    COLUMNS.map(({ title }) => title),
    ...mails.map((mail) => COLUMNS.map(({ of }) => of(mail))),
  ];
  const widths = widthsIn(cells, columns);
  return cells
    .map((row) =>
      row
        .map((text, column) => cut(text, widths[column] ?? 0).padEnd(widths[column] ?? 0))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n');
};
