/** Rows below each other in columns as wide as they need; the first row is the heading. */
export const toTable = (title: string, rows: readonly (readonly string[])[]): readonly string[] => {
  const [heading = []] = rows;
  const widths = heading.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const toLine = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('   ');
  const [first = '', ...lines] = rows.map((row) => `  ${toLine(row)}`.trimEnd());
  return [title, first, `  ${widths.map((width) => '-'.repeat(width)).join('   ')}`, ...lines];
};

export const printTable = (title: string, rows: readonly (readonly string[])[]): void =>
  console.log(`\n${toTable(title, rows).join('\n')}`);

export const ms = (figure: number): string => `${figure.toFixed(2)} ms`;
export const perSecond = (msPerMail: number): string => `${(1000 / msPerMail).toFixed(0)}/s`;
export const times = (ratio: number): string => ratio.toFixed(2);
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
export const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;
export const whole = (figure: number): string => figure.toFixed(0);
