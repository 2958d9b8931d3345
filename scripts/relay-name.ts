// Prints the name of the relay that a parameter file gives, or nothing: node scripts/relay-name.ts FILE
// FILE as for scripts/lost-parameters.ts.

import { readParameters } from './parameter-files.ts';

const name = readParameters(process.argv.slice(2)).name?.value;
if (typeof name === 'string') console.log(name.toLowerCase());
