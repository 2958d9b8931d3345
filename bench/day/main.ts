import { writeFileSync } from 'node:fs';
import { toFigures } from './figures.ts';
import { isOptionsError, readOptions, USAGE } from './options.ts';
import { toReport } from './report.ts';
import { runDay } from './run-day.ts';

const main = async (): Promise<void> => {
  const { help, json, day } = readOptions(process.argv.slice(2));
  if (help) return console.log(USAGE);
  const figures = toFigures(await runDay(day, (line) => console.error(line)));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
  console.log(toReport(figures));
  if (!figures.verdict.isKept) process.exitCode = 1;
};

main().catch((error: unknown) => {
  console.error(isOptionsError(error) ? (error as Error).message : error);
  process.exitCode = isOptionsError(error) ? 2 : 1;
});
