// Prints the functions of a built app, one name per line: node scripts/list-functions.ts [FOLDER]
// A deployment is good when the platform lists the same. Where it lists none, the app failed to load without a word.

import { join, resolve } from 'node:path';
import { AppLoadError } from '../local/functions-host/load-app.ts';
import { readFunctionNames } from './function-names.ts';

const folder = resolve(process.argv[2] ?? join(import.meta.dirname, '../dist/package'));
try {
  for (const name of await readFunctionNames(folder)) console.log(name);
} catch (error) {
  if (!(error instanceof AppLoadError)) throw error;
  console.error(`${error.message}\nBuild it with: npm run package`);
  process.exitCode = 1;
}
