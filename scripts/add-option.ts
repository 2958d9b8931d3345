// Prints the options of a parameter file of infra/main.bicep with one more turned on, for infra/deploy.sh:
//   node scripts/add-option.ts FILE NAME

import { isObject } from '../src/lib/mail/absent.ts';
import { readParameters } from './parameter-files.ts';

const [file, name] = process.argv.slice(2);
if (file === undefined || name === undefined) {
  console.error('Usage: node scripts/add-option.ts FILE NAME');
  process.exitCode = 2;
} else {
  const options = readParameters([file]).options?.value;
  console.log(JSON.stringify({ ...(isObject(options) ? options : {}), [name]: true }));
}
